#include "provisioning/classes.hpp"

#include <boost/json.hpp>

#include <array>

#include "provisioning/lookup.hpp"
#include "provisioning/names.hpp"
#include "provisioning/removal.hpp"
#include "provisioning/rights.hpp"

namespace iotsky::provisioning {
namespace {

constexpr std::int64_t kGraceDaysMax = 3650;
/// Read at once when a class goes; a class has at most so many projects or students.
constexpr std::size_t kMembersMax = 100'000;

/// One numeric limit: its name in JSON, its range, where it lies.
struct LimitField {
    std::string_view name;
    std::int64_t most;
    std::int64_t ClassLimits::*stored;
    std::optional<std::int64_t> SettingsChange::*wanted;
};

constexpr std::array<LimitField, 6> kLimits{{
    {"things_per_project_max", 1'000'000, &ClassLimits::things_per_project_max,
     &SettingsChange::things_per_project_max},
    {"messages_per_second", 1'000'000, &ClassLimits::messages_per_second,
     &SettingsChange::messages_per_second},
    {"burst", 1'000'000, &ClassLimits::burst, &SettingsChange::burst},
    {"payload_bytes_max", 268'435'455, &ClassLimits::payload_bytes_max,
     &SettingsChange::payload_bytes_max},
    {"retained_per_thing_max", 1'000'000, &ClassLimits::retained_per_thing_max,
     &SettingsChange::retained_per_thing_max},
    {"queue_bytes_per_session_max", std::int64_t{1} << 40,
     &ClassLimits::queue_bytes_per_session_max, &SettingsChange::queue_bytes_per_session_max},
}};

Result<void> apply(const SettingsChange& wanted, ClassSettings& settings) {
    for (const LimitField& field : kLimits) {
        const auto value = wanted.*field.wanted;
        if (value && (*value < 1 || *value > field.most)) {
            return wrong_field("/limits/" + std::string{field.name},
                               std::string{field.name} + " is out of range.",
                               "Give a number from 1 to " + std::to_string(field.most) + ".");
        }
        if (value) {
            settings.limits.*field.stored = *value;
        }
    }
    settings.strict_isolation = wanted.strict_isolation.value_or(settings.strict_isolation);
    settings.on_denied_publish = wanted.on_denied_publish.value_or(settings.on_denied_publish);
    return {};
}

Result<void> check_grace(std::int64_t days) {
    if (days < 0 || days > kGraceDaysMax) {
        return wrong_field("/grace_days", "grace_days is out of range.",
                           "Give a number from 0 to 3650.");
    }
    return {};
}

Error ends_too_early(Date date, std::string_view than) {
    return make_error(Errc::invalid_argument, "E2109",
                      "The class cannot end on " + format_date(date) + ".",
                      "That is not later than " + std::string{than} + ".", "Give a later day.");
}

boost::json::object class_json(const ClassRecord& record) {
    return {{"id", record.id.format(kClassPrefix)},
            {"name", record.name},
            {"ends_on", record.ends_on ? boost::json::value(format_date(*record.ends_on))
                                       : boost::json::value(nullptr)},
            {"grace_days", record.grace_days},
            {"strict_isolation", record.settings.strict_isolation},
            {"on_denied_publish", to_string(record.settings.on_denied_publish)}};
}

void tell(Change& change, std::string_view kind, std::string_view action,
          const ClassRecord& record) {
    boost::json::object body{{"kind", kind}, {"class", class_json(record)}};
    const std::string text = boost::json::serialize(body);
    change.event(kind, text);
    change.audit(action, record.name, text);
}

Result<ClassRecord> class_for(Reader& reader, const Caller& caller, Operation operation,
                              std::string_view name) {
    IOTSKY_TRY(record, find_class(reader, name));
    IOTSKY_CHECK(check(caller, operation, {record.id, std::nullopt}));
    return record;
}

/// The row as it is after an update.
Result<ClassRecord> saved(Change& change, const ClassRecord& record) {
    change.tx.update(record);
    change.affected.classes.push_back(record.id);
    tell(change, "class.changed", "class.set", record);
    return change.tx.class_by_id(record.id).value_or(record);
}

std::size_t count_too_short(Reader& reader, const ClassRecord& record) {
    if (!record.ends_on) {
        return 0;
    }
    CertificateFilter filter;
    filter.class_id = record.id;
    filter.status = CertificateStatus::active;
    filter.ends_before = end_of(*record.ends_on);
    return reader.certificates(filter, {{}, kMembersMax}).size();
}

Result<GroupDeleted> remove_class(Change& change, const ClassRecord& record, bool cascade) {
    const auto projects = change.tx.projects(record.id, {{}, kMembersMax});
    const auto students = change.tx.students(record.id, {{}, kMembersMax});
    if (!cascade && (!projects.empty() || !students.empty())) {
        return make_error(
            Errc::conflict, "E2116", "Class " + record.name + " is not empty.",
            "It has " + std::to_string(students.size()) + " students and " +
                std::to_string(projects.size()) + " projects.",
            "Delete it with all of them: iotsky class delete " + record.name + " --cascade");
    }
    Removed removed;
    for (const ProjectRecord& project : projects) {
        removed += remove_project(change, project);
    }
    for (const StudentRecord& student : students) {
        change.tx.erase_student(student.id);
    }
    change.tx.detach_all_policies({TargetKind::class_, record.id});
    change.tx.erase_tokens_of_class(record.id);
    change.affected.tokens = true;
    change.tx.erase_class(record.id);
    tell(change, "class.deleted", "class.delete", record);
    return GroupDeleted{record.name, removed.things, removed.certificates_revoked};
}

}  // namespace

ClassState state_of(const ClassRecord& record, WallTime now) noexcept {
    if (!record.ends_on || now < end_of(*record.ends_on)) {
        return ClassState::open;
    }
    const WallTime grace_end = end_of(*record.ends_on) + std::chrono::days{record.grace_days};
    return now < grace_end ? ClassState::grace : ClassState::ended;
}

std::string_view to_string(ClassState state) noexcept {
    switch (state) {
        case ClassState::open:
            return "open";
        case ClassState::grace:
            return "grace";
        case ClassState::ended:
            return "ended";
    }
    return "ended";
}

Result<ClassRecord> Classes::create(const Caller& caller, const ClassRequest& request) {
    IOTSKY_CHECK(check(caller, Operation::class_create, {}));
    IOTSKY_CHECK(check_name(request.name, "class"));
    ClassRecord record;
    record.id = Id::random(core_.random);
    record.name = request.name;
    record.ends_on = request.ends_on;
    record.grace_days = request.grace_days.value_or(record.grace_days);
    record.settings = core_.class_defaults();
    record.created_at = core_.now();
    IOTSKY_CHECK(check_grace(record.grace_days));
    IOTSKY_CHECK(apply(request.settings, record.settings));
    if (record.ends_on && core_.now() >= end_of(*record.ends_on)) {
        return ends_too_early(*record.ends_on, "yesterday");
    }
    IOTSKY_TRY(done, core_.change(caller, [&](Change& change) -> Result<ClassRecord> {
        if (change.tx.class_by_name(record.name)) {
            return make_error(Errc::already_exists, "E2108",
                              "There is a class " + record.name + " already.",
                              "Names of classes are unique.",
                              "Choose another name, or change it: iotsky class set " + record.name);
        }
        change.tx.insert(record);
        tell(change, "class.created", "class.create", record);
        return record;
    }));
    return std::move(done.value);
}

Result<Listing<ClassRecord>> Classes::list(const Caller& caller, const PageRequest& request) {
    IOTSKY_TRY(page, to_page(request));
    if (caller.role != Role::admin) {
        IOTSKY_CHECK(check(caller, Operation::class_read, {caller.class_id, std::nullopt}));
    }
    return core_.store.read([&](Reader& reader) -> Result<Listing<ClassRecord>> {
        if (caller.role != Role::admin) {
            Listing<ClassRecord> own;
            if (auto record = reader.class_by_id(caller.class_id.value_or(Id{}))) {
                own.items.push_back(*std::move(record));
            }
            return own;
        }
        return to_listing(reader.classes(page), request.limit,
                          [](const ClassRecord& record) { return record.name; });
    });
}

Result<ClassRecord> Classes::show(const Caller& caller, std::string_view name) {
    return core_.store.read(
        [&](Reader& reader) { return class_for(reader, caller, Operation::class_read, name); });
}

Result<Changed<ClassRecord>> Classes::set(const Caller& caller, std::string_view name,
                                          const ClassChange& wanted, std::optional<Rev> if_rev) {
    return core_.change(caller, [&](Change& change) -> Result<ClassRecord> {
        IOTSKY_TRY(record, class_for(change.tx, caller, Operation::class_change, name));
        IOTSKY_CHECK(check_rev(if_rev, record.rev, "Class " + record.name));
        record.ends_on = wanted.ends_on.value_or(record.ends_on);
        record.grace_days = wanted.grace_days.value_or(record.grace_days);
        IOTSKY_CHECK(check_grace(record.grace_days));
        IOTSKY_CHECK(apply(wanted.settings, record.settings));
        return saved(change, record);
    });
}

Result<Changed<Extended>> Classes::extend(const Caller& caller, std::string_view name, Date until) {
    return core_.change(caller, [&](Change& change) -> Result<Extended> {
        IOTSKY_TRY(record, class_for(change.tx, caller, Operation::class_change, name));
        if (record.ends_on && until <= *record.ends_on) {
            return ends_too_early(until, "the end now, " + format_date(*record.ends_on));
        }
        if (change.now >= end_of(until)) {
            return ends_too_early(until, "yesterday");
        }
        record.ends_on = until;
        IOTSKY_TRY(stored, saved(change, record));
        const std::size_t too_short = count_too_short(change.tx, stored);
        return Extended{std::move(stored), too_short};
    });
}

Result<Changed<GroupDeleted>> Classes::remove(const Caller& caller, std::string_view name,
                                              bool cascade, bool dry_run,
                                              std::optional<Rev> if_rev) {
    return core_.change(
        caller,
        [&](Change& change) -> Result<GroupDeleted> {
            IOTSKY_TRY(record, class_for(change.tx, caller, Operation::class_delete, name));
            IOTSKY_CHECK(check_rev(if_rev, record.rev, "Class " + record.name));
            return remove_class(change, record, cascade);
        },
        dry_run ? Ending::roll_back : Ending::commit);
}

}  // namespace iotsky::provisioning
