#include "storage/messages_set_aside.hpp"

#include <algorithm>
#include <fstream>
#include <string>

#include "base/file_stamp.hpp"
#include "base/log.hpp"
#include "storage/db.hpp"
#include "storage/messages_db.hpp"

namespace iotsky::storage {
namespace {

struct Content {
    const char* what;
    const char* count;
};
constexpr Content kContents[] = {
    {"sessions", "SELECT count(*) FROM sessions"},
    {"subscriptions", "SELECT count(*) FROM subscriptions"},
    {"queued messages", "SELECT count(*) FROM queue"},
    {"retained messages", "SELECT count(*) FROM retained"},
};

/// "3 sessions, 7 subscriptions, an unknown number of queued messages, 2 retained messages".
std::string contents_of(const std::filesystem::path& file) {
    std::string text;
    auto db = Db::open(file, Db::Mode::read_write, kMessagesWords);
    for (const Content& content : kContents) {
        std::string count = "an unknown number of";
        if (db) {
            Query query = (*db)->query(content.count);
            if (query.next()) {
                count = std::to_string(query.get<std::uint64_t>());
            }
        }
        if (db) {
            (*db)->reset();
        }
        text += (text.empty() ? "" : ", ") + count + " " + content.what;
    }
    return text;
}

Error cannot_rename(const std::filesystem::path& file, const std::error_code& fault) {
    return make_error(Errc::io, "E5304", "The damaged message store could not be set aside.",
                      "\"" + file.string() + "\": " + fault.message() + ".",
                      "Check owner and rights of the folder, or move messages.db* away.");
}

}  // namespace

std::filesystem::path damage_mark(const std::filesystem::path& messages) {
    return messages.string() + ".damaged";
}

void mark_damaged(const std::filesystem::path& messages, const Error& damage) {
    std::ofstream mark(damage_mark(messages));
    mark << damage.detail << "\n";
    if (!mark.flush()) {
        log::error(damage.number, "the damaged message store could not be marked",
                   {{"detail", damage_mark(messages).string()}});
    }
}

Result<std::filesystem::path> set_aside(const std::filesystem::path& messages, WallTime now) {
    const std::string kept = messages.string() + ".damaged-" + file_stamp(now);
    std::error_code fault;
    std::filesystem::rename(messages, kept, fault);
    if (fault) {
        return cannot_rename(messages, fault);
    }
    // The log belongs to the file; the index of the log is made anew.
    if (std::filesystem::exists(messages.string() + "-wal", fault)) {
        std::filesystem::rename(messages.string() + "-wal", kept + "-wal", fault);
        if (fault) {
            return cannot_rename(messages.string() + "-wal", fault);
        }
    }
    std::filesystem::remove(messages.string() + "-shm", fault);
    std::filesystem::remove(damage_mark(messages), fault);
    return std::filesystem::path{kept};
}

Error told_as_lost(const std::filesystem::path& kept) {
    return make_error(
        Errc::corrupt, "E5302", "The message store was damaged; lost: " + contents_of(kept) + ".",
        "It was set aside as \"" + kept.string() + "\", and an empty one took its place.",
        "Nothing has to be done: clients open their sessions anew. Things, certificates and rights "
        "are in registry.db and are not concerned.");
}

}  // namespace iotsky::storage
