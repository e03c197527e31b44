#include "bench/load/report.hpp"

#include <boost/json.hpp>
#include <cmath>

namespace iotsky::load {
namespace {

double rounded(double value) {
    return std::round(value * 100) / 100;
}

double per(double total, std::uint64_t count) {
    return count == 0 ? 0 : rounded(total / static_cast<double>(count));
}

boost::json::object percentiles(const Latency& latency) {
    return {{"p50", latency.percentile_us(0.5)},
            {"p90", latency.percentile_us(0.9)},
            {"p99", latency.percentile_us(0.99)},
            {"p999", latency.percentile_us(0.999)},
            {"max", latency.max_us()}};
}

}  // namespace

std::string to_json(const Options& options, const Report& report) {
    const bool connects = options.scenario == Scenario::connect;
    boost::json::object line{
        {"scenario", options.scenario_name},
        {"tls", !options.ca_file.empty()},
        {"client_certificate", !options.cert_file.empty() || !options.identities.empty()},
        {"clients", options.clients},
        {"window", options.window},
        {"seconds", rounded(report.seconds)},
        {connects ? "connects_per_s" : "delivered_per_s",
         rounded(static_cast<double>(report.done) / report.seconds)},
        {"lost", report.lost},
        {"out_of_order", report.out_of_order},
        {"latency_us", percentiles(report.latency)},
        {connects ? "cpu_us_per_connect" : "cpu_us_per_message",
         per(report.broker_cpu_us, report.done)},
        {"generator_cpu_us_per_message", per(report.own_cpu_us, report.done)},
        {"rss_bytes", report.rss_bytes}};
    if (connects) {
        line["resumed"] = report.resumed;
        line["idle_bytes_per_client"] = rounded(report.idle_bytes_per_client);
    } else {
        line["qos"] = options.qos;
        line["payload"] = options.payload_bytes;
        line["rate"] = options.rate;
        line["persistent"] = options.persistent;
        if (options.qos > 0) {
            line["unacknowledged"] = report.unacknowledged;
            line["acknowledged_us"] = percentiles(report.acknowledgement);
        }
    }
    return boost::json::serialize(line);
}

}  // namespace iotsky::load
