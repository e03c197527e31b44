#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/secret.hpp"
#include "base/siphash.hpp"
#include "base/thread.hpp"
#include "provisioning/core.hpp"
#include "provisioning/order.hpp"

namespace iotsky::provisioning {

/// What a chain has made, as its caller gets it.
struct Provisioned {
    std::optional<ThingRecord> thing;              ///< none for a service identity
    std::optional<CertificateRecord> certificate;  ///< none when no key was asked for
    std::optional<SecretString> private_key;       ///< PEM; the only copy, never stored
    DefaultTopics topics;
    bool effective = true;
    bool repeated = false;  ///< the answer to an earlier call with the same Idempotency-Key
};

/// The answer of an order as it is stored with its Idempotency-Key: ids only.
[[nodiscard]] std::string answer_of(const Order& order);

/// Makes a repeated call with the same Idempotency-Key get the same answer for a day. The private
/// key is kept in memory alone, for 60 s and only until its answer was delivered. Synchronised.
class Idempotency {
  public:
    /// Runs the order; the record is stored with its outcome.
    using Make = std::function<Result<Provisioned>(std::optional<IdempotencyRecord>)>;

    explicit Idempotency(Core& core) noexcept : core_(core) {}

    /// @param key      The caller's Idempotency-Key, if any: 1-128 printable characters.
    /// @param request  The whole request as text: the same key with another one is refused.
    /// Errors: those of `make`; E4102 the private key was handed out, E4103 the key came with
    /// another request, E4104 not a key, E4127 the first call still runs.
    [[nodiscard]] Result<Provisioned> run(const Caller& caller,
                                          const std::optional<std::string>& key,
                                          std::string_view request, const Make& make);

    /// The answer has left completely: its private key is forgotten.
    void delivered(const Caller& caller, std::string_view key);
    /// Forgets private keys that were not asked for again in time.
    void sweep();

  private:
    struct Kept {
        SecretString key;
        TimePoint until;
    };

    [[nodiscard]] Result<Provisioned> first(const Caller& caller, const std::string& key,
                                            const Sha256& request, const Make& make);
    [[nodiscard]] Result<Provisioned> again(const IdempotencyRecord& record);
    [[nodiscard]] std::optional<SecretString> kept_key(const std::string& slot);

    Core& core_;
    Mutex mutex_;
    std::set<std::string> running_ IOTSKY_GUARDED_BY(mutex_);
    std::unordered_map<std::string, Kept, KeyedHash, std::equal_to<>> keys_
        IOTSKY_GUARDED_BY(mutex_);
};

}  // namespace iotsky::provisioning
