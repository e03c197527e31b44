#include "tests/simulation/log.hpp"

#include <utility>

namespace iotsky::simulation {

broker::BatchNo Log::append(broker::ThreadId /*thread*/, broker::RecordChunk&& records,
                            broker::Due /*due*/) {
    collecting_.push_back(std::move(records));
    if (fault_ == LogFault::early_durable) {
        durable_ = collecting_no_;
    }
    return collecting_no_;
}

void Log::apply_committing() {
    for (const broker::RecordChunk& chunk : committing_) {
        tables_.apply(chunk);
    }
    committing_.clear();
}

bool Log::step() {
    if (!committing_.empty()) {
        apply_committing();
        durable_ = collecting_no_ - 1;
        return true;
    }
    if (collecting_.empty()) {
        return false;
    }
    committing_ = std::exchange(collecting_, {});
    ++collecting_no_;
    return true;
}

void Log::fail_commit() {
    if (fault_ == LogFault::drop_on_error && !committing_.empty()) {
        committing_.clear();
        durable_ = collecting_no_ - 1;
    }
}

void Log::crash(bool applied) {
    if (applied) {
        apply_committing();
    }
    committing_.clear();
    collecting_.clear();
    // Batches are numbered per run.
    collecting_no_ = 1;
    durable_ = 0;
}

}  // namespace iotsky::simulation
