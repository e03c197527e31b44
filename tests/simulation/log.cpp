#include "tests/simulation/log.hpp"

#include <algorithm>

#include "tests/simulation/late_records.hpp"

namespace iotsky::simulation {
namespace {

constexpr unsigned kLateBatches = 3;

}  // namespace

Log::Log(LogOptions options) : options_(options) {
    if (options_.real_disk) {
        disk_ = std::make_unique<RealDisk>();
    }
}

broker::BatchNo Log::append(broker::ThreadId thread, broker::RecordChunk&& records,
                            broker::Due due) {
    pending_bytes_ += records.size();
    collecting_.push_back({thread, std::move(records)});
    due_ = due_ || due == broker::Due::at_once;
    if (options_.fault == LogFault::early_durable) {
        durable_ = collecting_no_;
    }
    return collecting_no_;
}

void Log::hurry(broker::BatchNo batch) {
    due_ = due_ || (batch == collecting_no_ && !collecting_.empty());
}

void Log::recover(broker::RecoveryVisitor& visitor) {
    disk_ ? disk_->recover(visitor) : tables_.recover(visitor);
}

void Log::recover_retained(const std::function<void(const broker::StoredRetained&)>& visit) {
    disk_ ? disk_->recover_retained(visit) : tables_.recover_retained(visit);
}

broker::LogCounters Log::counters() const {
    return disk_ ? disk_->db().counters() : tables_.counters();
}

void Log::split_late() {
    for (Chunk& chunk : committing_) {
        auto [now, later] = take_late(chunk.records, options_.fault);
        chunk.records = std::move(now);
        if (!later.empty()) {
            late_.push_back(std::move(later));
            late_batches_ = kLateBatches;
        }
    }
}

void Log::apply_committing() {
    std::vector<broker::RecordChunk> chunks;
    if (late_batches_ == 0 || --late_batches_ == 0) {
        chunks = std::exchange(late_, {});
    }
    split_late();
    for (Chunk& chunk : committing_) {
        chunks.push_back(std::move(chunk.records));
    }
    committing_.clear();
    for (const broker::RecordChunk& records : chunks) {
        tables_.apply(records);
    }
    if (disk_) {
        disk_->commit(chunks, turns());
    }
}

bool Log::step(bool timer) {
    if (begun_) {
        apply_committing();
        begun_ = false;
        pending_bytes_ -= committing_bytes_;
        durable_ = collecting_no_ - 1;
        return true;
    }
    if ((collecting_.empty() && late_.empty()) || (!timer && !due_)) {
        return false;
    }
    committing_bytes_ = pending_bytes_;
    committing_ = std::exchange(collecting_, {});
    if (options_.fault == LogFault::late_thread) {
        std::stable_partition(committing_.begin(), committing_.end(),
                              [&](const Chunk& chunk) { return chunk.thread != options_.thread; });
    }
    ++collecting_no_;
    begun_ = true;
    due_ = false;
    return true;
}

void Log::read(broker::QueueRead read, std::function<void(broker::QueuePage)> answer) {
    hurry(read.batch);
    if (options_.fault == LogFault::early_read) {
        read.batch = 0;
    }
    questions_.push_back({std::move(read), std::move(answer)});
}

bool Log::step_reader() {
    const auto ready =
        std::find_if(questions_.begin(), questions_.end(),
                     [&](const Question& question) { return question.read.batch <= durable_; });
    if (ready == questions_.end()) {
        return false;
    }
    const Question question = std::move(*ready);
    questions_.erase(ready);
    question.answer(disk_ ? disk_->read(question.read) : tables_.read(question.read));
    return true;
}

void Log::fail_commit() {
    if (options_.fault == LogFault::drop_on_error && begun_) {
        committing_.clear();
        begun_ = false;
        pending_bytes_ -= committing_bytes_;
        durable_ = collecting_no_ - 1;
    }
}

void Log::crash(bool applied) {
    if (applied && begun_) {
        apply_committing();
    }
    committing_.clear();
    collecting_.clear();
    late_.clear();
    questions_.clear();
    pending_bytes_ = 0;
    begun_ = false;
    due_ = false;
    tables_.forget_tombstones();
    if (disk_) {
        disk_->reopen(tables_);
    }
    // Batches are numbered per run.
    collecting_no_ = 1;
    durable_ = 0;
}

}  // namespace iotsky::simulation
