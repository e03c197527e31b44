#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/broker_admin.hpp"
#include "base/metrics.hpp"

namespace iotsky::api {

enum class MetricType : std::uint8_t { counter, gauge, histogram };

/// Label names and values of one sample.
using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

/// Writes the Prometheus text format, version 0.0.4. Families come one after the other, each with
/// its HELP and TYPE, its samples behind it.
class MetricsText {
  public:
    /// Begins a family. Counters end in "_total".
    void family(std::string_view name, MetricType type, std::string_view help);
    /// A sample of the family that was begun last.
    void sample(const Labels& labels, double value);
    void sample(double value) { sample({}, value); }
    /// A family of one histogram without labels.
    void histogram(std::string_view name, std::string_view help, const HistogramStats& stats);
    void histogram(std::string_view name, std::string_view help, const Histogram& histogram);
    /// A family of counters whose label names are `names`; a row with another number of labels is
    /// left out.
    void counts(std::string_view name, MetricType type, std::string_view help,
                const std::vector<std::string_view>& names, const std::vector<LabelledCount>& rows);

    [[nodiscard]] std::string take() { return std::move(out_); }

  private:
    void line(std::string_view name, const Labels& labels, double value);

    std::string name_;
    std::string out_;
};

}  // namespace iotsky::api
