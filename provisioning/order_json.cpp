#include "provisioning/order_json.hpp"

#include <boost/json.hpp>

#include "provisioning/json_fields.hpp"
#include "provisioning/lookup.hpp"
#include "provisioning/names.hpp"
#include "provisioning/pipeline.hpp"

namespace iotsky::provisioning {

namespace json = boost::json;

namespace {

std::string_view word(KeySource source) {
    switch (source) {
        case KeySource::server:
            return "server";
        case KeySource::csr:
            return "csr";
        case KeySource::none:
            return "none";
    }
    return "none";
}

template <typename T>
json::value or_null(const std::optional<T>& value) {
    return value ? json::value(*value) : json::value(nullptr);
}

json::value time_or_null(const std::optional<WallTime>& time) {
    return time ? json::value(format_utc(*time)) : json::value(nullptr);
}

json::array texts(const std::vector<std::string>& values) {
    json::array array;
    for (const std::string& value : values) {
        array.emplace_back(value);
    }
    return array;
}

json::object attributes_json(const Attributes& attributes) {
    json::object object;
    for (const auto& [key, value] : attributes) {
        object[key] = value;
    }
    return object;
}

}  // namespace

json::object thing_json(const ThingRecord& thing) {
    return {{"id", thing.id.format(kThingPrefix)},
            {"path", thing.path()},
            {"aws_name", thing.aws_name},
            {"board", or_null(thing.board)},
            {"type", or_null(thing.type)},
            {"attributes", attributes_json(thing.attributes)},
            {"created_at", format_utc(thing.created_at)}};
}

json::object certificate_json(const CertificateRecord& certificate) {
    const bool known = certificate.fingerprint.has_value();
    return {
        {"id", certificate.id.format(kCertificatePrefix)},
        {"serial",
         certificate.serial.empty() ? json::value(nullptr) : json::value(certificate.serial)},
        {"fingerprint", known ? json::value(certificate.fingerprint->hex()) : json::value(nullptr)},
        {"status", to_string(certificate.status)},
        {"key_type", certificate.key_type},
        {"not_before", time_or_null(certificate.not_before)},
        {"not_after", time_or_null(certificate.not_after)}};
}

json::object rights_json(const Order& order) {
    json::object rights;
    DefaultTopics topics;
    if (order.thing && order.class_record) {
        topics = default_topics(*order.thing, order.class_record->settings.strict_isolation);
    }
    rights["publish"] = texts(topics.publish);
    rights["subscribe"] = texts(topics.subscribe);
    rights["policies"] = texts(order.request.policies);
    return rights;
}

json::object order_json(const Order& order) {
    const ThingRequest& request = order.request;
    json::object object{{"order", order.id.format(kOrderPrefix)}};
    if (order.student) {
        object["student"] = order.student->pseudonym;  // never the real name
    }
    if (order.goal == Goal::student) {
        object["class"] = request.class_name;
        object["project"] = request.project;
        return object;
    }
    if (order.service) {
        object["service"] = *order.service;
    } else {
        object["class"] = request.class_name;
        object["project"] = request.project;
        object["name"] = request.name;
    }
    object["key"] = word(request.key);
    object["key_type"] = request.key_type;
    object["policies"] = texts(request.policies);
    if (order.thing) {
        object["thing"] = thing_json(*order.thing);
    } else {
        object["board"] = or_null(request.board);
        object["type"] = or_null(request.type);
        object["attributes"] = attributes_json(request.attributes);
    }
    if (order.certificate) {
        object["certificate"] = certificate_json(*order.certificate);
    } else if (request.key == KeySource::csr) {
        object["csr"] = request.csr;
    }
    if (order.thing || order.service) {
        object["rights"] = rights_json(order);
    }
    return object;
}

void add_event(Order& order, std::string_view kind) {
    json::object body = order_json(order);
    body["kind"] = kind;
    order.events.push_back({std::string{kind}, json::serialize(body)});
}

namespace {

Result<void> read_key(Fields& fields, ThingRequest& request) {
    const std::string key = fields.text("key", "server");
    if (key != "server" && key != "csr" && key != "none") {
        return wrong_field("/key", "key is \"server\", \"csr\" or \"none\".", "Correct the event.");
    }
    request.key_type = fields.text("key_type", "p256");
    request.csr = fields.text("csr", "");
    request.key = key == "none"  ? KeySource::none
                  : key == "csr" ? KeySource::csr
                                 : KeySource::server;
    if (key == "csr" && request.csr.empty()) {
        return wrong_field("/csr", "The certificate request is missing.",
                           "Put its PEM into \"csr\".");
    }
    return {};
}

ThingRequest read_request(Fields& fields) {
    ThingRequest request;
    request.class_name = fields.text("class", "");
    request.project = fields.text("project", "");
    request.name = fields.text("name", "");
    request.board = fields.optional_text("board");
    request.type = fields.optional_text("type");
    request.attributes = fields.attributes("attributes");
    request.policies = fields.texts("policies");
    return request;
}

/// What earlier steps made: only the ids count, the rows are read from the registry.
void read_made(Fields& fields, Order& order) {
    if (const auto id = fields.id("order", kOrderPrefix)) {
        order.id = *id;
    }
    if (Fields* thing = fields.object("thing")) {
        if (const auto id = thing->id("id", kThingPrefix)) {
            order.thing_id = *id;
            order.has_thing = true;
        }
        order.request.board = thing->optional_text("board");
        order.request.type = thing->optional_text("type");
        order.request.attributes = thing->attributes("attributes");
        thing->ignore({"path", "aws_name", "created_at"});
    }
    if (Fields* certificate = fields.object("certificate")) {
        if (const auto id = certificate->id("id", kCertificatePrefix)) {
            order.certificate_id = *id;
            order.has_certificate = true;
        }
        certificate->ignore(
            {"serial", "fingerprint", "status", "key_type", "not_before", "not_after"});
    }
}

}  // namespace

Result<Order> parse_order(std::string_view event_json, Core& core) {
    IOTSKY_TRY(fields, Fields::parse(event_json));
    ThingRequest request = read_request(fields);
    IOTSKY_CHECK(read_key(fields, request));
    Order order = place_order(core, std::move(request), {});
    read_made(fields, order);
    fields.ignore({"kind", "rights", "student"});
    IOTSKY_CHECK(fields.finish());
    if (order.request.name.empty()) {
        return wrong_field("/name", "The name of the thing is missing.",
                           "An event needs at least class, project and name.");
    }
    return order;
}

}  // namespace iotsky::provisioning
