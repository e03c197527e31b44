#include "acl/variable.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "acl/values.hpp"
#include "base/text.hpp"

namespace iotsky::acl {
namespace {

struct PlainRow {
    std::string_view name;
    Field field;
};

constexpr std::string_view kThing = "iot:Connection.Thing.";
constexpr std::string_view kOldThing = "iot:Thing.";
constexpr std::string_view kAttributes = "iot:Connection.Thing.Attributes[";

constexpr std::array<PlainRow, 12> kPlain{{
    {"iot:ClientId", Field::client_id},
    {"aws:SourceIp", Field::source_ip},
    {"iot:DomainName", Field::domain_name},
    {"iot:Connection.Thing.ThingName", Field::thing_name},
    {"iot:Connection.Thing.ThingTypeName", Field::thing_type},
    {"iot:Connection.Thing.IsAttached", Field::thing_attached},
    {"iot:Certificate.SerialNumber", Field::certificate_serial},
    {"iot:CertificateId", Field::certificate_id},
    {"aws:CurrentTime", Field::current_time},
    {"aws:EpochTime", Field::epoch_time},
    {"iot:ConnectAttributes", Field::connect_attributes},
    {"iot:Connection.Thing.Attributes[name]", Field::thing_attribute},  // for nearest_variable
}};

struct CertificateRow {
    std::string_view prefix;
    Field field;
};

// The longer prefixes first: they begin with the shorter ones.
constexpr std::array<CertificateRow, 4> kCertificate{{
    {"iot:Certificate.Subject.AlternativeName.", Field::subject_alternative_name},
    {"iot:Certificate.Issuer.AlternativeName.", Field::issuer_alternative_name},
    {"iot:Certificate.Subject.", Field::subject},
    {"iot:Certificate.Issuer.", Field::issuer},
}};

constexpr std::array<std::string_view, 13> kNameFields{"DistinguishedNameQualifier",
                                                       "Country",
                                                       "Organization",
                                                       "OrganizationalUnit",
                                                       "State",
                                                       "CommonName",
                                                       "SerialNumber",
                                                       "Title",
                                                       "Surname",
                                                       "GivenName",
                                                       "Initials",
                                                       "Pseudonym",
                                                       "GenerationQualifier"};

constexpr std::array<std::string_view, 5> kAlternativeFields{
    "RFC822Name", "DNSName", "DirectoryName", "UniformResourceIdentifier", "RegisteredId"};

bool starts_like(std::string_view text, std::string_view prefix) noexcept {
    return text.size() >= prefix.size() &&
           equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

bool is_alternative(Field field) noexcept {
    return field == Field::subject_alternative_name || field == Field::issuer_alternative_name;
}

std::optional<std::string_view> find_field(Field field, std::string_view name) noexcept {
    const auto find = [&](const auto& table) -> std::optional<std::string_view> {
        for (const std::string_view known : table) {
            if (equal_ignoring_case(known, name)) {
                return known;
            }
        }
        return std::nullopt;
    };
    return is_alternative(field) ? find(kAlternativeFields) : find(kNameFields);
}

/// ".1" is the second value, ".List" all.
bool parse_suffix(std::string_view suffix, Variable& variable) noexcept {
    if (equal_ignoring_case(suffix, "List")) {
        variable.list = true;
        return true;
    }
    const char* end = suffix.data() + suffix.size();
    const auto parsed = std::from_chars(suffix.data(), end, variable.index);
    return parsed.ec == std::errc{} && parsed.ptr == end && suffix.size() <= 3;
}

std::optional<Variable> parse_certificate(std::string_view name) {
    for (const CertificateRow& row : kCertificate) {
        if (!starts_like(name, row.prefix)) {
            continue;
        }
        const std::string_view rest = name.substr(row.prefix.size());
        const std::size_t dot = rest.find('.');
        const auto field = find_field(row.field, rest.substr(0, dot));
        Variable variable{row.field, std::string(field.value_or("")), 0, false, std::string(name)};
        if (!field || (dot != rest.npos && !parse_suffix(rest.substr(dot + 1), variable))) {
            return std::nullopt;
        }
        return variable;
    }
    return std::nullopt;
}

std::optional<Variable> parse_attribute(std::string_view full, std::string_view name) {
    if (!starts_like(full, kAttributes) || !full.ends_with(']')) {
        return std::nullopt;
    }
    const std::string_view detail =
        full.substr(kAttributes.size(), full.size() - kAttributes.size() - 1);
    if (detail.empty()) {
        return std::nullopt;
    }
    return Variable{Field::thing_attribute, std::string(detail), 0, false, std::string(name)};
}

std::vector<std::string> one(const std::optional<std::string>& value) {
    return value ? std::vector<std::string>{*value} : std::vector<std::string>{};
}

std::vector<std::string> certificate_values(const Variable& variable,
                                            const std::multimap<std::string, std::string>& fields) {
    std::vector<std::string> values;
    const auto [first, last] = fields.equal_range(variable.detail);
    std::transform(first, last, std::back_inserter(values), [](const auto& f) { return f.second; });
    if (variable.list) {
        return values;
    }
    return variable.index < values.size() ? std::vector<std::string>{values[variable.index]}
                                          : std::vector<std::string>{};
}

std::vector<std::string> attribute_values(const Variable& variable, const Attributes& attributes) {
    const auto it = attributes.thing_attributes.find(variable.detail);
    return it == attributes.thing_attributes.end() ? std::vector<std::string>{}
                                                   : std::vector<std::string>{it->second};
}

}  // namespace

std::optional<Variable> parse_variable(std::string_view name) {
    std::string full(name);
    if (starts_like(name, kOldThing)) {
        full = std::string(kThing).append(name.substr(kOldThing.size()));
    }
    if (auto attribute = parse_attribute(full, name)) {
        return attribute;
    }
    for (const PlainRow& row : kPlain) {
        if (row.field != Field::thing_attribute && equal_ignoring_case(row.name, full)) {
            return Variable{
                row.field, {}, 0, row.field == Field::connect_attributes, std::string(name)};
        }
    }
    return parse_certificate(name);
}

std::string nearest_variable(std::string_view name) {
    std::vector<std::string> known;
    known.reserve(kPlain.size() + 2 * (kNameFields.size() + kAlternativeFields.size()));
    for (const PlainRow& row : kPlain) {
        known.emplace_back(row.name);
    }
    for (const CertificateRow& row : kCertificate) {
        const auto add = [&](const auto& table) {
            for (const std::string_view field : table) {
                known.push_back(std::string(row.prefix).append(field));
            }
        };
        is_alternative(row.field) ? add(kAlternativeFields) : add(kNameFields);
    }
    return nearest(name, known);
}

bool is_per_request(Field field) noexcept {
    return field == Field::current_time || field == Field::epoch_time ||
           field == Field::connect_attributes;
}

std::vector<std::string> values_of(const Variable& variable, const Attributes& attributes) {
    switch (variable.field) {
        case Field::client_id:
            return one(attributes.client_id);
        case Field::source_ip:
            return attributes.source_ip
                       ? std::vector<std::string>{normal_address(*attributes.source_ip)}
                       : std::vector<std::string>{};
        case Field::domain_name:
            return one(attributes.domain_name);
        case Field::thing_name:
            return one(attributes.thing_name);
        case Field::thing_type:
            return one(attributes.thing_type);
        case Field::thing_attached:
            return attributes.thing_attached
                       ? std::vector<std::string>{*attributes.thing_attached ? "true" : "false"}
                       : std::vector<std::string>{};
        case Field::thing_attribute:
            return attribute_values(variable, attributes);
        case Field::subject:
            return certificate_values(variable, attributes.subject);
        case Field::issuer:
            return certificate_values(variable, attributes.issuer);
        case Field::subject_alternative_name:
            return certificate_values(variable, attributes.subject_alternative_name);
        case Field::issuer_alternative_name:
            return certificate_values(variable, attributes.issuer_alternative_name);
        case Field::certificate_serial:
            return one(attributes.certificate_serial);
        case Field::certificate_id:
            return one(attributes.certificate_id);
        case Field::current_time:
        case Field::epoch_time:
        case Field::connect_attributes:
            break;  // come with the request
    }
    return {};
}

}  // namespace iotsky::acl
