#include "base/error.hpp"

#include <array>
#include <ostream>
#include <stdexcept>

namespace iotsky {

Error make_error(Errc code, std::string_view number, std::string message, std::string why,
                 std::string how) {
    return Error{code,           std::move(message), {}, std::string{number},
                 std::move(why), std::move(how),     {}};
}

std::string_view to_string(Errc code) noexcept {
    static constexpr std::array<std::string_view, 13> kNames{"invalid_argument",
                                                             "unauthenticated",
                                                             "permission_denied",
                                                             "not_found",
                                                             "already_exists",
                                                             "conflict",
                                                             "precondition_failed",
                                                             "limit_exceeded",
                                                             "unavailable",
                                                             "unsupported",
                                                             "corrupt",
                                                             "io",
                                                             "internal"};
    const auto index = static_cast<std::size_t>(code);
    return index < kNames.size() ? kNames[index] : "internal";
}

std::string format(const Error& error) {
    std::string text = error.number.empty() ? error.message : error.number + " " + error.message;
    for (const std::string* line : {&error.why, &error.how}) {
        if (!line->empty()) {
            text += "\n" + *line;
        }
    }
    return text;
}

std::ostream& operator<<(std::ostream& out, const Error& error) {
    return out << format(error);
}

void throw_exception_from_error(const Error& error, const boost::source_location& /*where*/) {
    throw std::runtime_error(format(error));
}

}  // namespace iotsky
