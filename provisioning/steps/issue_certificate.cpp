#include "provisioning/steps/issue_certificate.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "certs/profile.hpp"
#include "provisioning/lookup.hpp"
#include "provisioning/order_json.hpp"
#include "provisioning/steps/load.hpp"
#include "provisioning/view_loader.hpp"

namespace iotsky::provisioning {
namespace {

bool wants_certificate(const Order& order) {
    return order.request.key != KeySource::none;
}

/// Class end + grace + 90 days; 397 days without a class or an end.
WallTime end_of_life(const Order& order, const RegistryOptions& options) {
    WallTime end = order.now + options.classless_life;
    if (order.class_record && order.class_record->ends_on) {
        const ClassRecord& in = *order.class_record;
        end = end_of(*in.ends_on) + std::chrono::days{in.grace_days} + options.after_class_life;
    }
    return std::min(end, certs::end_of_2049());
}

CertificateRecord reserved(const Order& order, CertificateIssuer& issuer,
                           const RegistryOptions& options) {
    CertificateRecord row;
    row.id = order.certificate_id;
    row.entry_id = order.entry_id.value_or(order.certificate_id);
    row.issuer = issuer.issuer_key_id();
    if (!order.dry_run) {
        row.serial = issuer.new_serial().hex();
    }
    row.origin = order.request.key == KeySource::csr ? CertificateOrigin::csr
                                                     : CertificateOrigin::server_key;
    row.key_type = order.request.key_type;
    row.not_after = end_of_life(order, options);
    row.service = order.service;
    row.renewed_from = order.renewed_from;
    row.created_us = order.created_us;
    return row;
}

/// "7b:otter:weather" or "service:grader", for the SAN of the certificate.
std::string name_uri(const Order& order) {
    if (order.service) {
        return "service:" + *order.service;
    }
    if (order.thing) {
        return order.thing->aws_name;
    }
    const ThingRequest& request = order.request;
    return order.class_record
               ? order.class_record->name + ":" + request.project + ":" + request.name
               : request.name;
}

std::string common_name(const Order& order) {
    std::string name = name_uri(order);
    std::replace(name.begin(), name.end(), ':', '/');
    return order.service ? *order.service : name;
}

Result<void> sign(Order& order, CertificateIssuer& issuer) {
    CertificateRecord& row = *order.certificate;
    CertificateOrder request;
    request.common_name = common_name(order);
    request.name_uri = name_uri(order);
    request.serial = certs::Serial::parse(row.serial).value_or(certs::Serial{});
    request.not_after = *row.not_after;
    request.key_type = row.key_type;
    request.csr = order.request.csr;
    IOTSKY_TRY(issued, issuer.issue(request, order.now));
    row.fingerprint = issued.fingerprint;
    row.pem = std::move(issued.pem);
    row.not_before = issued.not_before;
    row.not_after = issued.not_after;
    row.key_type = std::move(issued.key_type);
    order.private_key = std::move(issued.private_key);
    return {};
}

Result<void> check_order(Order& order, Reader& reader, const CertificateIssuer& issuer) {
    if (!order.class_record && !order.thing && !order.service && !order.dry_run) {
        // Run alone, or for a classless thing that create_thing has checked already.
        if (!order.request.class_name.empty()) {
            IOTSKY_CHECK(load_thing(order, reader));
        }
    }
    if (order.class_record && order.class_record->ends_on &&
        order.now >= end_of(*order.class_record->ends_on)) {
        return class_over(order.class_record->name, *order.class_record->ends_on);
    }
    if (order.request.key == KeySource::csr) {
        return issuer.check_csr(order.request.csr);
    }
    if (order.request.key_type != "p256" && order.request.key_type != "rsa2048") {
        return wrong_field("/key_type", "key_type is \"p256\" or \"rsa2048\".",
                           "p256 is the default and fits every current library.");
    }
    return {};
}

}  // namespace

Result<void> IssueCertificate::prepare(std::span<Order> orders) {
    auto looked = core_.store.read_void([&](Reader& reader) -> Result<void> {
        for (Order& order : orders) {
            if (wants_certificate(order)) {
                IOTSKY_CHECK(check_order(order, reader, core_.issuer));
            }
        }
        return {};
    });
    IOTSKY_CHECK(std::move(looked));
    bool any = false;
    for (Order& order : orders) {
        if (wants_certificate(order) && !order.dry_run) {
            order.certificate = reserved(order, core_.issuer, core_.options);
            any = true;
        }
    }
    if (!any) {
        return {};
    }
    // Known to the registry before it exists: no signature without a record.
    IOTSKY_CHECK(core_.store.transact_void(
        [&](Tx& tx) -> Result<void> {
            for (const Order& order : orders) {
                if (order.certificate && !order.dry_run) {
                    tx.insert(*order.certificate);
                }
            }
            return {};
        },
        Ending::commit));
    for (Order& order : orders) {
        if (order.certificate && !order.dry_run) {
            IOTSKY_CHECK(sign(order, core_.issuer));
        }
    }
    return {};
}

Result<void> IssueCertificate::run(Order& order) {
    if (!wants_certificate(order)) {
        return {};
    }
    const auto stored = order.tx->certificate_by_id(order.certificate_id);
    if (order.dry_run) {
        IOTSKY_CHECK(load_thing(order, *order.tx));
        order.certificate = reserved(order, core_.issuer, core_.options);
        if (!stored) {
            order.tx->insert(*order.certificate);
        }
    } else {
        if (!stored) {
            // Swept meanwhile: the machine slept for longer than a reservation lives.
            return make_error(Errc::unavailable, "E5242", "The reserved certificate is gone.",
                              "Making it took longer than a reservation lives.", "Try again.");
        }
        if (stored->status == CertificateStatus::pending) {
            order.certificate->status = CertificateStatus::active;
            order.tx->update(*order.certificate);
        }
    }
    order.affected.certificates.push_back(order.certificate_id);
    add_event(order, "certificate.issued");
    return {};
}

void IssueCertificate::undo(Order& order) noexcept {
    if (order.certificate && !order.dry_run) {
        const auto done = core_.store.transact_void(
            [&](Tx& tx) -> Result<void> {
                const auto row = tx.certificate_by_id(order.certificate_id);
                if (row && row->status == CertificateStatus::pending) {
                    tx.erase_certificate(row->id);
                }
                return {};
            },
            Ending::commit);
        if (!done) {  // The sweep takes it away later; it has no rights.
            log::warn(done.error().number, "reserved serial left behind");
        }
    }
    order.certificate.reset();
    order.private_key.reset();
    order.affected.certificates.clear();
    order.events.clear();
    order.events_stored = 0;
}

}  // namespace iotsky::provisioning
