#include "broker/delivery_record.hpp"

#include "base/assert.hpp"

namespace iotsky::broker {
namespace {

constexpr unsigned kRetain = 1;
constexpr unsigned kDroppable = 2;

// Both ends are this process: a pointer may travel as a number.
std::uint64_t to_number(Blob* blob) noexcept {
    return reinterpret_cast<std::uintptr_t>(blob);
}
Blob* to_blob(std::uint64_t number) noexcept {
    return reinterpret_cast<Blob*>(static_cast<std::uintptr_t>(number));
}

}  // namespace

void write_delivery(std::vector<std::byte>& chunk, const MessageView& message,
                    const BlobRef& shared, std::span<const Target> targets) {
    ByteWriter out(chunk);
    out.u64(message.mid);
    out.u64(message.retained_rev);
    out.u64(to_number(BlobRef(shared).release()));
    out.u8(message.qos);
    out.u8(static_cast<std::uint8_t>((message.retain ? kRetain : 0U) |
                                     (message.droppable ? kDroppable : 0U)));
    out.counted(message.topic);
    out.counted(shared ? std::span<const std::byte>{} : message.payload);
    out.u32(static_cast<std::uint32_t>(targets.size()));
    for (const Target& target : targets) {
        out.u64(target.session.packed());
        out.u64(target.sid);
        out.u8(target.qos);
        out.u8(static_cast<std::uint8_t>(target.form));
        out.u8(static_cast<std::uint8_t>(target.kind));
    }
}

bool read_delivery(ByteReader& in, DeliveryRecord& record) {
    if (in.empty()) {
        return false;
    }
    MessageView& message = record.message;
    message = {};
    message.mid = in.u64();
    message.retained_rev = in.u64();
    Blob* blob = to_blob(in.u64());
    record.shared = blob != nullptr ? BlobRef::adopt(blob) : BlobRef{};
    message.qos = in.u8();
    const unsigned flags = in.u8();
    message.retain = (flags & kRetain) != 0;
    message.droppable = (flags & kDroppable) != 0;
    message.topic = in.counted_text();
    const auto payload = in.counted();
    message.payload = record.shared ? record.shared.bytes() : payload;
    message.blob = record.shared ? &record.shared : nullptr;
    record.targets.resize(in.u32());
    for (Target& target : record.targets) {
        const std::uint64_t packed = in.u64();
        target.session.thread = static_cast<std::uint32_t>(packed >> 56U) & 0xffU;
        target.session.slot = static_cast<std::uint32_t>(packed >> 32U) & 0xffffffU;
        target.session.gen = static_cast<std::uint32_t>(packed);
        target.sid = in.u64();
        target.qos = in.u8();
        target.form = static_cast<Form>(in.u8());
        target.kind = static_cast<TargetKind>(in.u8());
    }
    IOTSKY_ASSERT(in.ok());
    return true;
}

}  // namespace iotsky::broker
