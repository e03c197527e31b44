#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/thread.hpp"
#include "provisioning/caller.hpp"
#include "provisioning/certificate_issuer.hpp"
#include "provisioning/registry_view.hpp"
#include "provisioning/rights_listener.hpp"
#include "provisioning/store.hpp"

namespace iotsky::provisioning {

struct RegistryOptions {
    /// Longest wait for the broker's acknowledgement of changed rights, 0 to 10 s; then the answer
    /// says that the change is not confirmed yet.
    std::chrono::milliseconds rights_wait_max{100};
    /// A reserved serial that nothing came of is swept when it is older, 1 min to 1 day.
    std::chrono::seconds pending_life{600};
    /// How long an Idempotency-Key is remembered.
    std::chrono::hours idempotency_life{24};
    /// How long a private key can be asked for again when its answer was not delivered.
    std::chrono::seconds key_life{60};
    /// How long published events can be read.
    std::chrono::hours event_life{7 * 24};
    /// Life of a certificate outside classes, and of one in a class without an end.
    std::chrono::hours classless_life{397 * 24};
    /// A device certificate outlives the last day of grace of its class by so much.
    std::chrono::hours after_class_life{90 * 24};
    /// Limits and switches of a class that says nothing else ([defaults.class]); at the start.
    ClassSettings class_defaults{};
};

/// What a change of rights returns: its value, and whether every connection has the new rights.
template <typename T>
struct Changed {
    T value;
    bool effective = true;
};

/// A page of a list; `next` is the cursor of the page behind it.
template <typename T>
struct Listing {
    std::vector<T> items;
    std::optional<std::string> next;
};

/// Pages as callers ask for them. `cursor` comes from Listing::next; empty = first page.
struct PageRequest {
    std::string cursor;
    std::size_t limit = 100;  ///< 1 to 1000
};

/// One transaction of an operation: rows, audit, events, and what to publish after the commit.
struct Change {
    Tx& tx;
    const Caller& caller;
    WallTime now;
    Affected affected{};
    bool revoked = false;  ///< a certificate was revoked: its connections close without will

    /// `detail` and `body` are JSON objects.
    void audit(std::string_view action, std::string object, std::string detail = "{}");
    void event(std::string_view kind, std::string_view body);
};

/// What the parts of the registry share. Thread: any; changes block the calling `work` thread for a
/// commit.
class Core {
  public:
    Core(Store& the_store, CertificateIssuer& the_issuer, const Clock& the_clock,
         Random& the_random, RegistryOptions the_options);

    /// Runs `body` (`Result<T>(Change&)`) in one transaction, then publishes what it touched and
    /// waits for the broker. The view is right before the broker is told, and before this returns.
    template <typename Body>
    [[nodiscard]] auto change(const Caller& caller, Body&& body, Ending ending = Ending::commit)
        -> Result<Changed<typename std::invoke_result_t<Body, Change&>::value_type>> {
        Affected affected;
        bool revoked = false;
        auto outcome = store.transact(
            [&](Tx& tx) {
                Change change{tx, caller, clock.wall_now()};
                auto result = body(change);
                affected = std::move(change.affected);
                revoked = change.revoked;
                return result;
            },
            ending);
        if (!outcome) {
            return std::move(outcome).error();
        }
        if (ending == Ending::roll_back) {
            return Changed<typename decltype(outcome)::value_type>{*std::move(outcome), true};
        }
        return Changed<typename decltype(outcome)::value_type>{*std::move(outcome),
                                                               publish(affected, revoked)};
    }

    /// Refreshes the view and tells the broker. @return whether every io thread has acknowledged.
    bool publish(const Affected& affected, bool revoked);

    void set_listener(RightsListener* listener) noexcept { listener_ = listener; }
    void set_events_hook(std::function<void()> hook) { events_hook_ = std::move(hook); }

    /// What new classes get from now on.
    void set_class_defaults(const ClassSettings& defaults);
    [[nodiscard]] ClassSettings class_defaults() const;

    /// How long the chains of this process took, from order to rights in force. Any thread reads.
    [[nodiscard]] const Histogram& provisioning_seconds() const noexcept { return durations_; }
    void note_duration(std::chrono::nanoseconds took);

    [[nodiscard]] WallTime now() const { return clock.wall_now(); }
    /// Microseconds since 1970, never the same twice: the order of certificates and tokens.
    [[nodiscard]] std::int64_t next_created_us();

    Store& store;
    CertificateIssuer& issuer;
    const Clock& clock;
    Random& random;
    const RegistryOptions options;
    RegistryView view;

  private:
    // Both are set once, before the first call.
    RightsListener* listener_ = nullptr;
    std::function<void()> events_hook_;
    std::atomic<std::int64_t> last_created_us_{0};
    Mutex durations_mutex_;  ///< writers, one at a time
    Histogram durations_;
    mutable Mutex defaults_mutex_;
    ClassSettings class_defaults_ IOTSKY_GUARDED_BY(defaults_mutex_);
};

/// Checks limit and cursor. Error: E4121.
[[nodiscard]] Result<Page> to_page(const PageRequest& request);

/// Cuts a list that was read with one row more than asked for; `key_of` gives a row's sort key.
template <typename T, typename KeyOf>
[[nodiscard]] Listing<T> to_listing(std::vector<T> rows, std::size_t limit, KeyOf key_of) {
    Listing<T> listing;
    if (rows.size() > limit) {
        rows.resize(limit);
        listing.next = key_of(rows.back());
    }
    listing.items = std::move(rows);
    return listing;
}

/// E4120 unless `if_rev` is absent or equals `rev`.
[[nodiscard]] Result<void> check_rev(std::optional<Rev> if_rev, Rev rev, std::string_view what);

}  // namespace iotsky::provisioning
