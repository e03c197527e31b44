#include "provisioning/certificates.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "provisioning/lookup.hpp"
#include "provisioning/names.hpp"
#include "provisioning/order_json.hpp"
#include "provisioning/policies.hpp"
#include "provisioning/removal.hpp"
#include "provisioning/rights.hpp"
#include "provisioning/steps/attach.hpp"

namespace iotsky::provisioning {
namespace {

constexpr std::array<std::string_view, 6> kReasons{
    "unspecified", "key_compromise",      "lost",
    "superseded",  "affiliation_changed", "cessation_of_operation"};
constexpr std::size_t kRevocationsPerRead = 10'000;

/// Where a certificate belongs: to its things' class and project; to nobody when it has none.
Place place_of(Reader& reader, const CertificateRecord& certificate) {
    const auto things = reader.things_of_certificate(certificate.id);
    const auto thing = things.size() == 1 ? reader.thing_by_id(things[0]) : std::nullopt;
    return thing ? Place{thing->class_id, thing->project_id} : Place{};
}

Result<CertificateRecord> certificate_for(Reader& reader, const Caller& caller, Operation operation,
                                          std::string_view name) {
    IOTSKY_TRY(row, find_certificate(reader, name));
    IOTSKY_CHECK(check(caller, operation, place_of(reader, row)));
    return row;
}

CertificateDetails details(Reader& reader, CertificateRecord&& row) {
    CertificateDetails shown;
    for (const Id& id : reader.things_of_certificate(row.id)) {
        if (const auto thing = reader.thing_by_id(id)) {
            shown.things.push_back(thing->path());
        }
    }
    for (PolicyRecord& policy : reader.policies_of_target({TargetKind::certificate, row.id})) {
        shown.policies.push_back(std::move(policy.name));
    }
    shown.record = std::move(row);
    return shown;
}

ThingRequest key_only(const KeyRequest& request) {
    ThingRequest thing;
    thing.key = request.csr.empty() ? KeySource::server : KeySource::csr;
    thing.key_type = request.key_type;
    thing.csr = request.csr;
    return thing;
}

std::string text_of(std::string_view call, std::string_view subject, const KeyRequest& request) {
    const boost::json::array text{call, subject, request.key_type, request.csr, request.revoke_old};
    return boost::json::serialize(text);
}

/// The filter for what the caller may see.
Result<CertificateFilter> filter_for(Reader& reader, const Caller& caller,
                                     const CertificateQuery& query, WallTime now) {
    CertificateFilter filter;
    filter.status = query.status;
    if (query.ends_within) {
        filter.ends_before = now + *query.ends_within;
    }
    Place place{caller.class_id, std::nullopt};
    if (!query.class_name.empty()) {
        IOTSKY_TRY(in, find_class(reader, query.class_name));
        place.class_id = in.id;
    }
    if (!query.thing.empty()) {
        IOTSKY_TRY(thing, find_thing(reader, query.thing));
        filter.thing_id = thing.id;
        place = {thing.class_id, thing.project_id};
    }
    if (query.thing.empty()) {
        filter.class_id = place.class_id;
    }
    IOTSKY_CHECK(check(caller, Operation::certificate_read, place));
    return filter;
}

std::string key_of(const CertificateRecord& row) {
    return std::to_string(row.created_us) + "-" + to_hex(row.id.bytes);
}

}  // namespace

Certificates::Certificates(Core& core, Idempotency& idempotency)
    : core_(core), idempotency_(idempotency), pipeline_(core, certificate_steps(core)) {}

Result<Provisioned> Certificates::run(const Caller& caller, Order order, std::string_view text,
                                      const std::optional<std::string>& key) {
    const auto make = [&](std::optional<IdempotencyRecord> record) -> Result<Provisioned> {
        order.idempotency = std::move(record);
        IOTSKY_TRY(effective, pipeline_.run(order));
        Provisioned made;
        if (order.thing) {
            made.topics = default_topics(
                *order.thing, order.class_record && order.class_record->settings.strict_isolation);
        }
        made.thing = std::move(order.thing);
        made.certificate = std::move(order.certificate);
        made.private_key = std::move(order.private_key);
        made.effective = effective;
        return made;
    };
    return idempotency_.run(caller, key, text, make);
}

Result<Provisioned> Certificates::issue(const Caller& caller, std::string_view name,
                                        const KeyRequest& request,
                                        const std::optional<std::string>& key) {
    Order order = place_order(core_, key_only(request), caller.actor);
    order.goal = Goal::certificate;
    auto looked = core_.store.read_void([&](Reader& reader) -> Result<void> {
        IOTSKY_TRY(thing, find_thing(reader, name));
        IOTSKY_CHECK(
            check(caller, Operation::certificate_change, {thing.class_id, thing.project_id}));
        if (thing.class_id) {
            order.class_record = reader.class_by_id(*thing.class_id);
        }
        order.revoke_others = request.revoke_old;
        order.thing_id = thing.id;
        order.request.name = thing.name;
        order.thing = std::move(thing);
        return {};
    });
    IOTSKY_CHECK(std::move(looked));
    const std::string subject = order.thing->id.format(kThingPrefix);
    return run(caller, std::move(order), text_of("issue", subject, request), key);
}

Result<Provisioned> Certificates::issue_service(const Caller& caller, const ServiceRequest& request,
                                                const std::optional<std::string>& key) {
    IOTSKY_CHECK(check(caller, Operation::service_issue, {}));
    IOTSKY_CHECK(check_name(request.name, "service"));
    if (request.policies.empty() && !request.policy_document) {
        return make_error(
            Errc::invalid_argument, "E3121", "A service needs a policy.",
            "Without one it may do nothing at all.",
            "Give one: iotsky cert issue --service " + request.name + " --policy FILE");
    }
    Order order = place_order(core_, key_only(request.key), caller.actor);
    order.goal = Goal::certificate;
    order.service = request.name;
    order.request.name = request.name;
    order.request.policies = request.policies;
    if (request.policy_document) {
        const std::string policy = "service-" + request.name;
        IOTSKY_CHECK(store_document(core_, caller, policy, *request.policy_document));
        order.request.policies.push_back(policy);
    }
    std::string text = text_of("service", request.name, request.key);
    for (const std::string& policy : order.request.policies) {
        text += "," + policy;
    }
    text += request.policy_document.value_or("");
    return run(caller, std::move(order), text, key);
}

Result<Provisioned> Certificates::renew(const Caller& caller, std::string_view name,
                                        const KeyRequest& request,
                                        const std::optional<std::string>& key) {
    Order order = place_order(core_, key_only(request), caller.actor);
    order.goal = Goal::certificate;
    std::string subject;
    auto looked = core_.store.read_void([&](Reader& reader) -> Result<void> {
        IOTSKY_TRY(old, certificate_for(reader, caller, Operation::certificate_change, name));
        IOTSKY_CHECK(check_renewable(old));
        const auto things = reader.things_of_certificate(old.id);
        if (things.size() == 1) {
            order.thing = reader.thing_by_id(things[0]);
            order.thing_id = things[0];
        } else {
            order.service = old.service.value_or("certificate-" + old.serial);
        }
        if (order.thing && order.thing->class_id) {
            order.class_record = reader.class_by_id(*order.thing->class_id);
        }
        order.entry_id = old.entry_id;
        order.renewed_from = old.id;
        order.revoke_old = request.revoke_old;
        subject = old.serial;
        return {};
    });
    IOTSKY_CHECK(std::move(looked));
    return run(caller, std::move(order), text_of("renew", subject, request), key);
}

Result<Changed<CertificateDetails>> Certificates::revoke(const Caller& caller,
                                                         std::string_view name,
                                                         std::string_view reason,
                                                         std::optional<Rev> if_rev) {
    if (std::find(kReasons.begin(), kReasons.end(), reason) == kReasons.end()) {
        return wrong_field("/reason", "This is not a reason.",
                           "Use unspecified, key_compromise, lost, superseded, "
                           "affiliation_changed or cessation_of_operation.");
    }
    return core_.change(caller, [&](Change& change) -> Result<CertificateDetails> {
        IOTSKY_TRY(row, certificate_for(change.tx, caller, Operation::certificate_change, name));
        IOTSKY_CHECK(check_rev(if_rev, row.rev, "Certificate " + row.serial));
        revoke_certificate(change, row, reason);
        return details(change.tx, change.tx.certificate_by_id(row.id).value_or(row));
    });
}

Result<Changed<CertificateDetails>> Certificates::set_status(const Caller& caller,
                                                             std::string_view name,
                                                             CertificateStatus status,
                                                             std::optional<Rev> if_rev) {
    if (status == CertificateStatus::revoked || status == CertificateStatus::pending) {
        return wrong_field("/status", "This status cannot be set.",
                           "Use active, suspended or inactive; to revoke: iotsky cert revoke");
    }
    return core_.change(caller, [&](Change& change) -> Result<CertificateDetails> {
        IOTSKY_TRY(row, certificate_for(change.tx, caller, Operation::certificate_status, name));
        IOTSKY_CHECK(check_rev(if_rev, row.rev, "Certificate " + row.serial));
        if (row.status == CertificateStatus::revoked) {
            return certificate_is_revoked(row);
        }
        row.status = status;
        change.tx.update(row);
        change.affected.certificates.push_back(row.id);
        const boost::json::object body{{"kind", "certificate.changed"},
                                       {"certificate", certificate_json(row)}};
        const std::string text = boost::json::serialize(body);
        change.event("certificate.changed", text);
        change.audit("certificate.set", row.serial, text);
        ++row.rev;
        return details(change.tx, std::move(row));
    });
}

Result<Listing<CertificateDetails>> Certificates::list(const Caller& caller,
                                                       const CertificateQuery& query,
                                                       const PageRequest& request) {
    IOTSKY_TRY(page, to_page(request));
    return core_.store.read([&](Reader& reader) -> Result<Listing<CertificateDetails>> {
        IOTSKY_TRY(filter, filter_for(reader, caller, query, core_.now()));
        auto rows = to_listing(reader.certificates(filter, page), request.limit, key_of);
        Listing<CertificateDetails> shown;
        shown.next = std::move(rows.next);
        for (CertificateRecord& row : rows.items) {
            shown.items.push_back(details(reader, std::move(row)));
        }
        return shown;
    });
}

Result<CertificateDetails> Certificates::show(const Caller& caller, std::string_view name) {
    return core_.store.read([&](Reader& reader) -> Result<CertificateDetails> {
        IOTSKY_TRY(row, certificate_for(reader, caller, Operation::certificate_read, name));
        return details(reader, std::move(row));
    });
}

Result<std::vector<Revocation>> Certificates::revoked() {
    const std::string issuer = core_.issuer.issuer_key_id();
    const WallTime now = core_.now();
    return core_.store.read([&](Reader& reader) -> Result<std::vector<Revocation>> {
        std::vector<Revocation> list;
        CertificateFilter filter;
        filter.status = CertificateStatus::revoked;
        for (Page page{{}, kRevocationsPerRead};;) {
            const auto rows = reader.certificates(filter, page);
            for (const CertificateRecord& row : rows) {
                if (row.issuer == issuer && row.not_after && *row.not_after > now) {
                    list.push_back({row.serial, row.revoked_at.value_or(now),
                                    row.revoke_reason.value_or("unspecified")});
                }
            }
            if (rows.size() < page.limit) {
                return list;
            }
            page.after = key_of(rows.back());
        }
    });
}

}  // namespace iotsky::provisioning
