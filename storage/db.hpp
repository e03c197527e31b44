#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "certs/fingerprint.hpp"
#include "provisioning/records.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace iotsky::storage {

class Db;

/// How a database is called in sentences for people, and what helps when it is damaged.
struct DbWords {
    std::string_view title;           ///< "The registry"
    std::string_view damaged_number;  ///< of the catalogue
    std::string_view damaged_how;
};

/// A running statement of a Db: bound, stepped, read column by column in their order. Resets itself
/// at its end. Thread: that of its Db.
class Query {
  public:
    template <typename... Args>
    Query(Db& db, sqlite3_stmt* statement, const Args&... args) : db_(&db), statement_(statement) {
        (bind(args), ...);
    }
    ~Query();
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;

    /// To the next row; false at the end and after a failure (`Db::failed`).
    bool next();

    void bind(std::nullptr_t value);
    void bind(std::int64_t value);
    void bind(std::string_view value);
    void bind(const char* value) { bind(std::string_view{value}); }
    void bind_blob(const void* data, std::size_t size);
    /// Not copied: the bytes live until the statement has ended.
    void bind(std::span<const std::byte> bytes);
    void bind_static(std::string_view text);
    void bind(std::uint64_t value) { bind(static_cast<std::int64_t>(value)); }
    void bind(bool value) { bind(std::int64_t{value ? 1 : 0}); }
    void bind(const std::string& value) { bind(std::string_view{value}); }
    void bind(WallTime value) { bind(to_unix_s(value)); }
    void bind(const Id& id) { bind_blob(id.bytes.data(), id.bytes.size()); }
    void bind(const provisioning::Sha256& hash) { bind_blob(hash.data(), hash.size()); }
    void bind(const certs::Fingerprint& value) { bind(value.bytes); }
    template <typename T>
    void bind(const std::optional<T>& value) {
        if (value) {
            bind(*value);
        } else {
            bind(nullptr);
        }
    }

    /// The next column of the row. A value of the wrong type or length is damage: the Db fails and
    /// an empty value is returned.
    void get(std::int64_t& out);
    void get(std::uint64_t& out);
    void get(bool& out);
    void get(std::string& out);
    void get(WallTime& out);
    /// Lives until the next row.
    void get(std::string_view& out);
    void get(std::span<const std::byte>& out);
    void get(Id& out);
    void get(provisioning::Sha256& out);
    void get(certs::Fingerprint& out) { get(out.bytes); }
    template <typename T>
    void get(std::optional<T>& out) {
        if (is_null()) {
            ++column_;
            out.reset();
        } else {
            get(out.emplace());
        }
    }
    template <typename T>
    [[nodiscard]] T get() {
        T value{};
        get(value);
        return value;
    }
    /// All columns in their order.
    template <typename... Ts>
    void read(Ts&... out) {
        (get(out), ...);
    }

    /// Stored text that no version of ours writes.
    void damaged(std::string_view what);
    /// Whether the next column is NULL.
    [[nodiscard]] bool is_null() const;

  private:
    void get_blob(void* out, std::size_t size);

    Db* db_;
    sqlite3_stmt* statement_;
    int parameter_ = 0;
    int column_ = 0;
};

/// One SQLite connection with its prepared statements. The first failure sticks until `reset`:
/// later statements do nothing and return no rows, so that a caller checks once, at the end.
/// Thread: confined to one at a time.
class Db {
  public:
    enum class Mode : std::uint8_t { read_write, read_only };

    /// Opens `path`; read_write creates it with mode 0600 when it is missing. `words` are of
    /// static life. Errors: E5310, and those of error().
    [[nodiscard]] static Result<std::unique_ptr<Db>> open(const std::filesystem::path& path,
                                                          Mode mode, const DbWords& words);
    ~Db();
    Db(const Db&) = delete;
    Db& operator=(const Db&) = delete;

    /// A statement with its parameters bound. `sql` must be a literal: it is the key of the cache.
    template <typename... Args>
    [[nodiscard]] Query query(const char* sql, const Args&... args) {
        return Query(*this, statement(sql), args...);
    }
    /// Runs a statement that returns no rows.
    template <typename... Args>
    void run(const char* sql, const Args&... args) {
        Query statement_of_call = query(sql, args...);
        while (statement_of_call.next()) {
        }
    }
    /// The first column of the first row; 0 when there is none and after a failure. `sql`: a
    /// literal.
    [[nodiscard]] std::int64_t number(const char* sql);
    /// Runs `pragma` ("PRAGMA quick_check(1)" or "PRAGMA integrity_check(1)"): the damage that it
    /// finds, or another failure, as error().
    [[nodiscard]] Result<void> check_whole(const char* pragma);
    /// Runs a script of several statements, without cache.
    void script(const std::string& sql);

    [[nodiscard]] bool failed() const noexcept { return failure_.has_value(); }
    /// The failure as an error of the catalogue: E5301 disk full, E5304 I/O or locked, the words'
    /// number for damage, E5305 otherwise. Only when failed().
    [[nodiscard]] Error error() const;
    void reset() noexcept { failure_.reset(); }
    void fail(int code, std::string message);
    /// Whether a transaction is open; SQLite ends it by itself after some failures.
    [[nodiscard]] bool in_transaction() const noexcept;
    [[nodiscard]] int changes() const noexcept;
    [[nodiscard]] const DbWords& words() const noexcept { return words_; }
    [[nodiscard]] sqlite3* handle() noexcept { return handle_; }

  private:
    friend class Query;
    struct Failure {
        int code = 0;
        std::string message;
    };

    Db(sqlite3* handle, std::filesystem::path path, const DbWords& words);
    [[nodiscard]] sqlite3_stmt* statement(const char* sql);
    void fail_now(int code);

    sqlite3* handle_;
    std::filesystem::path path_;
    const DbWords& words_;
    std::unordered_map<const char*, sqlite3_stmt*> statements_;
    std::optional<Failure> failure_;
};

}  // namespace iotsky::storage
