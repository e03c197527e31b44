#pragma once

#include <boost/system/result.hpp>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace iotsky {

/// What kind of refusal or failure it is; a caller acts on this, a person reads the texts of
/// `Error`.
enum class Errc : unsigned char {
    invalid_argument,     ///< The caller's value is wrong; the same call never succeeds.
    unauthenticated,      ///< Nobody we know.
    permission_denied,    ///< Known, but may not.
    not_found,            ///< No such object.
    already_exists,       ///< The name is taken.
    conflict,             ///< The object changed meanwhile, or is in a state that forbids it.
    precondition_failed,  ///< An If-Match style condition does not hold.
    limit_exceeded,       ///< A limit of the configuration or of the class was reached.
    unavailable,          ///< Not now; the same call may succeed later.
    unsupported,          ///< Valid, but not served here.
    corrupt,              ///< Stored data is damaged.
    io,                   ///< The operating system refused (disk, file, socket).
    internal,             ///< A fault of ours.
};

/// One wrong field of a structured input. `pointer` is a JSON pointer ("/name") or "line 3, column
/// 7".
struct FieldError {
    std::string pointer;
    std::string message;
};

/// A refusal or failure, told to three audiences: programs (`code`, `number`), people (`message`,
/// `why`, `how`) and the log (`detail`, which may hold paths or SQL and is never shown to a peer).
struct Error {
    Errc code = Errc::internal;
    std::string message;  ///< What happened, one line.
    std::string detail;   ///< For the log only.
    std::string number;   ///< Stable code of the catalogue, e.g. "E2106"; empty if it has none.
    std::string why;      ///< Why, one line.
    std::string how;      ///< How to mend it, one line, with the command where there is one.
    std::vector<FieldError> fields;  ///< Each wrong field, when the input was structured.
};

/// Makes an error of the catalogue: number, what, why, how.
[[nodiscard]] Error make_error(Errc code, std::string_view number, std::string message,
                               std::string why, std::string how);

/// The name of an error code as JSON and logs show it, e.g. "not_found".
[[nodiscard]] std::string_view to_string(Errc code) noexcept;

/// Three lines for a terminal: "E1101 what" / "why" / "how"; empty lines are left out.
[[nodiscard]] std::string format(const Error& error);

/// The same text; lets a failed test say what was refused.
std::ostream& operator<<(std::ostream& out, const Error& error);

/// Found by argument-dependent lookup: what `Result::value()` throws when there is no value.
[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

template <typename T>
using Result = boost::system::result<T, Error>;

}  // namespace iotsky

#define IOTSKY_CONCAT_INNER(a, b) a##b
#define IOTSKY_CONCAT(a, b) IOTSKY_CONCAT_INNER(a, b)

/// IOTSKY_TRY(name, expression): returns the error of `expression`, else names its value.
#define IOTSKY_TRY(name, ...)                                          \
    auto IOTSKY_CONCAT(result_of_, __LINE__) = (__VA_ARGS__);          \
    if (!IOTSKY_CONCAT(result_of_, __LINE__)) {                        \
        return std::move(IOTSKY_CONCAT(result_of_, __LINE__)).error(); \
    }                                                                  \
    auto name = std::move(*IOTSKY_CONCAT(result_of_, __LINE__))

/// IOTSKY_CHECK(expression): returns the error of a Result<void> expression.
#define IOTSKY_CHECK(...)                                       \
    do {                                                        \
        if (auto check_result = (__VA_ARGS__); !check_result) { \
            return std::move(check_result).error();             \
        }                                                       \
    } while (false)
