#include "storage/snapshot.hpp"

#include <sqlite3.h>

#include "base/c_handle.hpp"
#include "storage/db.hpp"
#include "storage/messages_db.hpp"

namespace iotsky::storage {
namespace {

/// 256 KiB: about 1 ms of a disk between two looks at `progress`.
constexpr int kStepPages = 64;
/// 4 MiB: what may wait to be written, so that neither a stop nor a commit waits for more.
constexpr int kStepsToDisk = 16;

using Backup = CHandle<sqlite3_backup, sqlite3_backup_finish>;

Error no_space(const std::filesystem::path& target) {
    return make_error(Errc::io, "E5103", "No space for the copy " + target.string() + ".",
                      "The disk is full; the unfinished copy was removed.",
                      "Free some space (df -h shows where).");
}

/// What was written so far reaches the disk: else all of it would, at once, with the next commit
/// of the broker or at the end.
int write_out(Db& copy) {
    sqlite3_file* file = nullptr;
    const int code = sqlite3_file_control(copy.handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
    return code != SQLITE_OK ? code : file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
}

Result<void> run_steps(Db& target, sqlite3_backup& backup, const Snapshot::Progress& progress,
                       std::uint64_t page_bytes) {
    int code = SQLITE_OK;
    for (int step = 1; code == SQLITE_OK; ++step) {
        code = sqlite3_backup_step(&backup, kStepPages);
        if (code == SQLITE_OK && step % kStepsToDisk == 0) {
            code = write_out(target);
        }
        const auto done = static_cast<std::uint64_t>(sqlite3_backup_pagecount(&backup) -
                                                     sqlite3_backup_remaining(&backup));
        if (code == SQLITE_OK && !progress(done * page_bytes)) {
            return copy_ended();
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
    const std::int64_t format = db->number("PRAGMA user_version");
    return db->failed() ? Result<std::size_t>{db->error()}
                        : Result<std::size_t>{static_cast<std::size_t>(format)};
}

Result<void> check(const std::filesystem::path& path, const DbWords& words, const Schema& schema) {
    IOTSKY_TRY(db, Db::open(path, Db::Mode::read_only, words));
    IOTSKY_CHECK(db->check_whole("PRAGMA integrity_check(1)"));
    if (db->number("PRAGMA application_id") != schema.application_id) {
        db->fail(SQLITE_NOTADB, "another program's application_id");
    }
    return db->failed() ? Result<void>{db->error()} : Result<void>{};
}

}  // namespace

Error copy_ended() {
    return make_error(Errc::unavailable, "E5110", "The backup was not finished.",
                      "The broker was stopped while it was made; nothing is left of it.",
                      "Make it again.");
}

Snapshot::Snapshot(std::unique_ptr<Db> db) : db_(std::move(db)) {}
Snapshot::~Snapshot() = default;

Result<std::unique_ptr<Snapshot>> Snapshot::open(const std::filesystem::path& path,
                                                 const DbWords& words) {
    IOTSKY_TRY(db, Db::open(path, Db::Mode::read_only, words));
    db->script("PRAGMA cache_size = -1024; BEGIN");
    // The first read fixes the moment.
    const std::int64_t pages = db->number("PRAGMA page_count");
    const std::int64_t page_bytes = db->number("PRAGMA page_size");
    const std::int64_t tables = db->number("SELECT count(*) FROM sqlite_schema");
    const std::int64_t format = db->number("PRAGMA user_version");
    if (db->failed() || tables == 0) {
        return db->failed() ? db->error()
                            : make_error(Errc::corrupt, "E5313",
                                         "\"" + path.string() + "\" is not iotsky's.",
                                         "It has no tables.", "Start iotsky once; it makes them.");
    }
    std::unique_ptr<Snapshot> snapshot(new Snapshot(std::move(db)));
    snapshot->bytes_ = static_cast<std::uint64_t>(pages * page_bytes);
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
            const auto page_bytes = static_cast<std::uint64_t>(db_->number("PRAGMA page_size"));
            IOTSKY_CHECK(run_steps(*copy, *backup, progress, page_bytes));
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
