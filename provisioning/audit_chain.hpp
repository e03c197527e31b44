#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "provisioning/records.hpp"
#include "provisioning/store.hpp"

namespace iotsky::provisioning {

/// SHA-256(hash of the entry before || every field of this entry with its length). The first entry
/// follows 32 zero bytes. Thread: any (pure).
[[nodiscard]] Sha256 audit_hash(const Sha256& before, const AuditEntry& entry);

/// Appends an entry behind the last one: fills in seq and hash.
void append_to_audit(Tx& tx, AuditEntry entry);

/// Where the chain breaks: an entry was changed, left out or moved.
struct AuditBreak {
    std::uint64_t seq = 0;
    std::string why;
};

/// What a walk over the chain found. A cut at the end shows only against a head noted elsewhere,
/// which is why `head` and `entries` are told.
struct AuditVerdict {
    std::uint64_t entries = 0;
    Sha256 head{};
    std::optional<AuditBreak> broken;  ///< the first break
};

/// Reads the whole chain. Cost: about 2 us an entry.
[[nodiscard]] AuditVerdict verify_audit(Reader& reader);

}  // namespace iotsky::provisioning
