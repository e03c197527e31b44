#include "api/metrics_text.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace iotsky::api {
namespace {

std::string_view to_string(MetricType type) {
    switch (type) {
        case MetricType::counter:
            return "counter";
        case MetricType::gauge:
            return "gauge";
        case MetricType::histogram:
            return "histogram";
    }
    return "untyped";
}

std::string number(double value) {
    if (std::isinf(value)) {
        return value > 0 ? "+Inf" : "-Inf";
    }
    if (std::isnan(value)) {
        return "NaN";
    }
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return {text.data(), end};
}

/// Label values: backslash, quote and line feed are escaped.
std::string escaped(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (c == '\\' || c == '"') {
            out += '\\';
        }
        out += c;
    }
    return out;
}

HistogramStats stats_of(const Histogram& histogram) {
    HistogramStats out;
    for (std::size_t i = 0; i + 1 < Histogram::kBuckets; ++i) {
        out.upper_s.push_back(Histogram::upper_s(i));
    }
    for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
        out.counts.push_back(histogram.count(i));
    }
    out.sum_s = histogram.sum_s();
    return out;
}

}  // namespace

void MetricsText::family(std::string_view name, MetricType type, std::string_view help) {
    name_ = name;
    out_ += "# HELP " + name_ + " " + std::string{help} + "\n";
    out_ += "# TYPE " + name_ + " " + std::string{to_string(type)} + "\n";
}

void MetricsText::sample(const Labels& labels, double value) {
    line(name_, labels, value);
}

void MetricsText::line(std::string_view name, const Labels& labels, double value) {
    out_ += name;
    char separator = '{';
    for (const auto& [label, text] : labels) {
        out_ += separator + std::string{label} + "=\"" + escaped(text) + "\"";
        separator = ',';
    }
    out_ += (labels.empty() ? " " : "} ") + number(value) + "\n";
}

void MetricsText::histogram(std::string_view name, std::string_view help,
                            const HistogramStats& stats) {
    family(name, MetricType::histogram, help);
    const std::string buckets = name_ + "_bucket";
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < stats.counts.size(); ++i) {
        total += stats.counts[i];
        const bool last = i + 1 == stats.counts.size();
        const std::string upper = last ? "+Inf" : number(stats.upper_s[i]);
        line(buckets, {{"le", upper}}, static_cast<double>(total));
    }
    if (stats.counts.empty()) {
        line(buckets, {{"le", "+Inf"}}, 0);
    }
    line(name_ + "_sum", {}, stats.sum_s);
    line(name_ + "_count", {}, static_cast<double>(total));
}

void MetricsText::histogram(std::string_view name, std::string_view help,
                            const Histogram& histogram_of) {
    histogram(name, help, stats_of(histogram_of));
}

void MetricsText::counts(std::string_view name, MetricType type, std::string_view help,
                         const std::vector<std::string_view>& names,
                         const std::vector<LabelledCount>& rows) {
    family(name, type, help);
    for (const LabelledCount& row : rows) {
        if (row.labels.size() != names.size()) {
            continue;
        }
        Labels labels;
        for (std::size_t i = 0; i < names.size(); ++i) {
            labels.emplace_back(names[i], row.labels[i]);
        }
        sample(labels, static_cast<double>(row.count));
    }
}

}  // namespace iotsky::api
