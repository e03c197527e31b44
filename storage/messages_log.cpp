#include "storage/messages_log.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.hpp"
#include "storage/messages_recovery.hpp"
#include "storage/messages_set_aside.hpp"

namespace iotsky::storage {
namespace {

constexpr std::chrono::seconds kStopPatience{1};

/// For people who may not see paths: /health/ready asks nobody who he is.
std::string reason_of(const Error& error) {
    if (error.number == "E5301") {
        return "the disk is full: what must be kept is not acknowledged until there is room";
    }
    if (error.number == "E5304" && error.code == Errc::unavailable) {
        return "another program has the message store locked: what must be kept is not "
               "acknowledged until it ends";
    }
    if (error.number == "E5304") {
        return "the disk cannot be read or written: what must be kept is not acknowledged until it "
               "works again";
    }
    if (error.code == Errc::corrupt) {
        return "the message store is damaged: restart iotsky, which sets it aside and says what "
               "was lost";
    }
    return "the message store refused a batch, a fault in iotsky (" + error.number +
           "): see the log";
}

Result<std::unique_ptr<MessagesDb>> open_db(const MessagesOptions& options) {
    return MessagesDb::open({options.path, options.wal_reserve_bytes});
}

}  // namespace

Result<std::unique_ptr<MessagesLog>> MessagesLog::open(MessagesOptions options, WallTime now) {
    std::vector<Error> warnings;
    if (std::filesystem::exists(damage_mark(options.path))) {
        IOTSKY_TRY(kept, set_aside(options.path, now));
        warnings.push_back(told_as_lost(kept));
    }
    auto db = open_db(options);
    if (!db && db.error().number == "E5302") {
        IOTSKY_TRY(kept, set_aside(options.path, now));
        warnings.push_back(told_as_lost(kept));
        db = open_db(options);
    }
    if (!db) {
        return db.error();
    }
    Checkpointer::Options checkpoints;
    checkpoints.path = options.path;
    IOTSKY_TRY(checkpointer, Checkpointer::open(std::move(checkpoints)));
    return std::unique_ptr<MessagesLog>(new MessagesLog(
        std::move(options), std::move(*db), std::move(checkpointer), std::move(warnings)));
}

MessagesLog::MessagesLog(MessagesOptions options, std::unique_ptr<MessagesDb> db,
                         std::unique_ptr<Checkpointer> checkpointer, std::vector<Error> warnings)
    : options_(std::move(options)),
      warnings_(std::move(warnings)),
      counters_(db->counters()),
      db_(std::move(db)),
      checkpointer_(std::move(checkpointer)),
      mark_(db_->applied()),
      collecting_(db_->applied() + 1),
      committed_(db_->applied()),
      reader_(options_.path, options_.retry_every,
              [this](const Error& error) {
                  read_failed(error, "a page of a queue cannot be read yet");
              }),
      thread_([this] { run(); }) {}

MessagesLog::~MessagesLog() {
    {
        LockGuard lock(mutex_);
        stopping_since_ = std::chrono::steady_clock::now();
    }
    changed_.notify_all();
    thread_.join();
}

broker::BatchNo MessagesLog::append(broker::ThreadId /*thread*/, broker::RecordChunk&& records,
                                    broker::Due due) {
    broker::BatchNo batch = 0;
    bool news = false;
    bool answer = false;
    {
        LockGuard lock(mutex_);
        const bool relaxed = options_.durability == Durability::relaxed;
        const bool first = pending_.empty();
        const bool now_due = !relaxed && due == broker::Due::at_once && !due_;
        due_ = due_ || now_due;
        news = first || now_due;
        batch = collecting_;
        collecting_bytes_ += records.size();
        pending_bytes_.fetch_add(records.size(), std::memory_order_relaxed);
        pending_.push_back(std::move(records));
        if (first) {
            collecting_since_ = std::chrono::steady_clock::now();
            note_oldest();
        }
        answer = relaxed && keeps_up();
    }
    if (news) {
        changed_.notify_one();
    }
    if (answer) {
        mark_.publish(batch);
    }
    return batch;
}

void MessagesLog::note_oldest() {
    oldest_ = committing_since_.value_or(pending_.empty() ? Instant::max() : collecting_since_);
}

bool MessagesLog::keeps_up() const noexcept {
    return accepting() && std::chrono::steady_clock::now() - oldest_.load() < kRelaxedBound;
}

void MessagesLog::hurry(broker::BatchNo batch) {
    {
        LockGuard lock(mutex_);
        if (batch < collecting_ || due_) {
            return;  // it is being committed, or due already
        }
        due_ = true;
    }
    changed_.notify_one();
}

broker::LogHealth MessagesLog::health() const {
    broker::LogHealth health;
    health.accepting = accepting();
    health.pending_bytes = pending_bytes();
    health.durable = durable();
    health.mode = options_.durability == Durability::durable ? "durable" : "relaxed";
    LockGuard lock(mutex_);
    health.reason = reason_;
    return health;
}

void MessagesLog::recover(broker::RecoveryVisitor& visitor) {
    if (auto read = recover_sessions(options_.path, visitor); !read) {
        fail_for_good(read.error());
    }
}

void MessagesLog::recover_retained(
    const std::function<void(const broker::StoredRetained&)>& visit) {
    if (auto read = storage::recover_retained(options_.path, visit); !read) {
        fail_for_good(read.error());
    }
}

void MessagesLog::read(broker::QueueRead read, std::function<void(broker::QueuePage)> answer) {
    const broker::BatchNo batch = read.batch;
    {
        LockGuard lock(mutex_);
        if (batch > committed_) {
            waiting_reads_.push_back({std::move(read), std::move(answer)});
            answer = nullptr;
        }
    }
    if (answer) {
        reader_.read(std::move(read), std::move(answer));
    } else {
        hurry(batch);
    }
}

Result<std::shared_ptr<Snapshot>> MessagesLog::snapshot() {
    // Said before it is opened: a checkpoint in between would make commits wait for the reader.
    checkpointer_->add_long_reader(1);
    const std::shared_ptr<void> reader{nullptr,
                                       [this](void*) { checkpointer_->add_long_reader(-1); }};
    IOTSKY_TRY(opened, Snapshot::of_messages(options_.path));
    return std::shared_ptr<Snapshot>{opened.release(), [reader](Snapshot* snapshot) {
                                         delete snapshot;  // and then the reader
                                     }};
}

void MessagesLog::start_reads(broker::BatchNo batch) {
    std::vector<WaitingRead> ready;
    {
        LockGuard lock(mutex_);
        committed_ = batch;
        const auto later = std::partition(
            waiting_reads_.begin(), waiting_reads_.end(),
            [batch](const WaitingRead& waiting) { return waiting.read.batch <= batch; });
        std::move(waiting_reads_.begin(), later, std::back_inserter(ready));
        waiting_reads_.erase(waiting_reads_.begin(), later);
    }
    for (WaitingRead& waiting : ready) {
        reader_.read(std::move(waiting.read), std::move(waiting.answer));
    }
}

// Damage does not go away; anything else can wait.
void MessagesLog::read_failed(const Error& error, std::string_view what) {
    if (error.code == Errc::corrupt) {
        fail_for_good(error);
    } else {
        log::warn(error.number, what, {{"detail", error.detail}});
    }
}

// What was read is not all there is: nothing that builds on it may become durable.
void MessagesLog::fail_for_good(const Error& damage) {
    {
        LockGuard lock(mutex_);
        damage_ = damage;
    }
    hold(damage, damage.code == Errc::corrupt
                     ? reason_of(damage)
                     : "the message store could not be read at the start: restart iotsky when the "
                       "disk works");
}

void MessagesLog::run() {
    set_thread_name("store");
    if (auto looked = db_->find_orphans(); !looked) {
        // No reason to hold back anything: only a commit could end that, and none may be begun.
        read_failed(looked.error(), "garbage of earlier runs is left for the next start");
    }
    {
        LockGuard lock(mutex_);
        garbage_ = db_->has_garbage();
    }
    while (auto batch = take_due()) {
        if (!commit(*batch)) {
            return;
        }
    }
}

bool MessagesLog::is_due() const {
    return due_ || garbage_ || stopping_since_ ||
           (!pending_.empty() &&
            std::chrono::steady_clock::now() >= collecting_since_ + options_.batch_wait_max);
}

std::optional<MessagesLog::Batch> MessagesLog::take_due() {
    LockGuard lock(mutex_);
    while (!is_due()) {
        if (pending_.empty()) {
            changed_.wait(mutex_);
        } else {
            changed_.wait_until(mutex_, collecting_since_ + options_.batch_wait_max);
        }
    }
    if (stopping_since_ && pending_.empty()) {
        return std::nullopt;
    }
    if (!pending_.empty()) {
        committing_since_ = collecting_since_;
    }
    due_ = false;
    return Batch{collecting_++, std::exchange(pending_, {}), std::exchange(collecting_bytes_, 0)};
}

bool MessagesLog::commit(const Batch& batch) {
    const Instant begun = std::chrono::steady_clock::now();
    const FoldedBatch folded = db_->fold(batch.chunks);
    Result<void> outcome = try_commit(folded, batch.number);
    while (!outcome) {
        const Error error = outcome.error();
        hold(error, reason_of(error));
        if (!wait_for_retry()) {
            log::error(error.number, "stopped before everything was on disk",
                       {{"n", batch.bytes}, {"reason", reason_of(error)}});
            return false;
        }
        outcome = try_again(folded, batch.number, error);
    }
    go_on();
    if (!batch.chunks.empty()) {
        commit_seconds_.record_ns(static_cast<std::uint64_t>(
            std::chrono::nanoseconds{std::chrono::steady_clock::now() - begun}.count()));
    }
    committed(batch);
    return true;
}

Result<void> MessagesLog::try_commit(const FoldedBatch& batch, broker::BatchNo number) {
    {
        LockGuard lock(mutex_);
        if (damage_) {
            return *damage_;
        }
    }
    return db_->apply(batch, number, turns());
}

Result<void> MessagesLog::try_again(const FoldedBatch& batch, broker::BatchNo number,
                                    const Error& before) {
    if (before.number != "E5301") {
        // A disk that was away: descriptors of before may be of no use any more.
        IOTSKY_CHECK(db_->reopen());
    }
    return try_commit(batch, number);
}

bool MessagesLog::wait_for_retry() {
    LockGuard lock(mutex_);
    const Instant end = std::chrono::steady_clock::now() + options_.retry_every;
    const bool stopping = stopping_since_.has_value();
    while (stopping_since_.has_value() == stopping && std::chrono::steady_clock::now() < end) {
        changed_.wait_until(mutex_, end);
    }
    return !stopping_since_ || std::chrono::steady_clock::now() < *stopping_since_ + kStopPatience;
}

void MessagesLog::hold(const Error& error, const std::string& reason) {
    {
        LockGuard lock(mutex_);
        if (reason_ == reason || (damage_ && !reason_.empty())) {
            return;  // told; of damage the first words stay
        }
        reason_ = reason;
        accepting_.store(false, std::memory_order_relaxed);
    }
    log::error(error.number, "message store holds back acknowledgements",
               {{"reason", reason}, {"detail", error.detail}});
    if (error.code == Errc::corrupt) {
        mark_damaged(options_.path, error);
    }
}

void MessagesLog::go_on() {
    {
        LockGuard lock(mutex_);
        if (reason_.empty() || damage_) {
            return;
        }
        reason_.clear();
        accepting_.store(true, std::memory_order_relaxed);
    }
    log::info("", "message store goes on");
}

void MessagesLog::committed(const Batch& batch) {
    bool cleared_up = false;
    {
        LockGuard lock(mutex_);
        committing_since_.reset();
        note_oldest();
        cleared_up = std::exchange(garbage_, db_->has_garbage()) && !garbage_;
    }
    if (cleared_up) {
        checkpointer_->give_back_space();
    }
    pending_bytes_.fetch_sub(batch.bytes, std::memory_order_relaxed);
    start_reads(batch.number);
    checkpointer_->note(db_->wal_pages());
    mark_.publish(batch.number);
}

}  // namespace iotsky::storage
