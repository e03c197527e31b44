#include "provisioning/events.hpp"

#include "provisioning/rights.hpp"

namespace iotsky::provisioning {

Result<std::vector<Event>> Events::after(const Caller& caller, std::uint64_t seq,
                                         std::size_t limit) {
    IOTSKY_CHECK(check(caller, Operation::events_read, {}));
    IOTSKY_CHECK(to_page({{}, limit}));
    return core_.store.read([&](Reader& reader) -> Result<std::vector<Event>> {
        return reader.events_after(seq, limit);
    });
}

Result<std::uint64_t> Events::last_seq() {
    return core_.store.read(
        [](Reader& reader) -> Result<std::uint64_t> { return reader.last_event_seq(); });
}

Result<std::vector<Event>> Events::unpublished(std::size_t limit) {
    return core_.store.read([&](Reader& reader) -> Result<std::vector<Event>> {
        return reader.unpublished_events(limit);
    });
}

Result<void> Events::mark_published(std::uint64_t seq) {
    return core_.store.transact_void(
        [&](Tx& tx) -> Result<void> {
            tx.mark_events_published(seq);
            return {};
        },
        Ending::commit);
}

Result<std::vector<AuditEntry>> Audit::after(const Caller& caller, std::uint64_t seq,
                                             std::size_t limit) {
    IOTSKY_CHECK(check(caller, Operation::audit_read, {}));
    IOTSKY_CHECK(to_page({{}, limit}));
    return core_.store.read([&](Reader& reader) -> Result<std::vector<AuditEntry>> {
        return reader.audit_after(seq, limit);
    });
}

Result<AuditVerdict> Audit::verify(const Caller& caller) {
    IOTSKY_CHECK(check(caller, Operation::audit_read, {}));
    return core_.store.read(
        [](Reader& reader) -> Result<AuditVerdict> { return verify_audit(reader); });
}

Result<void> Audit::note(const Caller& caller, std::string_view action, std::string object,
                         std::string detail_json) {
    return core_.store.transact_void(
        [&](Tx& tx) -> Result<void> {
            append_to_audit(
                tx,
                AuditEntry{
                    0, core_.now(), caller.actor, std::string{action}, object, detail_json, {}});
            return {};
        },
        Ending::commit);
}

}  // namespace iotsky::provisioning
