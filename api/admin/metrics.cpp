#include "api/metrics_text.hpp"

#include <algorithm>
#include <array>

#include "api/admin/common.hpp"
#include "api/admin/counts.hpp"
#include "api/admin/routes.hpp"
#include "api/process_stats.hpp"

namespace iotsky::api {
namespace {

using enum MetricType;

double number(std::uint64_t value) {
    return static_cast<double>(value);
}

void one_gauge(MetricsText& out, std::string_view name, std::string_view help, double value) {
    out.family(name, MetricType::gauge, help);
    out.sample(value);
}

void add_machine(const MachineStatus& machine, MetricsText& out) {
    out.family("iotsky_build_info", MetricType::gauge, "Version of the program.");
    out.sample({{"version", machine.version}, {"revision", machine.revision}}, 1);
    one_gauge(out, "iotsky_start_time_seconds", "Start of the program, seconds since 1970.",
              static_cast<double>(to_unix_s(machine.started_at)));
}

void add_connections(const BrokerStats& stats, MetricsText& out) {
    out.counts("iotsky_connections", MetricType::gauge, "Open connections.",
               {"listener", "protocol"}, stats.connections);
    out.counts("iotsky_connects_total", counter, "CONNECT packets answered.",
               {"listener", "result", "reason"}, stats.connects);
    out.counts("iotsky_handshakes_total", counter, "TLS handshakes ended.",
               {"listener", "result", "reason", "resumed"}, stats.handshakes);
    out.counts("iotsky_websockets_total", counter, "Requests for a WebSocket ended.",
               {"listener", "result", "reason"}, stats.websockets);
    one_gauge(out, "iotsky_handshakes_waiting",
              "Connections that are not through TLS or their request for a WebSocket.",
              number(stats.handshakes_waiting));
    out.histogram("iotsky_handshake_seconds", "Time of a TLS handshake.", stats.handshake_seconds);
}

void add_sessions(const BrokerStats& stats, MetricsText& out) {
    out.family("iotsky_sessions", MetricType::gauge, "Sessions by state.");
    out.sample({{"state", "connected"}}, number(stats.sessions_connected));
    out.sample({{"state", "disconnected"}}, number(stats.sessions_disconnected));
    out.counts("iotsky_session_takeovers_total", counter,
               "Connections that took a session over from another.", {"kind"}, stats.takeovers);
    one_gauge(out, "iotsky_inflight_messages", "Messages sent and not acknowledged yet.",
              number(stats.inflight_messages));
    one_gauge(out, "iotsky_queued_messages", "Messages that wait for their sessions.",
              number(stats.queued_messages));
    one_gauge(out, "iotsky_queued_bytes", "Bytes of messages that wait.",
              number(stats.queued_bytes));
    one_gauge(out, "iotsky_subscriptions", "Subscriptions.", number(stats.subscriptions));
}

void add_messages(const BrokerStats& stats, MetricsText& out) {
    out.counts("iotsky_publish_received_total", counter, "PUBLISH packets received.", {"qos"},
               stats.publish_received);
    out.counts("iotsky_publish_sent_total", counter, "PUBLISH packets sent.", {"qos"},
               stats.publish_sent);
    out.family("iotsky_publish_bytes_total", counter, "Payload bytes of PUBLISH packets.");
    out.sample({{"direction", "received"}}, number(stats.publish_bytes_received));
    out.sample({{"direction", "sent"}}, number(stats.publish_bytes_sent));
    out.counts("iotsky_publish_dropped_total", counter, "Messages dropped.", {"reason"},
               stats.publish_dropped);
    one_gauge(out, "iotsky_retained_messages", "Retained messages.",
              number(stats.retained_messages));
    one_gauge(out, "iotsky_retained_bytes", "Bytes of retained messages.",
              number(stats.retained_bytes));
    out.counts("iotsky_refusals_total", counter, "Requests of clients refused.",
               {"action", "reason"}, stats.refusals);
    out.counts("iotsky_brakes_total", counter, "Times that a client was slowed down.", {"stage"},
               stats.brakes);
    out.counts("iotsky_thing_messages_total", counter,
               "Messages from and to the busiest things; the others are left out.",
               {"class", "thing"}, stats.busiest_things);
}

void add_store(const BrokerStats& stats, const MachineStatus& machine, MetricsText& out) {
    one_gauge(out, "iotsky_store_accepting", "1 while commits succeed, else 0.",
              stats.log_accepting ? 1 : 0);
    one_gauge(out, "iotsky_store_pending_bytes", "Bytes appended and not durable yet.",
              number(stats.log_pending_bytes));
    out.family("iotsky_store_bytes", MetricType::gauge, "Size of a database with its log.");
    for (const char* file : {"registry.db", "messages.db"}) {
        if (const std::uint64_t bytes = store_bytes(machine.store_folder, file); bytes > 0) {
            out.sample({{"file", file}}, number(bytes));
        }
    }
    one_gauge(out, "iotsky_disk_free_bytes", "Free bytes where the data lies.",
              number(disk_free_bytes(machine.store_folder)));
    if (stats.store_commit_seconds) {
        out.histogram("iotsky_store_commit_seconds",
                      "From taking a batch of messages to having it on disk.",
                      *stats.store_commit_seconds);
    }
    out.histogram("iotsky_event_loop_lag_seconds",
                  "Length of a turn of an io thread: so late it may look at its inputs.",
                  stats.event_loop_lag_seconds);
}

std::uint64_t connected_of(const BrokerStats& stats, const std::string& class_name) {
    const auto row = std::ranges::find_if(stats.things_connected, [&](const LabelledCount& count) {
        return count.labels.front() == class_name;
    });
    return row == stats.things_connected.end() ? 0 : row->count;
}

void add_things(const RegistryCounts& counts, const BrokerStats& stats, MetricsText& out) {
    out.family("iotsky_things", MetricType::gauge,
               "Things that have a certificate: connected, offline, or blocked when no certificate "
               "of theirs may connect.");
    for (const auto& [name, things] : counts.things_by_class) {
        // The two are counted one after the other.
        const std::uint64_t connected =
            std::min(connected_of(stats, name), things.all - things.blocked);
        const std::uint64_t offline = things.all - things.blocked - connected;
        out.sample({{"class", name}, {"state", "connected"}}, number(connected));
        out.sample({{"class", name}, {"state", "offline"}}, number(offline));
        out.sample({{"class", name}, {"state", "blocked"}}, number(things.blocked));
    }
}

void add_registry(Services& services, const BrokerStats& stats, const MachineStatus& machine,
                  MetricsText& out) {
    const WallTime now = services.clock.wall_now();
    const RegistryCounts counts = count_registry(services.registry.view(), now);
    add_things(counts, stats, out);
    out.histogram("iotsky_provisioning_seconds",
                  "From an order of things or certificates to its rights in force.",
                  services.registry.provisioning_seconds());
    out.family("iotsky_certificates", MetricType::gauge, "Device certificates by state.");
    for (const auto& [state, count] : counts.certificates_by_status) {
        out.sample({{"state", state}}, number(count));
    }
    out.family("iotsky_certificate_expiry_seconds", MetricType::gauge,
               "Seconds until a certificate ends.");
    const auto left = [now](WallTime end) {
        return static_cast<double>(to_unix_s(end) - to_unix_s(now));
    };
    for (const CertificateEnd& certificate : machine.certificates) {
        out.sample({{"kind", certificate.kind}}, left(certificate.not_after));
    }
    out.sample({{"kind", "ca"}},
               left(services.authority.certificate(certs::CaRole::server).not_after()));
    if (counts.next_end_s != 0) {
        out.sample({{"kind", "next_device"}}, left(from_unix_s(counts.next_end_s)));
    }
}

void add_http(const HttpStats& http, MetricsText& out) {
    out.family("iotsky_http_requests_total", counter, "HTTP requests answered.");
    for (const HttpStats::Row& row : http.rows()) {
        const std::string status = std::to_string(row.status);
        out.sample({{"route", row.route}, {"method", row.method}, {"status", status}},
                   number(row.count));
    }
    out.histogram("iotsky_http_request_seconds", "From a request's header to its last byte sent.",
                  http.seconds());
}

void add_process(MetricsText& out) {
    const ProcessStats process = process_stats();
    out.family("process_cpu_seconds_total", counter, "Processor time used.");
    out.sample(process.cpu_s);
    one_gauge(out, "process_start_time_seconds", "Start of the process, seconds since 1970.",
              process.start_s);
    one_gauge(out, "process_resident_memory_bytes", "Memory in use.",
              number(process.resident_bytes));
    one_gauge(out, "process_virtual_memory_bytes", "Address space in use.",
              number(process.virtual_bytes));
    one_gauge(out, "process_open_fds", "Open descriptors.", number(process.open_descriptors));
    one_gauge(out, "process_max_fds", "Descriptors allowed.", number(process.descriptors_max));
}

Result<Response> show_metrics(Services& services, const Request& /*request*/) {
    IOTSKY_TRY(stats, ask_broker<BrokerStats>(services, [&](auto answer) {
                   services.broker.stats(std::move(answer));
               }));
    const MachineStatus machine = services.machine.status();
    MetricsText out;
    add_machine(machine, out);
    add_connections(stats, out);
    add_sessions(stats, out);
    add_messages(stats, out);
    add_store(stats, machine, out);
    add_registry(services, stats, machine, out);
    add_http(services.http, out);
    add_process(out);
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = out.take();
    return response;
}

constexpr std::array kRoutes{Route{.method = Method::get,
                                   .pattern = "/metrics",
                                   .needs = Rank::projector,
                                   .handler = show_metrics,
                                   .summary = "Figures for Prometheus",
                                   .door = Door::local_open,
                                   .answers = "text/plain"}};

}  // namespace

std::span<const Route> metrics_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
