#include "provisioning/audit_chain.hpp"

#include "provisioning/sha256.hpp"

namespace iotsky::provisioning {
namespace {

constexpr std::size_t kEntriesPerRead = 1000;

void add_number(std::string& bytes, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) {
        bytes += static_cast<char>((value >> shift) & 0xffU);
    }
}

/// With its length in front, so that text cannot move from one field to the next unseen.
void add_text(std::string& bytes, std::string_view text) {
    add_number(bytes, text.size());
    bytes += text;
}

}  // namespace

Sha256 audit_hash(const Sha256& before, const AuditEntry& entry) {
    std::string bytes(reinterpret_cast<const char*>(before.data()), before.size());
    add_number(bytes, entry.seq);
    add_number(bytes, static_cast<std::uint64_t>(to_unix_s(entry.at)));
    for (const std::string* field : {&entry.actor, &entry.action, &entry.object, &entry.detail}) {
        add_text(bytes, *field);
    }
    return sha256(bytes);
}

void append_to_audit(Tx& tx, AuditEntry entry) {
    const std::optional<AuditEntry> last = tx.last_audit_entry();
    entry.seq = last ? last->seq + 1 : 1;
    entry.hash = audit_hash(last ? last->hash : Sha256{}, entry);
    tx.append_audit(entry);
}

AuditVerdict verify_audit(Reader& reader) {
    AuditVerdict verdict;
    std::uint64_t expected = 1;
    for (;;) {
        const std::vector<AuditEntry> entries = reader.audit_after(expected - 1, kEntriesPerRead);
        if (entries.empty()) {
            return verdict;
        }
        for (const AuditEntry& entry : entries) {
            if (entry.seq != expected) {
                verdict.broken = AuditBreak{expected, "the entry is missing"};
                return verdict;
            }
            if (audit_hash(verdict.head, entry) != entry.hash) {
                verdict.broken = AuditBreak{entry.seq, "the entry, or one before it, was changed"};
                return verdict;
            }
            verdict.head = entry.hash;
            ++verdict.entries;
            ++expected;
        }
    }
}

}  // namespace iotsky::provisioning
