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
        {"latency_us", boost::json::object{{"p50", report.latency.percentile_us(0.5)},
                                           {"p90", report.latency.percentile_us(0.9)},
                                           {"p99", report.latency.percentile_us(0.99)},
                                           {"p999", report.latency.percentile_us(0.999)},
                                           {"max", report.latency.max_us()}}},
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
    }
    return boost::json::serialize(line);
}

}  // namespace iotsky::load
