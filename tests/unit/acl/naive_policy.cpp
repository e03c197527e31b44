#include "tests/unit/acl/naive_policy.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <optional>

namespace iotsky::acl::test {
namespace {

namespace json = boost::json;

constexpr int kRun = -1;
constexpr int kOne = -2;
using Pattern = std::vector<int>;

std::string lower(std::string text) {
    for (char& c : text) {
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return text;
}

/// Bytes that "?" takes: a character of UTF-8, none in the middle of one.
std::size_t character_width(std::string_view text) {
    const int first = static_cast<unsigned char>(text[0]);
    std::size_t width = first < 0x80 || first >= 0xc0 ? 1 : 0;
    while (first >= 0xc0 && width < text.size() &&
           (static_cast<unsigned char>(text[width]) & 0xc0) == 0x80) {
        ++width;
    }
    return width;
}

bool glob(const Pattern& pattern, const std::string& text) {
    // after[t]: what follows in the pattern matches the text from t on.
    std::string after(text.size() + 1, 'n');
    after[text.size()] = 'y';
    for (auto p = pattern.rbegin(); p != pattern.rend(); ++p) {
        std::string now(text.size() + 1, 'n');
        for (std::size_t t = text.size() + 1; t-- > 0;) {
            if (*p == kRun) {
                now[t] = after[t] == 'y' || (t < text.size() && now[t + 1] == 'y') ? 'y' : 'n';
            } else if (t < text.size()) {
                const bool same = *p == static_cast<unsigned char>(text[t]);
                const std::size_t width = *p == kOne
                                              ? character_width(std::string_view(text).substr(t))
                                          : same ? 1
                                                 : 0;
                now[t] = width > 0 ? after[t + width] : 'n';
            }
        }
        after = now;
    }
    return after[0] == 'y';
}

std::string address_bits(const std::string& text) {
    unsigned char v4[4];
    unsigned char v6[16];
    std::string bits;
    const auto add = [&](unsigned byte) {
        for (int i = 7; i >= 0; --i) {
            bits += ((byte >> i) & 1U) != 0 ? '1' : '0';
        }
    };
    if (inet_pton(AF_INET, text.c_str(), v4) == 1) {
        bits = std::string(80, '0') + std::string(16, '1');
        std::for_each(std::begin(v4), std::end(v4), add);
    } else if (inet_pton(AF_INET6, text.c_str(), v6) == 1) {
        std::for_each(std::begin(v6), std::end(v6), add);
    }
    return bits;
}

std::string plain_address(const std::string& text) {
    return text.starts_with("::ffff:") ? text.substr(7) : text;
}

std::optional<std::vector<std::string>> certificate(
    const std::string& rest, const std::multimap<std::string, std::string>& m, bool& list) {
    const std::string field = rest.substr(0, rest.find('.'));
    std::vector<std::string> all;
    for (const auto& [name, value] : m) {
        if (lower(name) == field) {
            all.push_back(value);
        }
    }
    if (rest == field) {
        all.resize(std::min<std::size_t>(all.size(), 1));
        return all;
    }
    const std::string suffix = rest.substr(field.size() + 1);
    if (suffix == "list") {
        list = true;
        return all;
    }
    const auto index = static_cast<std::size_t>(std::atoi(suffix.c_str()));
    return index < all.size() ? std::vector<std::string>{all[index]} : std::vector<std::string>{};
}

/// All values of a key or variable.
std::vector<std::string> lookup(const std::string& written, const Attributes& a,
                                const RequestContext& request) {
    std::string name = lower(written);
    if (name.starts_with("iot:thing.")) {
        name = "iot:connection.thing." + name.substr(10);
    }
    const auto one = [](const std::optional<std::string>& value) {
        return value ? std::vector<std::string>{*value} : std::vector<std::string>{};
    };
    bool list = false;
    const std::string attributes = "iot:connection.thing.attributes[";
    if (name.starts_with(attributes)) {
        const std::size_t open = written.find('[');
        const auto it =
            a.thing_attributes.find(written.substr(open + 1, written.size() - open - 2));
        return it == a.thing_attributes.end() ? std::vector<std::string>{}
                                              : std::vector<std::string>{it->second};
    }
    const std::pair<std::string, const std::multimap<std::string, std::string>*> maps[] = {
        {"iot:certificate.subject.alternativename.", &a.subject_alternative_name},
        {"iot:certificate.issuer.alternativename.", &a.issuer_alternative_name},
        {"iot:certificate.subject.", &a.subject},
        {"iot:certificate.issuer.", &a.issuer}};
    for (const auto& [prefix, map] : maps) {
        if (name.starts_with(prefix)) {
            return *certificate(name.substr(prefix.size()), *map, list);
        }
    }
    if (name == "iot:clientid") {
        return one(a.client_id);
    }
    if (name == "aws:sourceip") {
        return a.source_ip ? std::vector<std::string>{plain_address(*a.source_ip)}
                           : std::vector<std::string>{};
    }
    if (name == "iot:domainname") {
        return one(a.domain_name);
    }
    if (name == "iot:connection.thing.thingname") {
        return one(a.thing_name);
    }
    if (name == "iot:connection.thing.thingtypename") {
        return one(a.thing_type);
    }
    if (name == "iot:connection.thing.isattached") {
        return a.thing_attached ? std::vector<std::string>{*a.thing_attached ? "true" : "false"}
                                : std::vector<std::string>{};
    }
    if (name == "iot:certificate.serialnumber") {
        return one(a.certificate_serial);
    }
    if (name == "iot:certificateid") {
        return one(a.certificate_id);
    }
    const std::time_t now = to_unix_s(request.now);
    if (name == "aws:currenttime") {
        char text[32];
        std::tm tm{};
        gmtime_r(&now, &tm);
        std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
        return {text};
    }
    if (name == "aws:epochtime") {
        return {std::to_string(now)};
    }
    return {request.connect_attributes.begin(), request.connect_attributes.end()};
}

/// Nothing when a variable has no value. `signs`: whether a value with + or # was put in.
std::optional<Pattern> put_in(const std::string& text, bool wildcards, const Attributes& a,
                              const RequestContext& request, bool* signs = nullptr) {
    Pattern out;
    const auto literal = [&](const std::string& part) {
        for (const char c : part) {
            out.push_back(static_cast<unsigned char>(c));
        }
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::string four = text.substr(i, 4);
        if (four == "${*}" || four == "${?}" || four == "${$}" || four == "$(*)" ||
            four == "$(?)" || four == "$($)") {
            literal(four.substr(2, 1));
            i += 3;
        } else if (four.starts_with("${")) {
            const std::size_t end = text.find('}', i);
            const auto values = lookup(text.substr(i + 2, end - i - 2), a, request);
            if (values.empty()) {
                return std::nullopt;
            }
            if (signs != nullptr && values[0].find_first_of("+#") != std::string::npos) {
                *signs = true;
            }
            literal(values[0]);
            i = end;
        } else if (wildcards && text[i] == '*') {
            out.push_back(kRun);
        } else if (wildcards && text[i] == '?') {
            out.push_back(kOne);
        } else {
            literal(text.substr(i, 1));
        }
    }
    return out;
}

std::string to_text(const Pattern& pattern) {
    std::string out;
    for (const int c : pattern) {
        out += static_cast<char>(c);
    }
    return out;
}

std::optional<double> number(const std::string& text) {
    for (const char c : text) {
        if (std::string("0123456789+-.eE").find(c) == std::string::npos) {
            return std::nullopt;
        }
    }
    if (text.empty() || text[0] == '+') {
        return std::nullopt;
    }
    char* end = nullptr;
    errno = 0;
    const double value = std::strtod(text.c_str(), &end);
    const bool lost = errno == ERANGE && (value == 0 || std::isinf(value));
    return *end != '\0' || lost ? std::nullopt : std::optional(value);
}

/// Milliseconds; understands what the evaluator says it does: dates, dates with times, seconds.
std::optional<double> date(const std::string& text) {
    if (!text.empty() && text.size() <= 12 &&
        text.find_first_not_of("0123456789") == std::string::npos) {
        return std::strtod(text.c_str(), nullptr) * 1000;
    }
    const auto shaped = [&](const std::string& shape) {
        if (text.size() < shape.size()) {
            return false;
        }
        for (std::size_t i = 0; i < shape.size(); ++i) {
            const bool digit = std::isdigit(static_cast<unsigned char>(text[i])) != 0;
            if (shape[i] == '0' ? !digit : text[i] != shape[i]) {
                return false;
            }
        }
        return true;
    };
    const auto at = [&](std::size_t i, std::size_t n) {
        return std::atoi(text.substr(i, n).c_str());
    };
    if (!shaped("0000-00-00")) {
        return std::nullopt;
    }
    std::tm tm{};
    tm.tm_year = at(0, 4) - 1900;
    tm.tm_mon = at(5, 2) - 1;
    tm.tm_mday = at(8, 2);
    std::tm copy = tm;
    const double day = static_cast<double>(timegm(&copy)) * 1000;
    if (copy.tm_mon != tm.tm_mon || copy.tm_mday != tm.tm_mday) {
        return std::nullopt;
    }
    if (text.size() == 10) {
        return day;
    }
    if (!shaped("0000-00-00T00:00") || at(11, 2) > 23 || at(14, 2) > 59) {
        return std::nullopt;
    }
    double ms = at(11, 2) * 3'600'000.0 + at(14, 2) * 60'000.0;
    std::size_t i = 16;
    if (shaped("0000-00-00T00:00:00")) {
        if (at(17, 2) > 60) {
            return std::nullopt;
        }
        ms += at(17, 2) * 1000.0;
        i = 19;
        if (i < text.size() && text[i] == '.') {
            const std::size_t end =
                std::min(text.find_first_not_of("0123456789", i + 1), text.size());
            if (end == i + 1) {
                return std::nullopt;
            }
            const std::string digits = text.substr(i + 1, end - i - 1).substr(0, 3);
            ms += std::atoi((digits + "00").substr(0, 3).c_str());
            i = end;
        }
    }
    std::string zone = text.substr(i);
    if (zone == "Z") {
        return day + ms;
    }
    if (zone.size() == 6 && zone[3] == ':') {
        zone.erase(3, 1);
    }
    if (zone.size() != 5 || (zone[0] != '+' && zone[0] != '-') ||
        zone.find_first_not_of("0123456789", 1) != std::string::npos) {
        return std::nullopt;
    }
    const int h = std::atoi(zone.substr(1, 2).c_str());
    const int m = std::atoi(zone.substr(3, 2).c_str());
    if (h > 14 || m > 59) {
        return std::nullopt;
    }
    const double shift = h * 3'600'000.0 + m * 60'000.0;
    return day + ms + (zone[0] == '-' ? shift : -shift);
}

std::vector<Pattern> arn_parts(const Pattern& arn) {
    std::vector<Pattern> parts(1);
    for (const int c : arn) {
        if (c == ':' && parts.size() < 6) {
            parts.emplace_back();
        } else {
            parts.back().push_back(c);
        }
    }
    return parts;
}

Pattern bytes(const std::string& text) {
    Pattern out;
    for (const char c : text) {
        out.push_back(static_cast<unsigned char>(c));
    }
    return out;
}

bool ordered(const std::string& op, double left, double right) {
    if (op.ends_with("LessThan")) {
        return left < right;
    }
    if (op.ends_with("LessThanEquals")) {
        return left <= right;
    }
    if (op.ends_with("GreaterThan")) {
        return left > right;
    }
    if (op.ends_with("GreaterThanEquals")) {
        return left >= right;
    }
    return left == right;
}

/// Whether the policy's value fits the operator at all.
bool fits(const std::string& op, const Pattern& value) {
    const std::string text = to_text(value);
    if (op.starts_with("Numeric")) {
        return number(text).has_value();
    }
    if (op.starts_with("Date")) {
        return date(text).has_value();
    }
    if (op == "Bool" || op == "Null") {
        return lower(text) == "true" || lower(text) == "false";
    }
    if (op == "IpAddress") {
        const std::size_t slash = text.find('/');
        const std::string host = text.substr(0, slash);
        if (host.find('\0') != std::string::npos || address_bits(host).empty()) {
            return false;
        }
        if (slash == std::string::npos) {
            return true;
        }
        const std::string digits = text.substr(slash + 1);
        const int most = host.find(':') == std::string::npos ? 32 : 128;
        return !digits.empty() && digits.size() <= 3 &&
               digits.find_first_not_of("0123456789") == std::string::npos &&
               std::atoi(digits.c_str()) <= most;
    }
    return !op.starts_with("Arn") || arn_parts(value).size() == 6;
}

/// One value of the request against one of the policy; `op` without Not, IfExists, ForAny.
bool compare(const std::string& op, const Pattern& value, const std::string& actual) {
    const std::string text = to_text(value);
    if (op == "StringEqualsIgnoreCase") {
        return lower(text) == lower(actual);
    }
    if (op == "StringLike") {
        return glob(value, actual);
    }
    if (op.starts_with("Numeric")) {
        return number(actual) && ordered(op, *number(actual), *number(text));
    }
    if (op.starts_with("Date")) {
        return date(actual) && ordered(op, *date(actual), *date(text));
    }
    if (op == "Bool") {
        return lower(text) == lower(actual);
    }
    if (op == "IpAddress") {
        const std::size_t slash = text.find('/');
        std::string want = address_bits(text.substr(0, slash));
        const std::string have = address_bits(actual);
        if (slash != std::string::npos) {
            const std::size_t from = text.find(':') == std::string::npos ? 96 : 0;
            want.resize(from + static_cast<std::size_t>(std::atoi(text.c_str() + slash + 1)));
        }
        return !have.empty() && have.starts_with(want);
    }
    if (op.starts_with("Arn")) {
        const auto want = arn_parts(value);
        const auto have = arn_parts(bytes(actual));
        return have.size() == 6 && glob(want[0], to_text(have[0])) &&
               glob(want[1], to_text(have[1])) && glob(want[2], to_text(have[2])) &&
               glob(want[5], to_text(have[5]));
    }
    return text == actual;
}

bool take_prefix(std::string& text, const std::string& prefix) {
    const bool there = text.starts_with(prefix);
    if (there) {
        text.erase(0, prefix.size());
    }
    return there;
}

bool condition_holds(std::string op, const std::string& key, const std::vector<std::string>& values,
                     const Attributes& a, const RequestContext& request) {
    const bool for_all = take_prefix(op, "ForAllValues:");
    const bool for_any = take_prefix(op, "ForAnyValue:");
    const bool if_exists = op.ends_with("IfExists");
    if (if_exists) {
        op.erase(op.size() - 8);
    }
    const std::size_t no = op.find("Not");
    const bool negated = no != std::string::npos;
    if (negated) {
        op.erase(no, 3);
    }
    const bool wildcards = op == "StringLike" || op.starts_with("Arn");
    std::vector<Pattern> wanted;
    for (const std::string& value : values) {
        const auto text = put_in(value, wildcards, a, request);
        if (!text || !fits(op, *text)) {
            return false;
        }
        wanted.push_back(*text);
    }
    const auto actual = lookup(key, a, request);
    if (op == "Null") {
        return std::any_of(wanted.begin(), wanted.end(), [&](const Pattern& value) {
            return (lower(to_text(value)) == "true") == actual.empty();
        });
    }
    if (actual.empty()) {
        return if_exists || for_all || (negated && !for_any);
    }
    std::size_t good = 0;
    for (const std::string& one : actual) {
        const bool any = std::any_of(wanted.begin(), wanted.end(),
                                     [&](const Pattern& value) { return compare(op, value, one); });
        good += any != negated ? 1 : 0;
    }
    return for_all || (negated && !for_any) ? good == actual.size() : good > 0;
}

std::vector<std::string> list_of(const json::value& value) {
    if (value.is_array()) {
        std::vector<std::string> all;
        for (const json::value& item : value.get_array()) {
            all.push_back(item.is_string() ? std::string(item.get_string())
                                           : json::serialize(item));
        }
        return all;
    }
    return {value.is_string() ? std::string(value.get_string()) : json::serialize(value)};
}

std::string prefix_of(Action action) {
    const std::string name(to_string(action));
    if (name == "iot:Connect") {
        return "client/";
    }
    if (name == "iot:Subscribe") {
        return "topicfilter/";
    }
    if (name == "iot:AssumeRoleWithCertificate") {
        return "rolealias/";
    }
    if (name == "iot:ListRetainedMessages" || name == "iot:ListNamedShadowsForThing") {
        return "";
    }
    const bool thing =
        name.find("Shadow") != std::string::npos || name.find("Job") != std::string::npos;
    return thing ? "thing/" : "topic/";
}

/// Whether an Allow whose variable brought a + or # in could reach a Topic Filter.
bool could_be_filter(Pattern pattern) {
    pattern.push_back(kRun);  // some text that starts with "topicfilter/" and goes on
    const std::string prefix = "topicfilter/";
    std::vector<bool> at(pattern.size() + 1, false);
    at[0] = true;
    const auto skip = [&] {
        for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
            if (at[i] && pattern[i] == kRun) {
                at[i + 1] = true;
            }
        }
    };
    skip();
    for (const char c : prefix) {
        std::vector<bool> next(at.size(), false);
        for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
            if (at[i]) {
                next[i] = next[i] || pattern[i] == kRun;
                next[i + 1] = next[i + 1] || pattern[i] == kOne || pattern[i] == c;
            }
        }
        at = next;
        skip();
    }
    return std::find(at.begin(), at.end(), true) != at.end();
}

bool resource_matches(const json::object& statement, const Attributes& a,
                      const RequestContext& request) {
    const bool negative = statement.contains("NotResource");
    const std::string target = prefix_of(request.action) + std::string(request.resource);
    bool any = false;
    for (std::string text : list_of(statement.at(negative ? "NotResource" : "Resource"))) {
        for (int colon = 0; text != "*" && colon < 5; ++colon) {
            text.erase(0, text.find(':') + 1);
        }
        bool signs = false;
        const auto pattern = put_in(text, true, a, request, &signs);
        if (!pattern) {
            return false;
        }
        if (signs && statement.at("Effect") == "Allow" && could_be_filter(*pattern)) {
            return false;
        }
        any = any || glob(*pattern, target);
    }
    return any != negative;
}

bool applies(const json::object& statement, const Attributes& a, const RequestContext& request) {
    const std::string name = lower(std::string(to_string(request.action)));
    const auto actions = list_of(statement.at("Action"));
    const bool acts = std::any_of(actions.begin(), actions.end(), [&](const std::string& action) {
        Pattern pattern;
        for (const char c : lower(action)) {
            pattern.push_back(c == '*' ? kRun : c == '?' ? kOne : static_cast<unsigned char>(c));
        }
        return glob(pattern, name);
    });
    if (!acts || !resource_matches(statement, a, request)) {
        return false;
    }
    if (!statement.contains("Condition")) {
        return true;
    }
    for (const auto& op : statement.at("Condition").as_object()) {
        for (const auto& key : op.value().as_object()) {
            if (!condition_holds(std::string(op.key()), std::string(key.key()),
                                 list_of(key.value()), a, request)) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace

void NaivePolicies::add(std::string_view document) {
    documents_.push_back(json::parse({document.data(), document.size()}));
}

bool NaivePolicies::allowed(const Attributes& attributes, const RequestContext& request) const {
    bool allow = false;
    bool deny = false;
    const auto look_at = [&](const json::value& statement) {
        if (applies(statement.as_object(), attributes, request)) {
            (statement.at("Effect") == "Deny" ? deny : allow) = true;
        }
    };
    for (const json::value& document : documents_) {
        const json::value& list = document.at("Statement");
        if (!list.is_array()) {
            look_at(list);
            continue;
        }
        for (const json::value& statement : list.get_array()) {
            look_at(statement);
        }
    }
    return allow && !deny;
}

bool naive_class_allowed(const ClassRights& rights, const std::string& thing_id,
                         const RequestContext& request) {
    const std::string resource(request.resource);
    const auto below = [&](const std::string& root) {
        return resource == root || resource.starts_with(root + "/");
    };
    const std::string project = rights.class_name + "/" + rights.project;
    const bool own = below(project + "/" + rights.thing);
    const bool commons = !rights.strict_isolation && below(rights.class_name + "/commons");
    switch (request.action) {
        case Action::connect:
            return true;
        case Action::publish:
        case Action::retain_publish:
            return own || commons;
        case Action::subscribe:
        case Action::receive:
            return own || commons || below("$iotsky/things/" + thing_id) ||
                   (!rights.strict_isolation &&
                    (below(project) || below(rights.class_name + "/board")));
        default:
            return false;
    }
}

bool naive_filter_matches(const std::string& filter, const std::string& topic) {
    if (filter == "#") {
        return true;
    }
    const std::size_t f = filter.find('/');
    const std::size_t t = topic.find('/');
    const std::string level = filter.substr(0, f);
    if (level != "+" && level != topic.substr(0, t)) {
        return false;
    }
    if (f == std::string::npos) {
        return t == std::string::npos;
    }
    const std::string rest = filter.substr(f + 1);
    if (t == std::string::npos) {
        return rest == "#";
    }
    return naive_filter_matches(rest, topic.substr(t + 1));
}

}  // namespace iotsky::acl::test
