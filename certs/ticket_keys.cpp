#include "certs/ticket_keys.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "base/text.hpp"
#include "certs/files.hpp"
#include "certs/fingerprint.hpp"
#include "certs/hex.hpp"

namespace iotsky::certs {
namespace {

constexpr std::string_view kHead = "iotsky session ticket keys 1\n";
constexpr std::size_t kChecksumDigits = 64;

TicketKey make_key(WallTime now, Random& random) {
    TicketKey key;
    random.fill(std::as_writable_bytes(std::span{key.bytes}));
    key.made = from_unix_s(to_unix_s(now));
    return key;
}

std::string checksum(std::string_view text) {
    return Fingerprint::of({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}).hex();
}

Error bad_file() {
    return make_error(Errc::corrupt, "E5240", "The session ticket keys cannot be read.",
                      "The file is cut off or damaged.",
                      "Remove the file: devices then do one full handshake, nothing else is lost.");
}

void append_line(std::string& text, const TicketKey& key) {
    std::string hex = to_hex(key.bytes);
    text += std::to_string(to_unix_s(key.made)) + " " + hex + "\n";
    wipe(hex);
}

/// One "unix-seconds hex" line.
std::optional<TicketKey> parse_line(std::string_view line) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) {
        return std::nullopt;
    }
    TicketKey key;
    std::int64_t made = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + space, made);
    // Bounded so that arithmetic on the date cannot overflow.
    if (error != std::errc{} || end != line.data() + space || made < 0 || made > 4'000'000'000 ||
        !parse_hex(line.substr(space + 1), key.bytes)) {
        return std::nullopt;
    }
    key.made = from_unix_s(made);
    return key;
}

}  // namespace

TicketKeys TicketKeys::make(WallTime now, Random& random) {
    return {make_key(now, random), std::nullopt};
}

const TicketKey* TicketKeys::find(std::span<const std::uint8_t> name) const noexcept {
    const auto has_name = [&](const TicketKey& key) {
        return name.size() == TicketKey::kNameBytes &&
               std::equal(name.begin(), name.end(), key.bytes.begin());
    };
    if (has_name(current)) {
        return &current;
    }
    return previous && has_name(*previous) ? &*previous : nullptr;
}

bool TicketKeys::due(WallTime now) const noexcept {
    return now >= current.made + kTicketKeyLife || now < current.made;
}

TicketKeys TicketKeys::rotated(WallTime now, Random& random) const {
    if (!due(now)) {
        return *this;
    }
    TicketKeys next = make(now, random);
    if (now >= current.made && now < current.made + 2 * kTicketKeyLife) {
        next.previous = current;
    }
    return next;
}

SecretString format_ticket_keys(const TicketKeys& keys) {
    std::string text{kHead};
    text.reserve(1024);  // no reallocation, which would leave key bytes behind
    append_line(text, keys.current);
    if (keys.previous) {
        append_line(text, *keys.previous);
    }
    text += checksum(text) + "\n";
    return SecretString::take(std::move(text));
}

Result<TicketKeys> parse_ticket_keys(std::string_view text) {
    if (!text.starts_with(kHead) || text.size() < kHead.size() + kChecksumDigits + 1 ||
        text.back() != '\n') {
        return bad_file();
    }
    const std::string_view body = text.substr(0, text.size() - kChecksumDigits - 1);
    if (text.substr(body.size(), kChecksumDigits) != checksum(body)) {
        return bad_file();
    }
    const auto lines = split(body.substr(kHead.size()), '\n');
    if (lines.size() < 2 || lines.size() > 3 || !lines.back().empty()) {
        return bad_file();
    }
    TicketKeys keys;
    for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
        const auto key = parse_line(lines[i]);
        if (!key) {
            return bad_file();
        }
        (i == 0 ? keys.current : keys.previous.emplace()) = *key;
    }
    return keys;
}

Result<TicketKeys> load_ticket_keys(const std::filesystem::path& folder, WallTime now,
                                    Random& random) {
    const std::filesystem::path path = folder / "tickets.key";
    std::error_code ignored;
    if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) {
        const TicketKeys keys = TicketKeys::make(now, random);
        IOTSKY_CHECK(save_ticket_keys(folder, keys));
        return keys;
    }
    IOTSKY_TRY(text, read_file(path, FileKind::secret));
    auto keys = parse_ticket_keys(text.view());
    if (!keys) {
        Error error = std::move(keys).error();
        error.message = path.string() + ": " + error.message;
        return error;
    }
    if (keys->due(now)) {
        keys = keys->rotated(now, random);
        IOTSKY_CHECK(save_ticket_keys(folder, *keys));
    }
    return keys;
}

Result<void> save_ticket_keys(const std::filesystem::path& folder, const TicketKeys& keys) {
    return write_file(folder / "tickets.key", format_ticket_keys(keys).view(), FileKind::secret,
                      IfExists::replace);
}

}  // namespace iotsky::certs
