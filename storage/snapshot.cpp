#include "storage/snapshot.hpp"

#include <sqlite3.h>

#include "base/c_handle.hpp"
#include "storage/db.hpp"
#include "storage/messages_db.hpp"

namespace iotsky::storage {
namespace {

/// 256 KiB: about 1 ms of a disk between two looks at `progress`.
constexpr int kStepPages = 64;

using Backup = CHandle<sqlite3_backup, sqlite3_backup_finish>;

std::uint64_t number(Db& db, const char* sql) {
    Query query = db.query(sql);
    return query.next() ? query.get<std::uint64_t>() : 0;
}

Error no_space(const std::filesystem::path& target) {
    return make_error(Errc::io, "E5103", "No space for the copy " + target.string() + ".",
                      "The disk is full; the unfinished copy was removed.",
                      "Free some space (df -h shows where).");
}

Error ended() {
    return make_error(Errc::unavailable, "E5110", "The backup was not finished.",
                      "The broker was stopped while it was made; nothing is left of it.",
                      "Make it again.");
}

Result<void> run_steps(Db& target, sqlite3_backup& backup, const Snapshot::Progress& progress,
                       std::uint64_t page_bytes) {
    int code = SQLITE_OK;
    while (code == SQLITE_OK) {
        code = sqlite3_backup_step(&backup, kStepPages);
        const auto done = static_cast<std::uint64_t>(sqlite3_backup_pagecount(&backup) -
                                                     sqlite3_backup_remaining(&backup));
        if (code == SQLITE_OK && !progress(done * page_bytes)) {
            return ended();
        }
    }
    if (code != SQLITE_DONE) {
        target.fail(code, sqlite3_errstr(code));
    }
    return {};
}

Result<std::size_t> format_of(const std::filesystem::path& path, const DbWords& words) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored) || std::filesystem::file_size(path, ignored) == 0) {
        return std::size_t{0};
    }
    IOTSKY_TRY(db, Db::open(path, Db::Mode::read_only, words));
    const std::uint64_t format = number(*db, "PRAGMA user_version");
    return db->failed() ? Result<std::size_t>{db->error()}
                        : Result<std::size_t>{static_cast<std::size_t>(format)};
}

Result<void> check(const std::filesystem::path& path, const DbWords& words, const Schema& schema) {
    IOTSKY_TRY(db, Db::open(path, Db::Mode::read_only, words));
    Query query = db->query("PRAGMA integrity_check(1)");
    if (query.next()) {
        const auto verdict = query.get<std::string>();
        if (verdict != "ok") {
            db->fail(SQLITE_CORRUPT, verdict);
        }
    }
    if (!db->failed() &&
        number(*db, "PRAGMA application_id") != static_cast<std::uint64_t>(schema.application_id)) {
        db->fail(SQLITE_NOTADB, "another program's application_id");
    }
    return db->failed() ? Result<void>{db->error()} : Result<void>{};
}

}  // namespace

Snapshot::Snapshot(std::unique_ptr<Db> db) : db_(std::move(db)) {}
Snapshot::~Snapshot() = default;

Result<std::unique_ptr<Snapshot>> Snapshot::open(const std::filesystem::path& path,
                                                 const DbWords& words) {
    IOTSKY_TRY(db, Db::open(path, Db::Mode::read_only, words));
    db->script("PRAGMA cache_size = -1024; BEGIN");
    // The first read fixes the moment.
    const std::uint64_t pages = number(*db, "PRAGMA page_count");
    const std::uint64_t page_bytes = number(*db, "PRAGMA page_size");
    const std::uint64_t tables = number(*db, "SELECT count(*) FROM sqlite_schema");
    const std::uint64_t format = number(*db, "PRAGMA user_version");
    if (db->failed() || tables == 0) {
        return db->failed() ? db->error()
                            : make_error(Errc::corrupt, "E5313",
                                         "\"" + path.string() + "\" is not iotsky's.",
                                         "It has no tables.", "Start iotsky once; it makes them.");
    }
    std::unique_ptr<Snapshot> snapshot(new Snapshot(std::move(db)));
    snapshot->bytes_ = pages * page_bytes;
    snapshot->format_ = static_cast<std::size_t>(format);
    return snapshot;
}

Result<std::unique_ptr<Snapshot>> Snapshot::of_registry(const std::filesystem::path& path) {
    return open(path, kRegistryWords);
}

Result<std::unique_ptr<Snapshot>> Snapshot::of_messages(const std::filesystem::path& path) {
    return open(path, kMessagesWords);
}

Result<void> Snapshot::copy_to(const std::filesystem::path& target, const Progress& progress) {
    IOTSKY_TRY(copy, Db::open(target, Db::Mode::read_write, db_->words()));
    copy->script("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF");
    {
        // While the read transaction is open, a step meets the same pages, whatever is committed.
        const Backup backup{sqlite3_backup_init(copy->handle(), "main", db_->handle(), "main")};
        if (!backup) {
            copy->fail(sqlite3_errcode(copy->handle()), sqlite3_errmsg(copy->handle()));
        } else {
            IOTSKY_CHECK(run_steps(*copy, *backup, progress, number(*db_, "PRAGMA page_size")));
        }
    }
    if (copy->failed()) {
        return copy->error().number == "E5301" ? no_space(target) : copy->error();
    }
    return {};
}

Result<std::size_t> registry_format_of(const std::filesystem::path& path) {
    return format_of(path, kRegistryWords);
}

Result<std::size_t> messages_format_of(const std::filesystem::path& path) {
    return format_of(path, kMessagesWords);
}

Result<void> check_registry(const std::filesystem::path& path) {
    return check(path, kRegistryWords, registry_schema());
}

Result<void> check_messages(const std::filesystem::path& path) {
    return check(path, kMessagesWords, messages_schema());
}

}  // namespace iotsky::storage
