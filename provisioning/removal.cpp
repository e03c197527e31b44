#include "provisioning/removal.hpp"

#include <boost/json.hpp>

#include "provisioning/names.hpp"
#include "provisioning/order_json.hpp"

namespace iotsky::provisioning {

bool revoke_certificate(Change& change, CertificateRecord row, std::string_view reason) {
    change.affected.certificates.push_back(row.id);
    if (row.status == CertificateStatus::revoked) {
        return false;
    }
    row.status = CertificateStatus::revoked;
    row.revoked_at = change.now;
    row.revoke_reason = std::string{reason};
    change.tx.update(row);
    change.revoked = true;
    const boost::json::object body{{"kind", "certificate.revoked"},
                                   {"reason", reason},
                                   {"certificate", certificate_json(row)}};
    const std::string text = boost::json::serialize(body);
    change.event("certificate.revoked", text);
    change.audit("certificate.revoke", row.serial, text);
    return true;
}

std::size_t remove_thing(Change& change, const ThingRecord& thing) {
    std::size_t revoked = 0;
    for (const Id& id : change.tx.certificates_of_thing(thing.id)) {
        if (auto row = change.tx.certificate_by_id(id)) {
            if (revoke_certificate(change, *std::move(row), "thing deleted")) {
                ++revoked;
            }
        }
    }
    change.tx.detach_all_policies({TargetKind::thing, thing.id});
    change.tx.erase_thing(thing.id);
    boost::json::object body{{"kind", "thing.deleted"}, {"thing", thing_json(thing)}};
    const std::string text = boost::json::serialize(body);
    change.event("thing.deleted", text);
    change.audit("thing.delete", thing.path(), text);
    return revoked;
}

Removed remove_project(Change& change, const ProjectRecord& project) {
    Removed removed;
    ThingFilter filter;
    filter.project_id = project.id;
    for (const ThingRecord& thing :
         change.tx.things(filter, {{}, change.tx.count_things(project.id)})) {
        removed.certificates_revoked += remove_thing(change, thing);
        ++removed.things;
    }
    change.tx.detach_all_policies({TargetKind::project, project.id});
    change.tx.erase_tokens_of_project(project.id);
    change.affected.tokens = true;
    change.tx.erase_project(project.id);
    return removed;
}

Removed& operator+=(Removed& sum, const Removed& part) noexcept {
    sum.things += part.things;
    sum.certificates_revoked += part.certificates_revoked;
    return sum;
}

}  // namespace iotsky::provisioning
