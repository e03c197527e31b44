#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/blob.hpp"
#include "broker/ids.hpp"

namespace iotsky::broker {

/// A limit of queued messages that was reached.
enum class Quota : std::uint8_t { none, session, project, broker };

/// A message while its turn lasts: views into a read buffer, a mailbox chunk or a retained entry.
struct MessageView {
    Mid mid = 0;
    std::string_view topic;  ///< canonical; never `$me/...`
    std::span<const std::byte> payload;
    std::uint8_t qos = 0;
    bool retain = false;  ///< RETAIN as it goes out: true only in a replay for a new subscription
                          ///< [MQTT-3.3.1-8], [MQTT-3.3.1-9]
    Rev retained_rev =
        0;  ///< revision of a live message that was published with RETAIN; 0 otherwise
    const BlobRef* blob = nullptr;  ///< set when the payload is shared
    bool droppable = false;  ///< no client was told that it is taken: the broker's own, Wills
};

class MessagePool;

/// A message that waits in queues of one thread: one copy shared by that thread's sessions, plain
/// counter. The payload is in-line below kBlobBytesMin, else a Blob. Confined to its thread.
class LocalMsg {
  public:
    [[nodiscard]] Mid mid() const noexcept { return mid_; }
    [[nodiscard]] std::uint8_t qos() const noexcept { return qos_; }
    [[nodiscard]] bool retain() const noexcept { return retain_; }
    [[nodiscard]] std::string_view topic() const noexcept { return {text(), topic_bytes_}; }
    [[nodiscard]] std::span<const std::byte> payload() const noexcept {
        return blob_ ? blob_.bytes()
                     : std::span{reinterpret_cast<const std::byte*>(text()) + topic_bytes_,
                                 payload_bytes_};
    }
    [[nodiscard]] const BlobRef& blob() const noexcept { return blob_; }
    /// The same as a message to be sent; lives as long as this.
    [[nodiscard]] MessageView view() const noexcept {
        return {mid_, topic(), payload(), qos_, retain_, 0, blob_ ? &blob_ : nullptr};
    }
    /// True cost in memory, which MessagePool::bytes() counts; quotas count queue_cost().
    [[nodiscard]] std::size_t cost_bytes() const noexcept;

  private:
    friend class MessagePool;
    friend class MsgRef;
    LocalMsg() = default;
    [[nodiscard]] const char* text() const noexcept {
        return reinterpret_cast<const char*>(this + 1);
    }

    MessagePool* pool_ = nullptr;
    Mid mid_ = 0;
    BlobRef blob_;
    std::uint32_t refs_ = 0;
    std::uint32_t payload_bytes_ = 0;
    std::uint16_t topic_bytes_ = 0;
    std::uint8_t qos_ = 0;
    bool retain_ = false;
    std::uint8_t size_class_ = 0;
};

/// Counted reference to a LocalMsg; never leaves its thread.
class MsgRef {
  public:
    MsgRef() noexcept = default;
    explicit MsgRef(LocalMsg* msg) noexcept : msg_(msg) {
        if (msg_ != nullptr) {
            ++msg_->refs_;
        }
    }
    MsgRef(const MsgRef& other) noexcept : MsgRef(other.msg_) {}
    MsgRef(MsgRef&& other) noexcept : msg_(std::exchange(other.msg_, nullptr)) {}
    MsgRef& operator=(MsgRef other) noexcept {
        std::swap(msg_, other.msg_);
        return *this;
    }
    ~MsgRef();

    explicit operator bool() const noexcept { return msg_ != nullptr; }
    const LocalMsg* operator->() const noexcept { return msg_; }
    const LocalMsg& operator*() const noexcept { return *msg_; }

  private:
    LocalMsg* msg_ = nullptr;
};

/// Storage of LocalMsgs in size classes with free lists: no allocation per message in steady state.
/// Confined.
class MessagePool {
  public:
    MessagePool() = default;
    ~MessagePool();
    MessagePool(const MessagePool&) = delete;
    MessagePool& operator=(const MessagePool&) = delete;

    [[nodiscard]] MsgRef copy_of(const MessageView& message);
    /// Bytes in use by messages, blobs included once per holder.
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  private:
    friend class MsgRef;
    static constexpr std::size_t kClasses =
        10;  // 128 B << class; the last one is exact and not kept
    static constexpr std::size_t kKeepBytesMax = 8U << 20U;
    void release(LocalMsg* msg) noexcept;

    std::array<std::vector<void*>, kClasses> free_;
    std::size_t free_bytes_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace iotsky::broker
