#include "broker/disk_queue.hpp"

#include <algorithm>
#include <utility>

#include "base/bytes.hpp"
#include "broker/shard_impl.hpp"

namespace iotsky::broker {
namespace {

/// Messages of one page: enough to fill a window of the default size several times.
constexpr std::size_t kPageMessages = 512;
/// What is left to send from memory when the next page is asked for.
constexpr std::size_t kRefillBelow = 64;
/// A page of the oldest messages takes its time; a queue may be above its quota by an eighth and so
/// much meanwhile.
constexpr std::size_t kSlackMessages = 64;
constexpr std::size_t kSlackBytes = 64U << 10U;

std::size_t cost_of(const StoredMessage& message) noexcept {
    return message.state == StoredMessage::State::received
               ? 0
               : queue_cost(message.topic.size(), message.payload.size());
}

void forget_read(Backlog& backlog) noexcept {
    backlog.reading = 0;
    backlog.fetching = false;
}

/// A page on its way from the log's thread to the session's.
class PageArrived final : public ControlMessage {
  public:
    PageArrived(SessionRef session, std::uint64_t number, QueueRead asked, QueuePage page)
        : session_(session), number_(number), asked_(std::move(asked)), page_(std::move(page)) {}
    void run(Shard& shard) override {
        shard.impl().disk_queue.on_page(session_, number_, asked_, page_);
    }

  private:
    SessionRef session_;
    std::uint64_t number_;
    QueueRead asked_;
    QueuePage page_;
};

}  // namespace

ThreadId DiskQueue::source_of(Mid mid) const noexcept {
    return mid < s_.shared.first_mid ? MidRange::kEarlierRuns : static_cast<ThreadId>(mid & 0xffU);
}

bool DiskQueue::takes(const Session& session, std::size_t cost) const noexcept {
    if (!session.persistent() || !s_.shared.log.keeps_queues()) {
        return false;
    }
    const std::size_t held = session.memory_bytes();
    return session.connection == nullptr || session.backlog.in_flight ||
           !session.backlog.ranges.empty() ||
           (held > 0 && held + cost > s_.limits.queue_memory_bytes_max);
}

void DiskQueue::arrived(Session& session, Mid mid, std::size_t cost) {
    s_.account.came(session, cost);
    session.backlog.bytes += cost;
    if (!session.backlog.hold(source_of(mid), mid)) {
        move_queued(session);
    }
    refill(session);
}

/// What memory has of the disk's ranges it gives up: each message has one owner.
void DiskQueue::move_queued(Session& session) {
    Backlog& backlog = session.backlog;
    bool moved = false;
    for (Lane* lane : {&session.lane1, &session.lane2}) {
        for (std::size_t i = lane->entries.size(); i > lane->begun; --i) {
            if (backlog.holds(lane->entries[i - 1].mid)) {
                backlog.bytes += lane->entries[i - 1].cost_bytes;
                lane->entries.erase(i - 1);
                moved = true;
            }
        }
    }
    if (moved) {
        forget_read(backlog);  // it was asked for what lay behind them
    }
}

bool DiskQueue::let_go(Session& session) {
    if (!session.persistent() || !s_.shared.log.keeps_queues() || session.unsent() == 0) {
        return false;
    }
    for (Lane* lane : {&session.lane1, &session.lane2}) {
        for (std::size_t i = lane->begun; i < lane->entries.size(); ++i) {
            (void)session.backlog.hold(source_of(lane->entries[i].mid), lane->entries[i].mid);
        }
    }
    move_queued(session);
    return true;
}

void DiskQueue::park(Session& session) {
    if (!session.persistent() || !s_.shared.log.keeps_queues()) {
        return;
    }
    Backlog& backlog = session.backlog;
    (void)let_go(session);
    for (Lane* lane : {&session.lane1, &session.lane2}) {
        for (std::size_t i = 0; i < lane->begun; ++i) {
            backlog.in_flight =
                backlog.in_flight || lane->entries[i].state != OutEntry::State::done;
            backlog.bytes += lane->entries[i].cost_bytes;
        }
        *lane = Lane{};
    }
    forget_read(backlog);
}

void DiskQueue::restore(Session& session, const QueueSize& size) {
    if (size.messages == 0) {
        return;
    }
    s_.account.came_stored(session, size);
    session.backlog.bytes = size.bytes;
    session.backlog.in_flight = true;
    session.backlog.ranges = {{MidRange::kEarlierRuns, 1, s_.shared.first_mid - 1}};
}

bool DiskQueue::is_ready(Session& session) {
    Backlog& backlog = session.backlog;
    if (backlog.in_flight && !backlog.fetching) {
        backlog.fetching = true;
        ask(session);
    }
    return !backlog.in_flight;
}

void DiskQueue::refill(Session& session) {
    const Backlog& backlog = session.backlog;
    if (session.connection != nullptr && session.connection->open && !backlog.ranges.empty() &&
        backlog.reading == 0 && session.unsent() < kRefillBelow &&
        session.memory_bytes() <= s_.limits.queue_memory_bytes_max / 2) {
        ask(session);
    }
}

bool DiskQueue::drop_oldest(Session& session, std::size_t cost, Quota quota) {
    Backlog& backlog = session.backlog;
    if (backlog.ranges.empty()) {
        return false;
    }
    backlog.trimming = true;
    if (backlog.reading == 0) {
        ask(session);
    }
    const std::size_t messages_max = session.limits->queue_messages_max;
    const bool keeps_up =
        backlog.trim_bytes <= kSlackBytes &&
        session.queued_bytes <=
            session.queue_bytes_max + session.queue_bytes_max / 8 + kSlackBytes &&
        session.queued_messages <= messages_max + messages_max / 8 + kSlackMessages;
    if (keeps_up && quota != Quota::session) {
        backlog.trim_bytes += cost;  // others fill it, too: it gives up what it takes
        backlog.trim_quota = quota;
    }
    return keeps_up;
}

bool DiskQueue::has_old(const Backlog& backlog) {
    return std::any_of(backlog.ranges.begin(), backlog.ranges.end(), [this](const MidRange& range) {
        return s_.ages.too_old(range.source, range.first);
    });
}

void DiskQueue::drop_old(Session& session) {
    Backlog& backlog = session.backlog;
    if (backlog.reading == 0 && has_old(backlog)) {
        backlog.trimming = true;
        ask(session);
    }
}

void DiskQueue::drop(Session& session, const StoredMessage& message, DoneWhy why, Quota quota) {
    const std::size_t cost = cost_of(message);
    s_.account.dropped(session, message.topic, why, quota);
    s_.record(session, DoneRecord{session.sid, message.mid, message.form, why});
    s_.account.went(session, cost);
    session.backlog.bytes -= std::min(session.backlog.bytes, cost);
}

void DiskQueue::ask(Session& session) {
    Backlog& backlog = session.backlog;
    backlog.reading = ++last_number_;
    QueueRead read;
    read.sid = session.sid;
    read.in_flight = backlog.fetching;
    read.ranges = backlog.ranges;
    read.messages_max = kPageMessages;
    read.bytes_max = s_.limits.queue_memory_bytes_max / 2;
    reads_.push_back({session.ref, backlog.reading, std::move(read)});
}

void DiskQueue::send_reads() {
    for (Read& read : std::exchange(reads_, {})) {
        read.read.batch = s_.turn.last_batch();
        // The lane, not the broker: it outlives both when the answer comes late.
        const std::shared_ptr<ControlLane> lane = s_.shared.lanes[s_.id];
        s_.shared.log.read(read.read, [lane, session = read.session, number = read.number,
                                       asked = read.read](QueuePage page) {
            std::unique_ptr<ControlMessage> message =
                std::make_unique<PageArrived>(session, number, asked, std::move(page));
            (void)lane->post(message);
        });
    }
}

void DiskQueue::on_page(SessionRef ref, std::uint64_t number, const QueueRead& asked,
                        const QueuePage& page) {
    Session* session = s_.sessions.find(ref);
    if (session == nullptr || session->backlog.reading != number) {
        return;  // it ended, or its client left meanwhile: nothing was taken
    }
    session->backlog.reading = 0;
    if (session->backlog.trimming) {
        trim(*session, asked, page);
    }
    Connection* connection = session->connection;
    // A page that trims may arrive between CONNECT and CONNACK: what was in flight goes first.
    if (connection != nullptr && (!session->backlog.in_flight || asked.in_flight)) {
        take(*session, asked, page);
        if (connection->open) {
            s_.outbox.pump(*session);
        } else {
            s_.sender.open_gate(*connection);
        }
    }
    s_.account.note_pressure(*session);
}

void DiskQueue::trim(Session& session, const QueueRead& asked, const QueuePage& page) {
    Backlog& backlog = session.backlog;
    const auto over = [&] {
        return session.queued_bytes > session.queue_bytes_max || backlog.trim_bytes > 0 ||
               session.queued_messages > session.limits->queue_messages_max;
    };
    Mid to = page.read_to;
    Mid dropped = 0;
    for (const StoredMessage& message : page.queued) {
        // Both forms of a message go together: a page is taken by numbers.
        const bool old = s_.ages.too_old(message.mid);
        if (!over() && !old && message.mid != dropped) {
            to = message.mid - 1;
            break;
        }
        dropped = message.mid;
        if (backlog.holds(message.mid)) {
            const Quota quota = backlog.trim_bytes > 0 ? backlog.trim_quota : Quota::session;
            drop(session, message, old ? DoneWhy::expired : DoneWhy::quota, quota);
            backlog.trim_bytes -= std::min(backlog.trim_bytes, cost_of(message));
        }
    }
    backlog.took(asked.ranges, to);
    if (backlog.ranges.empty()) {
        backlog.trim_bytes = 0;
    }
    const bool more = over() || (to == page.read_to && has_old(backlog));
    backlog.trimming = more && !backlog.ranges.empty();
    if (backlog.trimming && session.connection == nullptr) {
        ask(session);
    }
}

void DiskQueue::take(Session& session, const QueueRead& asked, const QueuePage& page) {
    Backlog& backlog = session.backlog;
    const auto restore = [&](const StoredMessage& message) {
        s_.outbox.restore(session, message);
        backlog.bytes -= std::min(backlog.bytes, cost_of(message));
    };
    if (asked.in_flight) {
        std::for_each(page.in_flight.begin(), page.in_flight.end(), restore);
        backlog.in_flight = false;
        backlog.fetching = false;
    }
    for (const StoredMessage& message : page.queued) {
        if (!backlog.holds(message.mid)) {
            continue;  // it was dropped just now
        }
        if (s_.ages.too_old(message.mid)) {
            drop(session, message, DoneWhy::expired);
        } else {
            restore(message);
        }
    }
    backlog.took(asked.ranges, page.read_to);
    if (backlog.ranges.empty() && !backlog.in_flight) {
        backlog.bytes = 0;
    }
}

}  // namespace iotsky::broker
