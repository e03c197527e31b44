#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/siphash.hpp"
#include "base/thread.hpp"

namespace iotsky::api {

struct TokenGuardOptions {
    /// Wrong tokens of one address within a minute, 1 to 1,000; then it waits.
    std::size_t wrong_max = 5;
    /// Longest wait, 1 s to 1 h.
    std::chrono::seconds wait_max{60};
};

/// Slows down whoever tries one token after the other. After `wrong_max` wrong ones an address
/// waits 1 s, then twice as long after each further wrong one, up to `wait_max`; a minute without
/// any ends that. A token that was right before is looked up all the same: a program that errs
/// locks nobody else on its machine out. Synchronised (docs/threading.md); any thread.
class TokenGuard {
  public:
    /// `clock` must outlive it.
    explicit TokenGuard(const Clock& clock, TokenGuardOptions options = {})
        : clock_(clock), options_(options) {}

    /// How long `address` (without port) has to wait until `token` is looked at; zero: not at all.
    [[nodiscard]] std::chrono::seconds wait_of(const std::string& address,
                                               std::string_view token) const;
    void note_right(std::string_view token);
    /// @return how long the address has to wait from now on.
    std::chrono::seconds note_wrong(const std::string& address, std::string_view token);

    static constexpr std::size_t kAddressesMax = 4'096;  ///< the oldest makes room
    static constexpr std::size_t kKnownMax = 256;        ///< tokens that were right last

  private:
    struct Tries {
        std::size_t wrong = 0;
        TimePoint first{};  ///< of those that count
        TimePoint until{};  ///< nothing is looked at before
    };

    [[nodiscard]] bool is_known(std::string_view token) const IOTSKY_REQUIRES(mutex_);
    [[nodiscard]] Tries& tries_of(const std::string& address, TimePoint now)
        IOTSKY_REQUIRES(mutex_);

    const Clock& clock_;
    const TokenGuardOptions options_;
    mutable Mutex mutex_;
    std::unordered_map<std::string, Tries, KeyedHash, std::equal_to<>> tries_
        IOTSKY_GUARDED_BY(mutex_);
    std::deque<std::uint64_t> known_ IOTSKY_GUARDED_BY(mutex_);  ///< keyed hashes, oldest first
};

}  // namespace iotsky::api
