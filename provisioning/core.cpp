#include "provisioning/core.hpp"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "provisioning/audit_chain.hpp"

namespace iotsky::provisioning {
namespace {

constexpr std::size_t kPageMax = 1000;
constexpr std::size_t kCursorBytesMax = 200;

/// Waits for one acknowledgement; outlives the waiter when the broker is late.
class Acknowledgement {
  public:
    void give() {
        {
            const std::lock_guard lock(mutex_);
            given_ = true;
        }
        wake_.notify_all();
    }
    [[nodiscard]] bool wait(std::chrono::milliseconds longest) {
        std::unique_lock lock(mutex_);
        return wake_.wait_for(lock, longest, [this] { return given_; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable wake_;
    bool given_ = false;
};

}  // namespace

void Change::audit(std::string_view action, std::string object, std::string detail) {
    append_to_audit(
        tx,
        AuditEntry{
            0, now, caller.actor, std::string{action}, std::move(object), std::move(detail), {}});
}

void Change::event(std::string_view kind, std::string_view body) {
    tx.append_event(now, kind, body);
}

Core::Core(Store& the_store, CertificateIssuer& the_issuer, const Clock& the_clock,
           Random& the_random, RegistryOptions the_options)
    : store(the_store),
      issuer(the_issuer),
      clock(the_clock),
      random(the_random),
      options(std::move(the_options)),
      class_defaults_(options.class_defaults) {}

void Core::note_duration(std::chrono::nanoseconds took) {
    const LockGuard lock{durations_mutex_};
    durations_.record_ns(static_cast<std::uint64_t>(took.count()));
}

void Core::set_class_defaults(const ClassSettings& defaults) {
    const LockGuard lock{defaults_mutex_};
    class_defaults_ = defaults;
}

ClassSettings Core::class_defaults() const {
    const LockGuard lock{defaults_mutex_};
    return class_defaults_;
}

bool Core::publish(const Affected& affected, bool revoked) {
    Refreshed refreshed = view.refresh(store, affected);
    if (events_hook_) {
        events_hook_();
    }
    if (listener_ == nullptr || refreshed.scopes.empty()) {
        return refreshed.complete;
    }
    const auto acknowledgement = std::make_shared<Acknowledgement>();
    listener_->on_rights_changed(std::move(refreshed.scopes), revoked,
                                 [acknowledgement] { acknowledgement->give(); });
    return acknowledgement->wait(options.rights_wait_max) && refreshed.complete;
}

std::int64_t Core::next_created_us() {
    const auto us =
        std::chrono::duration_cast<std::chrono::microseconds>(clock.wall_now().time_since_epoch())
            .count();
    std::int64_t last = last_created_us_.load();
    std::int64_t next = 0;
    do {
        next = std::max<std::int64_t>(us, last + 1);
    } while (!last_created_us_.compare_exchange_weak(last, next));
    return next;
}

Result<Page> to_page(const PageRequest& request) {
    if (request.limit < 1 || request.limit > kPageMax || request.cursor.size() > kCursorBytesMax) {
        return make_error(Errc::invalid_argument, "E4121", "This page cannot be shown.",
                          "limit is 1 to 1000, cursor is the next_cursor of the page before.",
                          "Leave both out to start from the first page.");
    }
    // One more than asked for tells whether there is a next page.
    return Page{request.cursor, request.limit + 1};
}

Result<void> check_rev(std::optional<Rev> if_rev, Rev rev, std::string_view what) {
    if (!if_rev || *if_rev == rev) {
        return {};
    }
    return make_error(Errc::precondition_failed, "E4120",
                      std::string{what} + " was changed meanwhile.",
                      "You know revision " + std::to_string(*if_rev) + ", it has revision " +
                          std::to_string(rev) + " now.",
                      "Read it again and repeat the change.");
}

}  // namespace iotsky::provisioning
