#include "provisioning/idempotency.hpp"

#include <boost/json.hpp>

#include <algorithm>

#include "base/log.hpp"
#include "provisioning/lookup.hpp"
#include "provisioning/names.hpp"
#include "provisioning/sha256.hpp"

namespace iotsky::provisioning {
namespace {

constexpr std::size_t kKeyMax = 128;

/// Keys of different callers never meet.
std::string slot_of(std::string_view caller, std::string_view key) {
    std::string slot{caller};
    slot += '\n';
    return slot += key;
}

bool is_key(std::string_view key) {
    return !key.empty() && key.size() <= kKeyMax &&
           std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

Error handed_out() {
    return make_error(Errc::conflict, "E4102",
                      "The private key of this call was already handed out.",
                      "A private key is given out once and stored nowhere.",
                      "Issue a new certificate: iotsky bundle make THING --revoke-old");
}

Error other_request() {
    return make_error(Errc::conflict, "E4103", "This Idempotency-Key came with another request.",
                      "A key stands for one request.",
                      "Use a new key for a new request; the same key only to repeat one.");
}

Error still_running() {
    return make_error(Errc::unavailable, "E4127",
                      "The first call with this Idempotency-Key is still running.",
                      "A repeat gets the answer of the first call.", "Try again in a moment.");
}

std::optional<Id> id_in(const boost::json::object& answer, std::string_view member,
                        std::string_view prefix) {
    const boost::json::value* found = answer.if_contains(member);
    if (found == nullptr || !found->is_string()) {
        return std::nullopt;
    }
    return Id::parse(prefix, std::string_view{found->get_string()});
}

/// The rows that an answer names, as they are now.
Result<Provisioned> read_answer(Reader& reader, const boost::json::object& answer) {
    Provisioned made;
    made.repeated = true;
    if (const auto id = id_in(answer, "thing", kThingPrefix)) {
        IOTSKY_TRY(thing, find_thing(reader, id->format(kThingPrefix)));
        if (thing.class_id) {
            const auto in = reader.class_by_id(*thing.class_id);
            made.topics = default_topics(thing, in && in->settings.strict_isolation);
        }
        made.thing = std::move(thing);
    }
    if (const auto id = id_in(answer, "certificate", kCertificatePrefix)) {
        IOTSKY_TRY(certificate, find_certificate(reader, id->format(kCertificatePrefix)));
        made.certificate = std::move(certificate);
    }
    return made;
}

}  // namespace

std::string answer_of(const Order& order) {
    boost::json::object answer;
    if (order.thing) {
        answer["thing"] = order.thing->id.format(kThingPrefix);
    }
    if (order.certificate) {
        answer["certificate"] = order.certificate->id.format(kCertificatePrefix);
    }
    answer["server_key"] = order.private_key.has_value();
    return boost::json::serialize(answer);
}

Result<Provisioned> Idempotency::run(const Caller& caller, const std::optional<std::string>& key,
                                     std::string_view request, const Make& make) {
    if (!key) {
        return make(std::nullopt);
    }
    if (!is_key(*key)) {
        return wrong_field("/Idempotency-Key", "This is not an Idempotency-Key.",
                           "Use 1 to 128 printable characters, e.g. a random UUID.");
    }
    const std::string slot = slot_of(caller.actor, *key);
    {
        const LockGuard lock(mutex_);
        if (!running_.insert(slot).second) {
            return still_running();
        }
    }
    Result<Provisioned> outcome = first(caller, *key, sha256(request), make);
    const LockGuard lock(mutex_);
    running_.erase(slot);
    return outcome;
}

Result<Provisioned> Idempotency::first(const Caller& caller, const std::string& key,
                                       const Sha256& request, const Make& make) {
    IOTSKY_TRY(stored,
               core_.store.read([&](Reader& reader) -> Result<std::optional<IdempotencyRecord>> {
                   return reader.idempotency(caller.actor, key);
               }));
    if (stored && core_.now() - stored->created_at < core_.options.idempotency_life) {
        if (stored->request_sha256 != request) {
            return other_request();
        }
        return again(*stored);
    }
    auto made = make(IdempotencyRecord{caller.actor, key, request, {}, false, core_.now()});
    if (made && made->private_key) {
        const LockGuard lock(mutex_);
        keys_[slot_of(caller.actor, key)] =
            Kept{made->private_key->clone(), core_.clock.now() + core_.options.key_life};
    }
    return made;
}

Result<Provisioned> Idempotency::again(const IdempotencyRecord& record) {
    boost::system::error_code error;
    const boost::json::value answer = boost::json::parse(record.answer, error);
    if (error || !answer.is_object()) {
        return make_error(Errc::corrupt, "E5311", "The stored answer of this call is damaged.",
                          "It cannot be read.", "Repeat the call with a new Idempotency-Key.");
    }
    const boost::json::object& object = answer.get_object();
    const boost::json::value* server_key = object.if_contains("server_key");
    std::optional<SecretString> private_key;
    if (server_key != nullptr && server_key->is_bool() && server_key->get_bool()) {
        private_key = kept_key(slot_of(record.caller, record.key));
        if (!private_key || record.key_handed_out) {
            return handed_out();
        }
    }
    IOTSKY_TRY(made, core_.store.read([&](Reader& reader) { return read_answer(reader, object); }));
    made.private_key = std::move(private_key);
    return made;
}

std::optional<SecretString> Idempotency::kept_key(const std::string& slot) {
    const LockGuard lock(mutex_);
    const auto found = keys_.find(slot);
    if (found == keys_.end() || core_.clock.now() >= found->second.until) {
        return std::nullopt;
    }
    return found->second.key.clone();
}

void Idempotency::delivered(const Caller& caller, std::string_view key) {
    {
        const LockGuard lock(mutex_);
        const auto found = keys_.find(slot_of(caller.actor, key));
        if (found == keys_.end()) {
            return;
        }
        keys_.erase(found);
    }
    const auto done = core_.store.transact_void(
        [&](Tx& tx) -> Result<void> {
            tx.mark_key_handed_out(caller.actor, key);
            return {};
        },
        Ending::commit);
    if (!done) {  // The key is gone from memory anyway, which is what counts.
        log::warn(done.error().number, "hand-out of a key not noted");
    }
}

void Idempotency::sweep() {
    const LockGuard lock(mutex_);
    std::erase_if(keys_, [&](const auto& kept) { return core_.clock.now() >= kept.second.until; });
}

}  // namespace iotsky::provisioning
