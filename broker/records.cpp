#include "broker/records.hpp"

#include <utility>

#include "base/bytes.hpp"

namespace iotsky::broker {
namespace {

constexpr std::uint8_t kOptionalBit = 0x80;

enum PublishFlag : std::uint8_t { kRetain = 1, kReplay = 2 };

PublishRecord read_publish(ByteReader& in, std::vector<PublishTarget>& targets) {
    PublishRecord r{};
    r.mid = in.u64();
    r.publisher = in.u64();
    r.inbound_id = in.u16();
    r.qos = in.u8();
    const std::uint8_t flags = in.u8();
    r.retain = (flags & kRetain) != 0;
    r.replay = (flags & kReplay) != 0;
    r.retained_rev = in.u64();
    r.topic = in.counted_text();
    r.payload = in.counted();
    const std::uint32_t count = in.u32();
    targets.clear();
    for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
        PublishTarget target{};
        target.sid = in.u64();
        target.qos = in.u8();
        target.form = static_cast<Form>(in.u8());
        targets.push_back(target);
    }
    r.targets = targets;
    return r;
}

WillRecord read_will(ByteReader& in) {
    WillRecord r{};
    r.sid = in.u64();
    r.topic = in.counted_text();
    r.payload = in.counted();
    r.qos = in.u8();
    r.retain = in.u8() != 0;
    return r;
}

SessionAwayRecord read_away(ByteReader& in) {
    SessionAwayRecord r{in.u64(), {}};
    if (in.u8() != 0) {
        r.since_s = in.u64();
    }
    return r;
}

// Braced initialisers are evaluated left to right, in the order the fields were written.
bool visit_one(RecordType type, ByteReader in, RecordVisitor& visitor,
               std::vector<PublishTarget>& targets) {
    const auto emit = [&](const auto& r) {
        if (in.ok()) {
            visitor.on(r);
        }
        return in.ok();
    };
    switch (type) {
        case RecordType::session_open:
            return emit(
                SessionOpenRecord{in.u64(), in.counted_text(), in.counted_text(), in.u64()});
        case RecordType::session_end:
            return emit(SessionEndRecord{in.u64()});
        case RecordType::subscribe:
            return emit(SubscribeRecord{in.u64(), in.counted_text(), in.u8()});
        case RecordType::unsubscribe:
            return emit(UnsubscribeRecord{in.u64(), in.counted_text()});
        case RecordType::publish:
            return emit(read_publish(in, targets));
        case RecordType::release_in:
            return emit(ReleaseInRecord{in.u64(), in.u16()});
        case RecordType::sent:
            return emit(
                SentRecord{in.u64(), in.u64(), static_cast<Form>(in.u8()), in.u16(), in.u64()});
        case RecordType::received:
            return emit(ReceivedRecord{in.u64(), in.u64(), static_cast<Form>(in.u8()), in.u16()});
        case RecordType::done:
            return emit(DoneRecord{in.u64(), in.u64(), static_cast<Form>(in.u8()),
                                   static_cast<DoneWhy>(in.u8())});
        case RecordType::will:
            return emit(read_will(in));
        case RecordType::will_off:
            return emit(WillOffRecord{in.u64()});
        case RecordType::session_away:
            return emit(read_away(in));
        case RecordType::uptime:
            return emit(UptimeRecord{in.u64()});
    }
    return (static_cast<std::uint8_t>(type) & kOptionalBit) != 0;
}

}  // namespace

template <typename Fields>
void RecordWriter::record(RecordType type, Fields&& fields) {
    ByteWriter out(chunk_);
    out.u8(static_cast<std::uint8_t>(type));
    const std::size_t length_at = out.position();
    out.u32(0);
    fields(out);
    out.patch_u32(length_at, static_cast<std::uint32_t>(out.position() - length_at - 4));
}

void RecordWriter::add(const SessionOpenRecord& r) {
    record(RecordType::session_open, [&](ByteWriter& out) {
        out.u64(r.sid);
        out.counted(r.scope);
        out.counted(r.client_id);
        out.u64(r.epoch);
    });
}

void RecordWriter::add(const SessionEndRecord& r) {
    record(RecordType::session_end, [&](ByteWriter& out) { out.u64(r.sid); });
}

void RecordWriter::add(const SubscribeRecord& r) {
    record(RecordType::subscribe, [&](ByteWriter& out) {
        out.u64(r.sid);
        out.counted(r.filter);
        out.u8(r.qos);
    });
}

void RecordWriter::add(const UnsubscribeRecord& r) {
    record(RecordType::unsubscribe, [&](ByteWriter& out) {
        out.u64(r.sid);
        out.counted(r.filter);
    });
}

void RecordWriter::add(const PublishRecord& r) {
    record(RecordType::publish, [&](ByteWriter& out) {
        out.u64(r.mid);
        out.u64(r.publisher);
        out.u16(r.inbound_id);
        out.u8(r.qos);
        out.u8(static_cast<std::uint8_t>((r.retain ? kRetain : 0) | (r.replay ? kReplay : 0)));
        out.u64(r.retained_rev);
        out.counted(r.topic);
        out.counted(r.payload);
        out.u32(static_cast<std::uint32_t>(r.targets.size()));
        for (const PublishTarget& target : r.targets) {
            out.u64(target.sid);
            out.u8(target.qos);
            out.u8(static_cast<std::uint8_t>(target.form));
        }
    });
}

void RecordWriter::add(const ReleaseInRecord& r) {
    record(RecordType::release_in, [&](ByteWriter& out) {
        out.u64(r.sid);
        out.u16(r.packet_id);
    });
}

void RecordWriter::add(const SentRecord& r) {
    record(RecordType::sent, [&](ByteWriter& out) {
        out.u64(r.sid);
        out.u64(r.mid);
        out.u8(static_cast<std::uint8_t>(r.form));
        out.u16(r.packet_id);
        out.u64(r.order);
    });
}

void RecordWriter::add(const ReceivedRecord& r) {
    record(RecordType::received, [&](ByteWriter& out) {
        out.u64(r.sid);
        out.u64(r.mid);
        out.u8(static_cast<std::uint8_t>(r.form));
        out.u16(r.packet_id);
    });
}

void RecordWriter::add(const DoneRecord& r) {
    record(RecordType::done, [&](ByteWriter& out) {
        out.u64(r.sid);
        out.u64(r.mid);
        out.u8(static_cast<std::uint8_t>(r.form));
        out.u8(static_cast<std::uint8_t>(r.why));
    });
}

void RecordWriter::add(const WillRecord& r) {
    record(RecordType::will, [&](ByteWriter& out) {
        out.u64(r.sid);
        out.counted(r.topic);
        out.counted(r.payload);
        out.u8(r.qos);
        out.u8(r.retain ? 1 : 0);
    });
}

void RecordWriter::add(const WillOffRecord& r) {
    record(RecordType::will_off, [&](ByteWriter& out) { out.u64(r.sid); });
}

void RecordWriter::add(const SessionAwayRecord& r) {
    record(RecordType::session_away, [&](ByteWriter& out) {
        out.u64(r.sid);
        out.u8(r.since_s ? 1 : 0);
        if (r.since_s) {
            out.u64(*r.since_s);
        }
    });
}

void RecordWriter::add(const UptimeRecord& r) {
    record(RecordType::uptime, [&](ByteWriter& out) { out.u64(r.uptime_s); });
}

RecordChunk RecordWriter::take() {
    return std::exchange(chunk_, {});
}

bool visit_records(std::span<const std::byte> chunk, RecordVisitor& visitor) {
    ByteReader in(chunk);
    std::vector<PublishTarget> targets;
    while (!in.empty()) {
        const auto type = static_cast<RecordType>(in.u8());
        const auto fields = in.counted();
        if (!in.ok() || !visit_one(type, ByteReader(fields), visitor, targets)) {
            return false;
        }
    }
    return true;
}

}  // namespace iotsky::broker
