#include "provisioning/lookup.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "certs/fingerprint.hpp"
#include "provisioning/names.hpp"

namespace iotsky::provisioning {
namespace {

constexpr std::size_t kNamesCompared = 1000;
constexpr std::size_t kAttributesMax = 50;
constexpr std::size_t kAttributeKeyMax = 128;
constexpr std::size_t kAttributeValueMax = 800;
constexpr std::size_t kAwsNameMax = 128;

template <typename Records, typename NameOf>
std::string did_you_mean(std::string_view name, const Records& records, NameOf name_of) {
    std::vector<std::string> known;
    for (const auto& record : records) {
        known.push_back(name_of(record));
    }
    const std::string close = nearest(name, known);
    return close.empty() ? std::string{} : "Did you mean " + close + "? ";
}

Error missing(std::string_view number, std::string what, std::string why, std::string how) {
    return make_error(Errc::not_found, number, std::move(what), std::move(why), std::move(how));
}

std::string shown(std::string_view name) {
    return escape(name, 130);
}

std::string aws_form(std::string_view path) {
    std::string text{path};
    std::replace(text.begin(), text.end(), '/', ':');
    return text;
}

bool is_aws_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' ||
           c == '_' || c == '-';
}

bool is_attribute_character(char c) {
    return is_aws_name_character(c) || c == '.' || c == '@' || c == '#';
}

bool is_printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

std::string without_colons(std::string_view text) {
    std::string digits;
    for (const char c : text) {
        if (c != ':') {
            digits += c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
        }
    }
    return digits;
}

}  // namespace

Result<ClassRecord> find_class(Reader& reader, std::string_view name) {
    const auto id = Id::parse(kClassPrefix, name);
    auto row = id ? reader.class_by_id(*id) : reader.class_by_name(name);
    if (row) {
        return *std::move(row);
    }
    const std::string hint = did_you_mean(name, reader.classes({{}, kNamesCompared}),
                                          [](const ClassRecord& c) { return c.name; });
    return missing("E2107", "There is no class \"" + shown(name) + "\".",
                   "Classes are made by hand, never by a call that needs one.",
                   hint + "Make it: iotsky class create " + shown(name));
}

Result<StudentRecord> find_student(Reader& reader, const ClassRecord& in, std::string_view name) {
    const auto id = Id::parse(kStudentPrefix, name);
    auto row = id ? reader.student_by_id(*id) : reader.student_by_pseudonym(in.id, name);
    if (row && row->class_id == in.id) {
        return *std::move(row);
    }
    const std::string hint = did_you_mean(name, reader.students(in.id, {{}, kNamesCompared}),
                                          [](const StudentRecord& s) { return s.pseudonym; });
    return missing("E2110", "There is no student \"" + shown(name) + "\" in class " + in.name + ".",
                   "Students are known by their pseudonyms.",
                   hint + "Add: iotsky student add " + in.name + "/" + shown(name));
}

Result<ProjectRecord> find_project(Reader& reader, const ClassRecord& in, std::string_view name) {
    const auto id = Id::parse(kProjectPrefix, name);
    auto row = id ? reader.project_by_id(*id) : reader.project_by_name(in.id, name);
    if (row && row->class_id == in.id) {
        return *std::move(row);
    }
    const std::string hint = did_you_mean(name, reader.projects(in.id, {{}, kNamesCompared}),
                                          [](const ProjectRecord& p) { return p.name; });
    return missing("E2111", "There is no project \"" + shown(name) + "\" in class " + in.name + ".",
                   "A project is made by itself when a thing is created in it.",
                   hint + "Make it: iotsky project create " + in.name + "/" + shown(name));
}

Result<ThingRecord> find_thing(Reader& reader, std::string_view name) {
    const auto id = Id::parse(kThingPrefix, name);
    auto row = id ? reader.thing_by_id(*id) : reader.thing_by_aws_name(aws_form(name));
    if (row) {
        return *std::move(row);
    }
    const std::string hint = did_you_mean(name, reader.things({}, {{}, kNamesCompared}),
                                          [](const ThingRecord& t) { return t.path(); });
    return missing("E2112", "There is no thing \"" + shown(name) + "\".",
                   "A thing is named class/project/thing.",
                   hint + "Make it: iotsky thing create " + shown(name));
}

Result<CertificateRecord> find_certificate(Reader& reader, std::string_view name) {
    std::vector<CertificateRecord> rows;
    const std::string digits = without_colons(name);
    if (const auto id = Id::parse(kCertificatePrefix, name)) {
        if (auto row = reader.certificate_by_id(*id)) {
            rows.push_back(*std::move(row));
        }
    } else if (const auto fingerprint = certs::Fingerprint::parse(digits)) {
        if (auto row = reader.certificate_by_fingerprint(*fingerprint)) {
            rows.push_back(*std::move(row));
        }
    } else {
        rows = reader.certificates_by_serial(digits);
    }
    std::erase_if(rows, [](const CertificateRecord& row) {
        return row.status == CertificateStatus::pending;
    });
    if (rows.size() == 1) {
        return std::move(rows[0]);
    }
    if (rows.empty()) {
        return missing("E5245", "There is no certificate \"" + shown(name) + "\".",
                       "A certificate is named by its id, serial number or SHA-256 fingerprint.",
                       "See them all: iotsky cert list");
    }
    return make_error(Errc::conflict, "E5241", "Several certificates have this serial number.",
                      "They come from different authorities.",
                      "Name the one you mean by its fingerprint: iotsky cert list");
}

Result<PolicyRecord> find_policy(Reader& reader, std::string_view name) {
    const auto id = Id::parse(kPolicyPrefix, name);
    auto row = id ? reader.policy_by_id(*id) : reader.policy_by_name(name);
    if (row) {
        return *std::move(row);
    }
    const std::string hint = did_you_mean(name, reader.policies({{}, kNamesCompared}),
                                          [](const PolicyRecord& p) { return p.name; });
    return missing("E3120", "There is no policy \"" + shown(name) + "\".", "Policies have names.",
                   hint + "Make it: iotsky policy create " + shown(name) + " policy.json");
}

Result<TokenRecord> find_token(Reader& reader, std::string_view name) {
    const auto id = Id::parse(kTokenPrefix, name);
    auto row = id ? reader.token_by_id(*id) : std::nullopt;
    if (row) {
        return *std::move(row);
    }
    return missing("E4128", "There is no token \"" + shown(name) + "\".",
                   "A token is named by its id (to_...), never by its secret.",
                   "See them all: iotsky token list");
}

Error wrong_field(std::string pointer, std::string message, std::string how) {
    Error error =
        make_error(Errc::invalid_argument, "E4104", message,
                   "A field of the request has a value that is not allowed.", std::move(how));
    error.fields.push_back({std::move(pointer), std::move(message)});
    return error;
}

Result<void> check_name(std::string_view name, std::string_view what, std::string_view pointer) {
    if (is_valid_name(name)) {
        return {};
    }
    return wrong_field(std::string{pointer},
                       "\"" + shown(name) + "\" is not a name for a " + std::string{what} + ".",
                       "Use 1 to 40 of A-Z a-z 0-9 _ and -");
}

Result<void> check_aws_name(std::string_view name) {
    if (!name.empty() && name.size() <= kAwsNameMax &&
        std::all_of(name.begin(), name.end(), is_aws_name_character)) {
        return {};
    }
    return wrong_field("/name", "\"" + shown(name) + "\" is not a thing name.",
                       "Use 1 to 128 of A-Z a-z 0-9 : _ and -");
}

Result<void> check_attributes(const Attributes& attributes) {
    if (attributes.size() > kAttributesMax) {
        return wrong_field("/attributes", "A thing has at most 50 attributes.", "Leave some out.");
    }
    for (const auto& [key, value] : attributes) {
        const bool key_fits = !key.empty() && key.size() <= kAttributeKeyMax &&
                              std::all_of(key.begin(), key.end(), is_attribute_character);
        if (!key_fits || value.size() > kAttributeValueMax || !is_printable(value)) {
            return wrong_field("/attributes/" + shown(key), "This attribute is not allowed.",
                               "Keys: 1 to 128 of A-Z a-z 0-9 _ . : @ # -, values: up to 800 "
                               "printable characters");
        }
    }
    return {};
}

}  // namespace iotsky::provisioning
