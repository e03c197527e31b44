#pragma once

#include <boost/json/fwd.hpp>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "apps/http/client.hpp"
#include "base/error.hpp"

/// What every verb of the command line shares: flags, streams, exit codes.
namespace iotsky::apps::cli {

/// Exit codes (product 7.2).
enum class Exit : int {
    done = 0,
    failed = 1,
    usage = 2,
    not_found = 3,
    refused = 4,      ///< rights, authentication
    conflict = 5,     ///< exists already, version changed, limit reached
    unreachable = 6,  ///< no broker answers
    partly = 7,       ///< some of a bulk was done
    answer_no = 8,    ///< checked, and the answer is "no"
    interrupted = 130,
};

/// The code that belongs to an error.
[[nodiscard]] Exit exit_for(const Error& error) noexcept;

/// Where a verb reads and writes; tests give strings.
struct Streams {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool in_terminal = false;
    bool out_terminal = false;
    bool err_terminal = false;
};

/// Flags that any verb takes.
struct Globals {
    std::string server;                ///< --server; else IOTSKY_SERVER
    std::filesystem::path token_file;  ///< --token-file; else IOTSKY_TOKEN_FILE
    std::filesystem::path ca_file;     ///< --ca-file of an https server
    std::filesystem::path data_dir;    ///< --data
    bool json = false;
    bool jsonl = false;
    bool quiet = false;
    bool yes = false;
    bool dry_run = false;
    std::string output;                ///< -o wide
    std::vector<std::string> columns;  ///< --columns a,b
};

class Session;
/// What a verb does once the command line was read.
using Action = std::function<Result<Exit>(Session&)>;

/// One run of the program. Confined to the main thread.
class Session {
  public:
    using Getenv = std::function<const char*(const char*)>;

    Session(Streams streams, Getenv getenv);

    Globals globals;
    Streams streams;
    Action action;  ///< set by the verb that the command line named

    /// The variable, or an empty text.
    [[nodiscard]] std::string variable(const char* name) const;

    /// Where the API is: --server, IOTSKY_SERVER, --data (by DIR/endpoints.json), then the usual
    /// sockets. Errors: E1162 nothing there, E1168 not an address, E1165 the token file.
    [[nodiscard]] Result<ServerAddress> server() const;

    /// Asks on the terminal; `--yes` answers. Exit code 2 (E1171) when there is no terminal to ask
    /// on.
    [[nodiscard]] Result<bool> confirm(const std::string& question);
    /// The same, but the object's name must be typed.
    [[nodiscard]] Result<bool> confirm_name(const std::string& question, const std::string& name);

    /// The three lines and the fields of an error, on standard error.
    void print(const Error& error) const;

  private:
    Getenv getenv_;
};

/// E1170: the command line is wrong.
[[nodiscard]] Error usage_error(std::string what, std::string why, std::string how);

}  // namespace iotsky::apps::cli
