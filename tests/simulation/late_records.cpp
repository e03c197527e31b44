#include "tests/simulation/late_records.hpp"

#include <stdexcept>

#include "broker/records.hpp"

namespace iotsky::simulation {
namespace {

class Splitter final : public broker::RecordVisitor {
  public:
    explicit Splitter(LogFault fault) : fault_(fault) {}

    void on(const broker::SessionOpenRecord& r) override { now.add(r); }
    void on(const broker::SessionEndRecord& r) override { now.add(r); }
    void on(const broker::SubscribeRecord& r) override { now.add(r); }
    void on(const broker::UnsubscribeRecord& r) override { now.add(r); }
    void on(const broker::ReleaseInRecord& r) override { add(r, LogFault::late_release); }
    void on(const broker::SentRecord& r) override { add(r, LogFault::late_sent); }
    void on(const broker::ReceivedRecord& r) override { add(r, LogFault::late_received); }
    void on(const broker::DoneRecord& r) override { now.add(r); }
    void on(const broker::WillRecord& r) override { now.add(r); }
    void on(const broker::WillOffRecord& r) override { now.add(r); }
    void on(const broker::SessionAwayRecord& r) override { now.add(r); }
    void on(const broker::UptimeRecord& r) override { now.add(r); }

    void on(const broker::PublishRecord& r) override {
        if (fault_ != LogFault::late_inbound && fault_ != LogFault::late_targets) {
            now.add(r);
            return;
        }
        broker::PublishRecord identifier = r;
        identifier.targets = {};
        identifier.retain = false;
        broker::PublishRecord message = r;
        message.publisher = 0;
        message.inbound_id = 0;
        const bool identifier_is_late = fault_ == LogFault::late_inbound;
        if (r.inbound_id != 0) {
            (identifier_is_late ? late : now).add(identifier);
        }
        if (!r.targets.empty() || r.retain) {
            (identifier_is_late ? now : late).add(message);
        }
    }

    broker::RecordWriter now;
    broker::RecordWriter late;

  private:
    template <typename Record>
    void add(const Record& r, LogFault makes_late) {
        (fault_ == makes_late ? late : now).add(r);
    }
    LogFault fault_;
};

}  // namespace

std::pair<broker::RecordChunk, broker::RecordChunk> take_late(const broker::RecordChunk& chunk,
                                                              LogFault fault) {
    Splitter splitter(fault);
    if (!broker::visit_records(chunk, splitter)) {
        throw std::logic_error("a damaged chunk reached the store");
    }
    return {splitter.now.take(), splitter.late.take()};
}

}  // namespace iotsky::simulation
