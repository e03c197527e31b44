#include "storage/db.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/errno_text.hpp"
#include "base/file_io.hpp"
#include "base/unique_fd.hpp"

namespace iotsky::storage {
namespace {

/// Creates the file before SQLite does, so that nobody else can read it for a moment. One that is
/// there is not opened: closing any descriptor of it drops the locks of all connections that this
/// process has (POSIX), and another program that reads the database and leaves, thinking that it
/// was the last, would then delete the write-ahead log under them.
Result<void> create_private(const std::filesystem::path& path, const DbWords& words) {
    const UniqueFd made{
        ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)};
    if (made) {
        // A disk that refuses is met, and told, by the first commit.
        static_cast<void>(sync_names_in(path.parent_path()));
        return {};
    }
    if (errno == EEXIST && ::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) == 0) {
        return {};
    }
    return make_error(Errc::io, "E5310", std::string{words.title} + " cannot be opened.",
                      "\"" + path.string() + "\": " + errno_text(errno) + ".",
                      "Check owner and rights of the file and its folder; they belong to the "
                      "user that runs iotsky.");
}

bool is_damage(int code) {
    const int primary = code & 0xff;
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

}  // namespace

Query::~Query() {
    if (statement_ != nullptr) {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }
}

bool Query::next() {
    if (db_->failed() || statement_ == nullptr) {
        return false;
    }
    column_ = 0;
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) {
        return true;
    }
    if (code != SQLITE_DONE) {
        db_->fail_now(code);
    }
    return false;
}

void Query::bind(std::nullptr_t /*value*/) {
    ++parameter_;
    if (statement_ != nullptr) {
        sqlite3_bind_null(statement_, parameter_);
    }
}

void Query::bind(std::int64_t value) {
    ++parameter_;
    if (statement_ != nullptr) {
        sqlite3_bind_int64(statement_, parameter_, value);
    }
}

void Query::bind(std::string_view value) {
    ++parameter_;
    // An empty view may have no address, which SQLite would take for NULL.
    const char* data = value.empty() ? "" : value.data();
    if (statement_ != nullptr && sqlite3_bind_text64(statement_, parameter_, data, value.size(),
                                                     SQLITE_TRANSIENT, SQLITE_UTF8) != SQLITE_OK) {
        db_->fail_now(SQLITE_TOOBIG);
    }
}

void Query::bind_blob(const void* data, std::size_t size) {
    ++parameter_;
    if (statement_ != nullptr &&
        sqlite3_bind_blob64(statement_, parameter_, data, size, SQLITE_TRANSIENT) != SQLITE_OK) {
        db_->fail_now(SQLITE_TOOBIG);
    }
}

void Query::bind(std::span<const std::byte> bytes) {
    ++parameter_;
    // An empty span may have no address, which SQLite would take for NULL.
    const void* data = bytes.empty() ? "" : static_cast<const void*>(bytes.data());
    if (statement_ != nullptr && sqlite3_bind_blob64(statement_, parameter_, data, bytes.size(),
                                                     SQLITE_STATIC) != SQLITE_OK) {
        db_->fail_now(SQLITE_TOOBIG);
    }
}

void Query::bind_static(std::string_view text) {
    ++parameter_;
    const char* data = text.empty() ? "" : text.data();
    if (statement_ != nullptr && sqlite3_bind_text64(statement_, parameter_, data, text.size(),
                                                     SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK) {
        db_->fail_now(SQLITE_TOOBIG);
    }
}

bool Query::is_null() const {
    return sqlite3_column_type(statement_, column_) == SQLITE_NULL;
}

void Query::get(std::int64_t& out) {
    out = sqlite3_column_int64(statement_, column_);
    ++column_;
}

void Query::get(std::uint64_t& out) {
    out = static_cast<std::uint64_t>(get<std::int64_t>());
}

void Query::get(bool& out) {
    out = get<std::int64_t>() != 0;
}

void Query::get(WallTime& out) {
    out = from_unix_s(get<std::int64_t>());
}

void Query::get(std::string& out) {
    out = get<std::string_view>();
}

void Query::get(std::string_view& out) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column_));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column_));
    out = text == nullptr ? std::string_view{} : std::string_view{text, size};
    ++column_;
}

void Query::get(std::span<const std::byte>& out) {
    const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column_));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column_));
    out = {data, data == nullptr ? 0 : size};
    ++column_;
}

void Query::get(Id& out) {
    get_blob(out.bytes.data(), out.bytes.size());
}

void Query::get(provisioning::Sha256& out) {
    get_blob(out.data(), out.size());
}

void Query::get_blob(void* out, std::size_t size) {
    const void* data = sqlite3_column_blob(statement_, column_);
    if (data == nullptr ||
        static_cast<std::size_t>(sqlite3_column_bytes(statement_, column_)) != size) {
        damaged("an id or a hash has the wrong length");
    } else {
        std::memcpy(out, data, size);
    }
    ++column_;
}

void Query::damaged(std::string_view what) {
    db_->fail(SQLITE_CORRUPT, std::string{what} + ": " + sqlite3_sql(statement_));
}

Db::Db(sqlite3* handle, std::filesystem::path path, const DbWords& words)
    : handle_(handle), path_(std::move(path)), words_(words) {}

Db::~Db() {
    for (const auto& [sql, statement] : statements_) {
        sqlite3_finalize(statement);
    }
    sqlite3_close(handle_);
}

Result<std::unique_ptr<Db>> Db::open(const std::filesystem::path& path, Mode mode,
                                     const DbWords& words) {
    if (mode == Mode::read_write) {
        IOTSKY_CHECK(create_private(path, words));
    }
    sqlite3* handle = nullptr;
    const int flags = mode == Mode::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    const int code = sqlite3_open_v2(path.c_str(), &handle,
                                     flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    std::unique_ptr<Db> db(new Db(handle, path, words));
    if (code != SQLITE_OK) {
        db->fail_now(code);
        return db->error();
    }
    sqlite3_busy_timeout(handle, 5000);
    return db;
}

sqlite3_stmt* Db::statement(const char* sql) {
    if (failed()) {
        return nullptr;
    }
    if (const auto found = statements_.find(sql); found != statements_.end()) {
        return found->second;
    }
    sqlite3_stmt* made = nullptr;
    const int code =
        sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    if (code != SQLITE_OK) {
        fail_now(code);
        return nullptr;
    }
    statements_.emplace(sql, made);
    return made;
}

std::int64_t Db::number(const char* sql) {
    Query first = query(sql);
    return first.next() ? first.get<std::int64_t>() : 0;
}

Result<void> Db::check_whole(const char* pragma) {
    Query check = query(pragma);
    if (check.next()) {
        const auto verdict = check.get<std::string>();
        if (verdict != "ok") {
            fail(SQLITE_CORRUPT, verdict);
        }
    }
    return failed() ? Result<void>{error()} : Result<void>{};
}

void Db::script(const std::string& sql) {
    if (failed()) {
        return;
    }
    const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) {
        fail_now(code);
    }
}

void Db::fail(int code, std::string message) {
    if (!failure_) {
        failure_ = Failure{code, std::move(message)};
    }
}

void Db::fail_now(int code) {
    fail(code, handle_ == nullptr ? "out of memory" : sqlite3_errmsg(handle_));
}

bool Db::in_transaction() const noexcept {
    return sqlite3_get_autocommit(handle_) == 0;
}

int Db::changes() const noexcept {
    return sqlite3_changes(handle_);
}

Error Db::error() const {
    const int code = failure_ ? failure_->code : SQLITE_ERROR;
    const std::string file = "\"" + path_.string() + "\"";
    const std::string title{words_.title};
    Error error;
    if ((code & 0xff) == SQLITE_FULL) {
        error =
            make_error(Errc::unavailable, "E5301", "The change was not saved: the disk is full.",
                       "There is no room for " + file + "; nothing was changed.",
                       "Free some space and try again: df -h shows where.");
    } else if (is_damage(code)) {
        error = make_error(
            Errc::corrupt, words_.damaged_number, title + " " + file + " is damaged.",
            "SQLite cannot read part of it; nothing was changed.", std::string{words_.damaged_how});
    } else if ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_READONLY ||
               (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_PERM) {
        error = make_error(Errc::io, "E5304", title + " could not be read or written.",
                           "The system refused an access to " + file + "; nothing was changed.",
                           "Check the disk, the rights of the file and the system log, then try "
                           "again.");
    } else if ((code & 0xff) == SQLITE_BUSY) {
        error = make_error(Errc::unavailable, "E5304", title + " is locked by another program.",
                           "It has written to " + file + " and not ended; nothing was changed.",
                           "End it (a sqlite3 shell?): fuser -v names it.");
    } else {
        error = make_error(Errc::internal, "E5305", title + " refused a statement.",
                           "This is a fault in iotsky; nothing was changed.",
                           "Please report it with the lines of the log around it.");
    }
    error.detail = file + " sqlite " + std::to_string(code) + ": " +
                   (failure_ ? failure_->message : std::string{});
    return error;
}

}  // namespace iotsky::storage
