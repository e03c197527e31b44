#include "storage/migrate.hpp"

#include <sqlite3.h>

#include <cstdint>

#include "storage/db.hpp"

namespace iotsky::storage {
namespace {

Error foreign_database(const std::filesystem::path& path) {
    return make_error(Errc::corrupt, "E5313", "\"" + path.string() + "\" is not iotsky's.",
                      "It is a SQLite database of another program, or has another one's name.",
                      "Move it away, or start with another data folder (--data DIR).");
}

Error newer_format(const std::filesystem::path& path, std::int64_t format, std::size_t known) {
    return make_error(Errc::unsupported, "E5312",
                      "\"" + path.string() + "\" was written by a newer iotsky (format " +
                          std::to_string(format) + ", this program knows " + std::to_string(known) +
                          ").",
                      "An older program could damage it.",
                      "Start the newer iotsky again, or put back the backup made before the "
                      "upgrade.");
}

/// Format of the file, 0 when it is new.
Result<std::size_t> check_format(Db& db, const std::filesystem::path& path, const Schema& schema) {
    const std::size_t known = schema.migrations.size();
    const std::int64_t application = db.number("PRAGMA application_id");
    const std::int64_t format = db.number("PRAGMA user_version");
    const std::int64_t tables = db.number("SELECT count(*) FROM sqlite_schema");
    if (db.failed()) {
        return db.error();
    }
    if (application != schema.application_id && (application != 0 || format != 0 || tables != 0)) {
        return foreign_database(path);
    }
    if (format < 0 || static_cast<std::size_t>(format) > known) {
        return newer_format(path, format, known);
    }
    return static_cast<std::size_t>(format);
}

void apply(Db& db, std::size_t format, const Schema& schema) {
    db.script("BEGIN IMMEDIATE");
    for (std::size_t i = format; i < schema.migrations.size(); ++i) {
        db.script(schema.migrations[i]);
    }
    db.script("PRAGMA user_version = " + std::to_string(schema.migrations.size()));
    db.script("PRAGMA application_id = " + std::to_string(schema.application_id));
    db.script("COMMIT");
}

std::uintmax_t bytes_of(const std::filesystem::path& path) {
    std::error_code failed;
    const std::uintmax_t bytes = std::filesystem::file_size(path, failed);
    return failed ? 0 : bytes;
}

}  // namespace

Result<void> migrate(Db& db, const std::filesystem::path& path, const Schema& schema) {
    const std::size_t known = schema.migrations.size();
    IOTSKY_TRY(format, check_format(db, path, schema));
    if (format == 0) {
        // Only before the first table; INCREMENTAL so that space can be given back in small steps.
        db.script("PRAGMA auto_vacuum = INCREMENTAL");
    } else if (bytes_of(path) <= schema.check_bytes_max) {
        IOTSKY_CHECK(db.check_whole("PRAGMA quick_check(1)"));
    }
    db.script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    if (db.failed()) {
        return db.error();
    }
    if (format == known) {
        return {};
    }
    apply(db, format, schema);
    if (db.failed()) {
        Error error =
            make_error(Errc::io, "E5314",
                       std::string{db.words().title} + " could not be brought from format " +
                           std::to_string(format) + " to " + std::to_string(known) +
                           "; it was left as it was.",
                       db.error().message, "Mend the cause (disk full?) and start again.");
        error.detail = db.error().detail;
        db.reset();
        if (db.in_transaction()) {
            db.script("ROLLBACK");
        }
        return error;
    }
    return {};
}

}  // namespace iotsky::storage
