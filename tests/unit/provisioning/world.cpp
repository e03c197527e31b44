#include "tests/unit/provisioning/world.hpp"

#include <algorithm>

#include "provisioning/names.hpp"

namespace iotsky::provisioning::test {
namespace {

std::string joined(std::vector<std::string> lines) {
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const std::string& line : lines) {
        text += line + "\n";
    }
    return text;
}

}  // namespace

Result<void> FakeIssuer::check_csr(std::string_view csr) const {
    if (csr.find("REQUEST") == std::string_view::npos) {
        return make_error(Errc::invalid_argument, "E5221", "not a request", "", "");
    }
    return {};
}

Result<IssuedCertificate> FakeIssuer::issue(const CertificateOrder& order, WallTime now) {
    if (broken) {
        return make_error(Errc::internal, "E5214", "cannot sign", "", "");
    }
    if (while_signing) {
        while_signing();
    }
    ++issued;
    IssuedCertificate made;
    made.pem = "certificate " + order.name_uri + " " + order.serial.hex();
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(made.pem.data());
    made.fingerprint = certs::Fingerprint::of(std::span{bytes, made.pem.size()});
    made.not_before = now;
    made.not_after = order.not_after;
    made.key_type = order.key_type;
    if (order.csr.empty()) {
        made.private_key = SecretString{"key of " + order.serial.hex()};
    }
    return made;
}

void NotedListener::on_rights_changed(std::vector<std::string> changed, bool revoked,
                                      std::function<void()> done) {
    std::sort(changed.begin(), changed.end());
    calls.push_back({std::move(changed), revoked});
    if (acknowledges) {
        done();
    }
}

World::World() : store(storage::RegistryStore::open(database.path()).value()) {
    registry = std::make_unique<Registry>(*store, issuer, clock, random);
    registry->set_rights_listener(&listener);
    registry->start().value();
    ClassRequest request;
    request.name = "7b";
    request.ends_on = parse_date("2027-02-05");
    registry->classes.create(admin, request).value();
}

ThingRequest World::request(const std::string& project, const std::string& name) {
    ThingRequest wanted;
    wanted.class_name = "7b";
    wanted.project = project;
    wanted.name = name;
    return wanted;
}

Provisioned World::thing(const std::string& project, const std::string& name) {
    return registry->things.create(admin, request(project, name)).value();
}

Caller World::teacher(const std::string& class_name) {
    return {Role::teacher, "teacher", registry->classes.show(admin, class_name).value().id, {}};
}

Caller World::student(const std::string& project) {
    const auto shown = registry->projects.show(admin, "7b", project).value();
    return {Role::student, "student", shown.record.class_id, shown.record.id};
}

std::shared_ptr<const CertificateView> World::view(const Provisioned& made) const {
    return registry->view().find(made.certificate.value().fingerprint.value());
}

std::size_t World::events(const std::string& kind) {
    const auto all = registry->events.after(admin, 0, 1000).value();
    return static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [&](const Event& event) { return event.kind == kind; }));
}

std::string World::dump() {
    std::vector<std::string> lines;
    store
        ->read_void([&](Reader& reader) -> Result<void> {
            for (const ClassRecord& in : reader.classes({{}, 1000})) {
                lines.push_back("class " + in.name + " " + std::to_string(in.rev));
                for (const StudentRecord& student : reader.students(in.id, {{}, 1000})) {
                    lines.push_back("student " + in.name + "/" + student.pseudonym);
                }
                for (const ProjectRecord& project : reader.projects(in.id, {{}, 1000})) {
                    lines.push_back("project " + in.name + "/" + project.name);
                }
            }
            for (const ThingRecord& thing : reader.things({}, {{}, 1000})) {
                lines.push_back("thing " + thing.aws_name + " " + std::to_string(thing.rev));
            }
            for (const CertificateRecord& row : reader.certificates({}, {{}, 1000})) {
                lines.push_back("certificate " + row.serial + " " +
                                std::string{to_string(row.status)} + " things " +
                                std::to_string(reader.things_of_certificate(row.id).size()));
            }
            for (const Id& id : reader.pending_certificates(WallTime::max())) {
                lines.push_back("pending " + id.format("ce"));
            }
            for (const PolicyRecord& policy : reader.policies({{}, 1000})) {
                lines.push_back("policy " + policy.name + " attached " +
                                std::to_string(reader.targets_of_policy(policy.id).size()));
            }
            lines.push_back("events " + std::to_string(reader.events_after(0, 100000).size()));
            lines.push_back("audit " + std::to_string(reader.audit_after(0, 100000).size()));
            return {};
        })
        .value();
    return joined(std::move(lines));
}

std::string describe(const RegistryView& view) {
    std::vector<std::string> lines;
    view.for_each([&](const CertificateView& entry) {
        std::string line = entry.serial + " " + std::string{to_string(entry.status)} + " " +
                           entry.scope + " " + entry.name + " until " +
                           format_utc(entry.valid_until) + " service=" + entry.service;
        if (entry.thing) {
            line += " thing=" + entry.thing->path + " type=" + entry.thing->type.value_or("-");
            for (const auto& [key, value] : entry.thing->attributes) {
                line += " " + key + "=" + value;
            }
        }
        if (entry.class_view) {
            const ClassSettings& settings = entry.class_view->settings;
            line += " class=" + entry.class_view->name +
                    (settings.strict_isolation ? " strict" : "") + " burst " +
                    std::to_string(settings.limits.burst);
        }
        for (const acl::NamedPolicy& policy : entry.policies) {
            line += " policy=" + policy.name + "/" + policy.version;
        }
        lines.push_back(std::move(line));
    });
    return joined(std::move(lines));
}

std::string describe_rebuilt(Store& store) {
    RegistryView rebuilt;
    rebuilt.load(store).value();
    return describe(rebuilt);
}

}  // namespace iotsky::provisioning::test
