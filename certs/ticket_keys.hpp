#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"

namespace iotsky::certs {

/// One session-ticket key: 16 bytes name, 32 bytes HMAC key, 32 bytes AES key.
struct TicketKey {
    static constexpr std::size_t kNameBytes = 16;
    static constexpr std::size_t kBytes = 80;
    std::array<std::uint8_t, kBytes> bytes{};
    WallTime made{};  ///< Whole seconds.

    ~TicketKey() { explicit_bzero(bytes.data(), bytes.size()); }
    friend bool operator==(const TicketKey&, const TicketKey&) = default;
};

/// How long a key makes new tickets; then it opens old ones for as long again.
inline constexpr std::chrono::hours kTicketKeyLife{24};

/// The keys of all listeners: `current` makes tickets, both open them. A value; kept over a restart
/// so that a class of small devices need not do full handshakes. Thread: any (pure).
struct TicketKeys {
    TicketKey current;
    std::optional<TicketKey> previous;

    [[nodiscard]] static TicketKeys make(WallTime now, Random& random);
    /// The key with this name (16 bytes) if it may still open tickets, else nullptr.
    [[nodiscard]] const TicketKey* find(std::span<const std::uint8_t> name) const noexcept;
    /// Whether rotated(now) would change anything.
    [[nodiscard]] bool due(WallTime now) const noexcept;
    /// After 24 h the current key becomes the previous one; after 48 h without rotation, or when
    /// the clock went back behind `made`, both are new.
    [[nodiscard]] TicketKeys rotated(WallTime now, Random& random) const;

    friend bool operator==(const TicketKeys&, const TicketKeys&) = default;
};

/// Text form of the file, with a checksum.
[[nodiscard]] SecretString format_ticket_keys(const TicketKeys& keys);
/// E5240 unless `text` is exactly what format_ticket_keys writes.
[[nodiscard]] Result<TicketKeys> parse_ticket_keys(std::string_view text);

/// `folder`/tickets.key, made when missing, rotated when due, 0600. `folder` is DIR/ca, after
/// Authority::open made it.
/// Errors: those of read_file, E5240; each names the file.
[[nodiscard]] Result<TicketKeys> load_ticket_keys(const std::filesystem::path& folder, WallTime now,
                                                  Random& random);
[[nodiscard]] Result<void> save_ticket_keys(const std::filesystem::path& folder,
                                            const TicketKeys& keys);

}  // namespace iotsky::certs
