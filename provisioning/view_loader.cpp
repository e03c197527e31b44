#include "provisioning/view_loader.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/text.hpp"
#include "provisioning/names.hpp"

namespace iotsky::provisioning {
namespace {

ThingView thing_view(ThingRecord&& row) {
    ThingView view;
    view.id = row.id;
    view.id_text = row.id.format(kThingPrefix);
    view.path = row.path();
    if (row.class_id) {
        view.project = std::string{split(row.aws_name, ':')[1]};
    }
    view.aws_name = std::move(row.aws_name);
    view.name = std::move(row.name);
    view.type = std::move(row.type);
    view.attributes = std::move(row.attributes);
    return view;
}

std::string name_of(const CertificateView& view) {
    if (view.thing) {
        return view.thing->path;
    }
    return view.service.empty() ? "certificate " + view.serial : "service " + view.service;
}

WallTime end_of_rights(const CertificateView& view) {
    if (view.class_view && view.class_view->ends_on) {
        return std::min(view.not_after, end_of(*view.class_view->ends_on));
    }
    return view.not_after;
}

std::optional<acl::ClassRights> class_rights(const CertificateView& view) {
    if (!view.thing || !view.class_view) {
        return std::nullopt;
    }
    return acl::ClassRights{view.class_view->name, view.thing->project, view.thing->name,
                            view.class_view->settings.strict_isolation};
}

}  // namespace

Error class_over(const std::string& class_name, Date ended_on) {
    return make_error(Errc::permission_denied, "E2102",
                      "Class " + class_name + " ended on " + format_date(ended_on) + ".",
                      "Its certificates are no longer accepted.",
                      "Extend: iotsky class extend " + class_name +
                          " --until DATE (no device must be flashed again)");
}

std::shared_ptr<const acl::RuleSet> compile_rules(const CertificateView& view) {
    if (view.policies_unreadable) {
        return nullptr;
    }
    std::optional<acl::Reserved> reserved;
    if (view.thing) {
        reserved = acl::Reserved{view.thing->id_text};
    }
    auto rules = view.service.empty() || view.thing
                     ? acl::compile(view.policies, class_rights(view), reserved)
                     : acl::compile_service(view.service, view.policies);
    if (!rules) {
        log::warn(rules.error().number, "rights do not compile, everything is refused",
                  {{"thing", view.name}, {"reason", rules.error().message}});
        return nullptr;
    }
    return *std::move(rules);
}

void ViewLoader::begin() {
    ++version_;
    classes_.clear();
    records_.clear();
}

std::shared_ptr<const ClassView> ViewLoader::class_view(Reader& reader, const Id& id) {
    auto& slot = classes_[id];
    if (!slot) {
        if (auto row = reader.class_by_id(id)) {
            slot = std::make_shared<const ClassView>(
                ClassView{row->id, std::move(row->name), row->ends_on, row->settings});
        }
    }
    return slot;
}

const ViewLoader::CachedPolicy* ViewLoader::policy(Reader& reader, const Id& id) {
    auto record = records_.find(id);
    if (record == records_.end()) {
        auto row = reader.policy_by_id(id);
        if (!row) {
            return nullptr;
        }
        record = records_.emplace(id, std::move(*row)).first;
    }
    CachedPolicy& cached = parsed_[id];
    const std::int64_t version = record->second.default_version;
    if (cached.version == version) {
        return &cached;
    }
    cached = {version, std::nullopt};
    if (const auto row = reader.policy_version(id, version)) {
        auto parsed = acl::parse_policy(row->document);
        if (parsed) {
            cached.policy =
                acl::NamedPolicy{record->second.name, std::to_string(version),
                                 std::make_shared<const acl::Policy>(*std::move(parsed))};
        }
    }
    return &cached;
}

void ViewLoader::add_policy(Reader& reader, const Id& id, CertificateView& view) {
    const CachedPolicy* found = policy(reader, id);
    if (found == nullptr || !found->policy) {
        view.policies_unreadable = true;
        return;
    }
    view.policies.push_back(*found->policy);
}

std::shared_ptr<const CertificateView> ViewLoader::view_of(Reader& reader,
                                                           CertificateFacts&& facts) {
    auto view = std::make_shared<CertificateView>();
    CertificateRecord& certificate = facts.certificate;
    view->version = version_;
    view->certificate_id = certificate.id;
    view->fingerprint = certificate.fingerprint.value_or(certs::Fingerprint{});
    view->serial = std::move(certificate.serial);
    view->status = certificate.status;
    view->not_after = certificate.not_after.value_or(WallTime{});
    view->service = certificate.service.value_or("");
    if (facts.thing) {
        if (facts.thing->class_id) {
            view->class_view = class_view(reader, *facts.thing->class_id);
        }
        view->thing = thing_view(std::move(*facts.thing));
    }
    view->scope = view->thing ? view->thing->id_text : certificate.entry_id.format(kEntryPrefix);
    view->name = name_of(*view);
    view->valid_until = end_of_rights(*view);
    view->policy_ids = std::move(facts.policies);
    for (const Id& id : view->policy_ids) {
        add_policy(reader, id, *view);
    }
    return view;
}

std::shared_ptr<const TokenTable> ViewLoader::tokens(Reader& reader) {
    return TokenTable::read(
        reader, [&](const Id& id) { return class_view(reader, id); }, version_);
}

std::shared_ptr<const TokenTable> ViewLoader::denied(const TokenTable& tokens,
                                                     const Affected& affected) const {
    return tokens.denied(affected, version_);
}

std::shared_ptr<CertificateView> ViewLoader::denied(const CertificateView& entry) {
    auto view = std::make_shared<CertificateView>();
    view->version = version_;
    view->certificate_id = entry.certificate_id;
    view->fingerprint = entry.fingerprint;
    view->serial = entry.serial;
    view->status = entry.status == CertificateStatus::revoked ? CertificateStatus::revoked
                                                              : CertificateStatus::suspended;
    view->not_after = entry.not_after;
    view->valid_until = entry.valid_until;
    view->scope = entry.scope;
    view->name = entry.name;
    view->thing = entry.thing;
    view->class_view = entry.class_view;
    view->service = entry.service;
    view->policy_ids = entry.policy_ids;
    view->policies_unreadable = true;
    return view;
}

}  // namespace iotsky::provisioning
