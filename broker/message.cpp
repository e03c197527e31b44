#include "broker/message.hpp"

#include <cstring>
#include <new>

namespace iotsky::broker {
namespace {

constexpr std::size_t kSmallestClassBytes = 128;
constexpr std::uint8_t kExact = 0xff;

}  // namespace

std::size_t LocalMsg::cost_bytes() const noexcept {
    if (size_class_ == kExact) {
        return sizeof(LocalMsg) + topic_bytes_ + payload_bytes_;
    }
    return (kSmallestClassBytes << size_class_) + (blob_ ? payload_bytes_ : 0);
}

MsgRef::~MsgRef() {
    if (msg_ != nullptr && --msg_->refs_ == 0) {
        msg_->pool_->release(msg_);
    }
}

MessagePool::~MessagePool() {
    for (auto& blocks : free_) {
        for (void* block : blocks) {
            ::operator delete(block);
        }
    }
}

MsgRef MessagePool::copy_of(const MessageView& message) {
    const bool shared = message.payload.size() >= kBlobBytesMin;
    const std::size_t bytes =
        sizeof(LocalMsg) + message.topic.size() + (shared ? 0 : message.payload.size());
    std::size_t size_class = 0;
    while (size_class < kClasses && (kSmallestClassBytes << size_class) < bytes) {
        ++size_class;
    }
    void* block = nullptr;
    if (size_class < kClasses && !free_[size_class].empty()) {
        block = free_[size_class].back();
        free_[size_class].pop_back();
        free_bytes_ -= kSmallestClassBytes << size_class;
    } else {
        block = ::operator new(size_class < kClasses ? kSmallestClassBytes << size_class : bytes);
    }
    auto* msg = new (block) LocalMsg;
    msg->pool_ = this;
    msg->mid_ = message.mid;
    msg->qos_ = message.qos;
    msg->retain_ = message.retain;
    msg->topic_bytes_ = static_cast<std::uint16_t>(message.topic.size());
    msg->payload_bytes_ = static_cast<std::uint32_t>(message.payload.size());
    msg->size_class_ = size_class < kClasses ? static_cast<std::uint8_t>(size_class) : kExact;
    char* text = reinterpret_cast<char*>(msg + 1);
    std::memcpy(text, message.topic.data(), message.topic.size());
    if (shared) {
        msg->blob_ = message.blob != nullptr ? *message.blob : BlobRef::copy_of(message.payload);
    } else if (!message.payload.empty()) {
        std::memcpy(text + message.topic.size(), message.payload.data(), message.payload.size());
    }
    bytes_ += msg->cost_bytes();
    return MsgRef(msg);
}

void MessagePool::release(LocalMsg* msg) noexcept {
    bytes_ -= msg->cost_bytes();
    const std::uint8_t size_class = msg->size_class_;
    msg->~LocalMsg();
    if (size_class != kExact && free_bytes_ < kKeepBytesMax) {
        free_[size_class].push_back(msg);
        free_bytes_ += kSmallestClassBytes << size_class;
    } else {
        ::operator delete(msg);
    }
}

}  // namespace iotsky::broker
