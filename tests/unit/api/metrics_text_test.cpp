#include "api/metrics_text.hpp"

#include <doctest/doctest.h>

namespace iotsky::api {

TEST_SUITE("api.metrics_text") {
    TEST_CASE("a family has its help and type in front of its samples") {
        MetricsText text;
        text.family("iotsky_connections", MetricType::gauge, "Open connections.");
        text.sample({{"listener", "mqtts"}, {"protocol", "mqtts"}}, 3);
        text.sample(1.5);
        CHECK(text.take() ==
              "# HELP iotsky_connections Open connections.\n"
              "# TYPE iotsky_connections gauge\n"
              "iotsky_connections{listener=\"mqtts\",protocol=\"mqtts\"} 3\n"
              "iotsky_connections 1.5\n");
    }

    TEST_CASE("label values are escaped") {
        MetricsText text;
        text.family("x_total", MetricType::counter, "X.");
        text.sample({{"a", "q\"b\\c\nd"}}, 1);
        CHECK(text.take().find("x_total{a=\"q\\\"b\\\\c\\nd\"} 1\n") != std::string::npos);
    }

    TEST_CASE("histograms are cumulative, end with +Inf and agree with their count") {
        MetricsText text;
        HistogramStats stats;
        stats.upper_s = {0.001, 0.002};
        stats.counts = {2, 3, 4};
        stats.sum_s = 0.25;
        text.histogram("iotsky_x_seconds", "X.", stats);
        CHECK(text.take() ==
              "# HELP iotsky_x_seconds X.\n"
              "# TYPE iotsky_x_seconds histogram\n"
              "iotsky_x_seconds_bucket{le=\"0.001\"} 2\n"
              "iotsky_x_seconds_bucket{le=\"0.002\"} 5\n"
              "iotsky_x_seconds_bucket{le=\"+Inf\"} 9\n"
              "iotsky_x_seconds_sum 0.25\n"
              "iotsky_x_seconds_count 9\n");
    }

    TEST_CASE("a histogram without buckets is still one") {
        MetricsText text;
        text.histogram("y_seconds", "Y.", HistogramStats{});
        CHECK(text.take().find("y_seconds_bucket{le=\"+Inf\"} 0\n") != std::string::npos);
    }

    TEST_CASE("a histogram of our own is written with its bounds") {
        Histogram histogram;
        histogram.record_ns(50'000);
        MetricsText text;
        text.histogram("z_seconds", "Z.", histogram);
        const std::string out = text.take();
        CHECK(out.find("z_seconds_bucket{le=\"1e-04\"} 1\n") != std::string::npos);
        CHECK(out.find("z_seconds_count 1\n") != std::string::npos);
    }

    TEST_CASE("rows with another number of labels are left out") {
        MetricsText text;
        text.counts("c_total", MetricType::counter, "C.", {"qos"}, {{{"1"}, 7}, {{"1", "2"}, 8}});
        CHECK(text.take() == "# HELP c_total C.\n# TYPE c_total counter\nc_total{qos=\"1\"} 7\n");
    }
}

}  // namespace iotsky::api
