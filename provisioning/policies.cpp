#include "provisioning/policies.hpp"

#include <boost/json.hpp>

#include <algorithm>

#include "acl/policy.hpp"
#include "provisioning/lookup.hpp"
#include "provisioning/names.hpp"
#include "provisioning/rights.hpp"

namespace iotsky::provisioning {
namespace {

constexpr std::size_t kVersionsMax = 5;  // as AWS IoT has it
constexpr std::size_t kNameMax = 128;

/// AWS IoT's policy names: 1-128 of [A-Za-z0-9_+=,.@-].
Result<void> check_policy_name(std::string_view name) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view{"_+=,.@-"}.find(c) != std::string_view::npos;
    };
    if (!name.empty() && name.size() <= kNameMax && std::all_of(name.begin(), name.end(), fits)) {
        return {};
    }
    return wrong_field("/name", "This is not a name for a policy.",
                       "Use 1 to 128 of A-Z a-z 0-9 _ + = , . @ -");
}

void tell(Change& change, std::string_view kind, std::string_view action, const std::string& policy,
          boost::json::object detail) {
    detail["kind"] = kind;
    detail["policy"] = policy;
    const std::string text = boost::json::serialize(detail);
    change.event(kind, text);
    change.audit(action, policy, text);
}

PolicyRecord insert_policy(Change& change, Core& core, const std::string& name,
                           std::string_view document) {
    PolicyRecord record{Id::random(core.random), name, 1, 1, change.now, 1};
    change.tx.insert(record);
    change.tx.insert(PolicyVersionRecord{record.id, 1, std::string{document}, change.now});
    tell(change, "policy.created", "policy.create", name, {});
    return record;
}

Result<PolicyVersionRecord> insert_version(Change& change, PolicyRecord& record,
                                           std::string_view document, bool set_default) {
    if (change.tx.policy_versions(record.id).size() >= kVersionsMax) {
        return make_error(
            Errc::limit_exceeded, "E3125", "Policy " + record.name + " has five versions already.",
            "More are not kept.",
            "Delete an old one: DELETE /api/v1/policies/" + record.name + "/versions/N");
    }
    PolicyVersionRecord version{record.id, record.last_version + 1, std::string{document},
                                change.now};
    change.tx.insert(version);
    record.last_version = version.version;
    if (set_default) {
        record.default_version = version.version;
        change.affected.policies.push_back(record.id);
    }
    change.tx.update(record);
    tell(change, "policy.changed", "policy.version", record.name,
         {{"version", version.version}, {"default", set_default}});
    return version;
}

Error no_version(const PolicyRecord& policy, std::int64_t version) {
    return make_error(Errc::not_found, "E3124",
                      "Policy " + policy.name + " has no version " + std::to_string(version) + ".",
                      "Version numbers are never used twice.",
                      "See them: iotsky policy show " + policy.name);
}

Result<Target> target_for(Reader& reader, const TargetName& name) {
    if (name.kind == TargetKind::certificate) {
        IOTSKY_TRY(row, find_certificate(reader, name.name));
        return Target{name.kind, row.id};
    }
    if (name.kind == TargetKind::thing) {
        IOTSKY_TRY(row, find_thing(reader, name.name));
        return Target{name.kind, row.id};
    }
    if (name.kind == TargetKind::class_) {
        IOTSKY_TRY(row, find_class(reader, name.name));
        return Target{name.kind, row.id};
    }
    const std::size_t slash = name.name.find('/');
    if (name.kind != TargetKind::project || slash == std::string::npos) {
        return wrong_field("/target", "This is nothing that a policy can be attached to.",
                           "Name a thing, a certificate, CLASS/PROJECT or a class.");
    }
    IOTSKY_TRY(in, find_class(reader, name.name.substr(0, slash)));
    IOTSKY_TRY(row, find_project(reader, in, name.name.substr(slash + 1)));
    return Target{name.kind, row.id};
}

std::optional<TargetName> name_of(Reader& reader, const Target& target) {
    switch (target.kind) {
        case TargetKind::certificate:
            if (const auto row = reader.certificate_by_id(target.id)) {
                return TargetName{target.kind, row->serial};
            }
            break;
        case TargetKind::thing:
            if (const auto row = reader.thing_by_id(target.id)) {
                return TargetName{target.kind, row->path()};
            }
            break;
        case TargetKind::project:
            if (const auto row = reader.project_by_id(target.id)) {
                const auto in = reader.class_by_id(row->class_id);
                return TargetName{target.kind, (in ? in->name : "") + "/" + row->name};
            }
            break;
        case TargetKind::class_:
            if (const auto row = reader.class_by_id(target.id)) {
                return TargetName{target.kind, row->name};
            }
            break;
        case TargetKind::group:
        case TargetKind::user:
            break;
    }
    return std::nullopt;
}

/// The certificates whose rights an attachment to `target` changes.
void affect(Change& change, const Target& target) {
    switch (target.kind) {
        case TargetKind::certificate:
            change.affected.certificates.push_back(target.id);
            return;
        case TargetKind::thing:
            change.affected.things.push_back(target.id);
            return;
        case TargetKind::class_:
            change.affected.classes.push_back(target.id);
            return;
        case TargetKind::project: {
            ThingFilter filter;
            filter.project_id = target.id;
            for (const ThingRecord& thing :
                 change.tx.things(filter, {{}, change.tx.count_things(target.id)})) {
                change.affected.things.push_back(thing.id);
            }
            return;
        }
        case TargetKind::group:
        case TargetKind::user:
            return;
    }
}

}  // namespace

Result<void> store_document(Core& core, const Caller& caller, const std::string& name,
                            std::string_view document) {
    IOTSKY_CHECK(check_policy_name(name));
    IOTSKY_CHECK(acl::parse_policy(document));
    IOTSKY_TRY(done, core.change(caller, [&](Change& change) -> Result<bool> {
        auto record = change.tx.policy_by_name(name);
        if (!record) {
            insert_policy(change, core, name, document);
            return true;
        }
        const auto current = change.tx.policy_version(record->id, record->default_version);
        if (!current || current->document != document) {
            IOTSKY_CHECK(insert_version(change, *record, document, true));
        }
        return true;
    }));
    static_cast<void>(done);
    return {};
}

Result<PolicyRecord> Policies::create(const Caller& caller, const std::string& name,
                                      std::string_view document) {
    IOTSKY_CHECK(check(caller, Operation::policy_change, {}));
    IOTSKY_CHECK(check_policy_name(name));
    IOTSKY_CHECK(acl::parse_policy(document));
    IOTSKY_TRY(done, core_.change(caller, [&](Change& change) -> Result<PolicyRecord> {
        if (change.tx.policy_by_name(name)) {
            return make_error(
                Errc::already_exists, "E3123", "There is a policy " + name + " already.",
                "Names of policies are unique.",
                "Store a new version of it: iotsky policy set " + name + " policy.json");
        }
        return insert_policy(change, core_, name, document);
    }));
    return std::move(done.value);
}

Result<Listing<PolicyRecord>> Policies::list(const Caller& caller, const PageRequest& request) {
    IOTSKY_CHECK(check(caller, Operation::policy_read, {}));
    IOTSKY_TRY(page, to_page(request));
    return core_.store.read([&](Reader& reader) -> Result<Listing<PolicyRecord>> {
        return to_listing(reader.policies(page), request.limit,
                          [](const PolicyRecord& row) { return row.name; });
    });
}

Result<PolicyDetails> Policies::show(const Caller& caller, std::string_view policy) {
    IOTSKY_CHECK(check(caller, Operation::policy_read, {}));
    return core_.store.read([&](Reader& reader) -> Result<PolicyDetails> {
        PolicyDetails shown;
        IOTSKY_TRY(record, find_policy(reader, policy));
        for (PolicyVersionRecord& version : reader.policy_versions(record.id)) {
            shown.versions.push_back(version.version);
            if (version.version == record.default_version) {
                shown.document = std::move(version.document);
            }
        }
        for (const Target& target : reader.targets_of_policy(record.id)) {
            if (auto name = name_of(reader, target)) {
                shown.targets.push_back(*std::move(name));
            }
        }
        shown.record = std::move(record);
        return shown;
    });
}

Result<std::vector<PolicyVersionRecord>> Policies::versions(const Caller& caller,
                                                            std::string_view policy) {
    IOTSKY_CHECK(check(caller, Operation::policy_read, {}));
    return core_.store.read([&](Reader& reader) -> Result<std::vector<PolicyVersionRecord>> {
        IOTSKY_TRY(record, find_policy(reader, policy));
        return reader.policy_versions(record.id);
    });
}

Result<PolicyVersionRecord> Policies::version(const Caller& caller, std::string_view policy,
                                              std::int64_t version) {
    IOTSKY_CHECK(check(caller, Operation::policy_read, {}));
    return core_.store.read([&](Reader& reader) -> Result<PolicyVersionRecord> {
        IOTSKY_TRY(record, find_policy(reader, policy));
        auto row = reader.policy_version(record.id, version);
        if (!row) {
            return no_version(record, version);
        }
        return *std::move(row);
    });
}

Result<Changed<PolicyVersionRecord>> Policies::add_version(const Caller& caller,
                                                           std::string_view policy,
                                                           std::string_view document,
                                                           bool set_default) {
    IOTSKY_CHECK(check(caller, Operation::policy_change, {}));
    IOTSKY_CHECK(acl::parse_policy(document));
    return core_.change(caller, [&](Change& change) -> Result<PolicyVersionRecord> {
        IOTSKY_TRY(record, find_policy(change.tx, policy));
        return insert_version(change, record, document, set_default);
    });
}

Result<Changed<PolicyRecord>> Policies::set_default(const Caller& caller, std::string_view policy,
                                                    std::int64_t version) {
    IOTSKY_CHECK(check(caller, Operation::policy_change, {}));
    return core_.change(caller, [&](Change& change) -> Result<PolicyRecord> {
        IOTSKY_TRY(record, find_policy(change.tx, policy));
        if (!change.tx.policy_version(record.id, version)) {
            return no_version(record, version);
        }
        record.default_version = version;
        change.tx.update(record);
        change.affected.policies.push_back(record.id);
        tell(change, "policy.changed", "policy.default", record.name, {{"version", version}});
        ++record.rev;
        return record;
    });
}

Result<void> Policies::remove_version(const Caller& caller, std::string_view policy,
                                      std::int64_t version) {
    IOTSKY_CHECK(check(caller, Operation::policy_change, {}));
    IOTSKY_TRY(done, core_.change(caller, [&](Change& change) -> Result<bool> {
        IOTSKY_TRY(record, find_policy(change.tx, policy));
        if (!change.tx.policy_version(record.id, version)) {
            return no_version(record, version);
        }
        if (record.default_version == version) {
            return make_error(Errc::conflict, "E3126",
                              "Version " + std::to_string(version) + " is the default.",
                              "The default version decides; it cannot go.",
                              "Make another one the default first.");
        }
        change.tx.erase_policy_version(record.id, version);
        tell(change, "policy.changed", "policy.version_delete", record.name,
             {{"version", version}});
        return true;
    }));
    static_cast<void>(done);
    return {};
}

Result<void> Policies::remove(const Caller& caller, std::string_view policy,
                              std::optional<Rev> if_rev) {
    IOTSKY_CHECK(check(caller, Operation::policy_change, {}));
    IOTSKY_TRY(done, core_.change(caller, [&](Change& change) -> Result<bool> {
        IOTSKY_TRY(record, find_policy(change.tx, policy));
        IOTSKY_CHECK(check_rev(if_rev, record.rev, "Policy " + record.name));
        const auto targets = change.tx.targets_of_policy(record.id);
        if (!targets.empty()) {
            return make_error(Errc::conflict, "E3127",
                              "Policy " + record.name + " is attached to " +
                                  std::to_string(targets.size()) + " targets.",
                              "Deleting it would change their rights unseen.",
                              "Detach it first: iotsky policy detach " + record.name);
        }
        change.tx.erase_policy(record.id);
        tell(change, "policy.deleted", "policy.delete", record.name, {});
        return true;
    }));
    static_cast<void>(done);
    return {};
}

Result<Changed<TargetName>> Policies::attach(const Caller& caller, std::string_view policy,
                                             const TargetName& name) {
    IOTSKY_CHECK(check(caller, Operation::policy_change, {}));
    return core_.change(caller, [&](Change& change) -> Result<TargetName> {
        IOTSKY_TRY(record, find_policy(change.tx, policy));
        IOTSKY_TRY(target, target_for(change.tx, name));
        change.tx.attach_policy(record.id, target, change.now);
        affect(change, target);
        const TargetName shown = name_of(change.tx, target).value_or(name);
        tell(change, "policy.attached", "policy.attach", record.name,
             {{"target", shown.name}, {"target_kind", to_string(shown.kind)}});
        return shown;
    });
}

Result<Changed<TargetName>> Policies::detach(const Caller& caller, std::string_view policy,
                                             const TargetName& name) {
    IOTSKY_CHECK(check(caller, Operation::policy_change, {}));
    return core_.change(caller, [&](Change& change) -> Result<TargetName> {
        IOTSKY_TRY(record, find_policy(change.tx, policy));
        IOTSKY_TRY(target, target_for(change.tx, name));
        change.tx.detach_policy(record.id, target);
        affect(change, target);
        const TargetName shown = name_of(change.tx, target).value_or(name);
        tell(change, "policy.detached", "policy.detach", record.name,
             {{"target", shown.name}, {"target_kind", to_string(shown.kind)}});
        return shown;
    });
}

}  // namespace iotsky::provisioning
