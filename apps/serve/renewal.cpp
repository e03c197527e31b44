#include "apps/serve/renewal.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "broker/identity.hpp"
#include "provisioning/certificates.hpp"
#include "provisioning/sha256.hpp"

namespace iotsky::apps {
namespace {

/// From so many on, entries that count no more are looked for.
constexpr std::size_t kSweepFrom = 10'000;

std::string error_json(const Error& error) {
    return boost::json::serialize(boost::json::object{{"code", error.number},
                                                      {"what", "renew"},
                                                      {"why", error.message + " " + error.why},
                                                      {"try", error.how}});
}

std::string certificate_json(const RenewedCertificate& certificate) {
    return boost::json::serialize(
        boost::json::object{{"certificate_pem", certificate.pem},
                            {"serial", certificate.serial},
                            {"not_after", format_utc(certificate.not_after)}});
}

Error busy() {
    return make_error(Errc::unavailable, "E5247", "Too many certificates are asked for at once.",
                      "They are made one after the other.", "Ask again in a minute.");
}

Error not_yet(std::chrono::milliseconds interval) {
    return make_error(
        Errc::unavailable, "E5246", "This thing was given a certificate a moment ago.",
        "Each thing gets one in " +
            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(interval).count()) +
            " s (limits.renewal_interval).",
        "Use the one that came on $me/cert/renewed, or send the same request again to get it.");
}

Error too_long(std::size_t most) {
    return make_error(
        Errc::invalid_argument, "E5248", "This is too long for a request.",
        "A certificate signing request has at most " + std::to_string(most) + " bytes.",
        "Publish the PEM of one CSR and nothing else.");
}

/// Listens on the reserved names of all things; only the thing itself may publish there.
class RenewService final : public broker::Service {
  public:
    explicit RenewService(CertificateRenewal& renewal) : renewal_(renewal) {}

    [[nodiscard]] std::string_view name() const noexcept override { return "renew"; }
    [[nodiscard]] std::vector<std::string> filters() const override {
        return {"$iotsky/things/+/cert/renew"};
    }

    [[nodiscard]] broker::ServiceReplies on_publish(const broker::ServiceMessage& message,
                                                    broker::ServiceCall& call) override {
        const broker::Identity* by = message.publisher;
        if (by == nullptr || by->certificate_id.empty() || by->alias.reserved_root.empty() ||
            message.topic != by->alias.reserved_root + "/cert/renew") {
            return {};  // nobody but the thing itself, whatever a policy allows
        }
        std::string reply_topic = by->alias.reserved_root + "/cert/renewed";
        const std::size_t most = renewal_.options().csr_bytes_max;
        if (message.payload.size() > most) {
            return {{std::move(reply_topic), error_json(too_long(most)), 1, false}};
        }
        renewal_.ask({by->name, by->certificate_id, std::string{as_text(message.payload)}},
                     std::move(reply_topic), call.later());
        return {};
    }

  private:
    CertificateRenewal& renewal_;
};

}  // namespace

CertificateRenewal::CertificateRenewal(Renew renew, const Clock& clock, RenewalOptions options)
    : renew_(std::move(renew)), clock_(clock), options_(options) {}

CertificateRenewal::~CertificateRenewal() {
    stop();
}

std::unique_ptr<broker::Service> CertificateRenewal::service() {
    return std::make_unique<RenewService>(*this);
}

void CertificateRenewal::start() {
    thread_ = std::thread([this] { run(); });
}

void CertificateRenewal::stop() {
    std::deque<Job> unanswered;
    {
        const LockGuard lock(mutex_);
        stopping_ = true;
        unanswered.swap(jobs_);
    }
    changed_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void CertificateRenewal::ask(RenewalRequest request, std::string reply_topic,
                             broker::ServiceTicket ticket) {
    {
        const LockGuard lock(mutex_);
        if (stopping_) {
            return;  // the ticket says that nobody answers
        }
        if (jobs_.size() < options_.waiting_max) {
            jobs_.push_back({std::move(request), std::move(reply_topic), std::move(ticket)});
            changed_.notify_one();
            return;
        }
    }
    ticket.complete({{std::move(reply_topic), error_json(busy()), 1, false}});
}

// A condition variable needs the lock in a form that the thread-safety analysis does not know.
std::optional<CertificateRenewal::Job> CertificateRenewal::next_job()
    IOTSKY_TSA(no_thread_safety_analysis) {
    std::unique_lock lock(mutex_.native());
    changed_.wait(lock, [this]() IOTSKY_TSA(no_thread_safety_analysis) {
        return !jobs_.empty() || stopping_;
    });
    if (stopping_) {
        return std::nullopt;
    }
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
}

void CertificateRenewal::run() {
    set_thread_name("renewal");
    while (std::optional<Job> job = next_job()) {
        std::string json = answer(job->request);
        job->ticket.complete({{std::move(job->reply_topic), std::move(json), 1, false}});
    }
}

std::string CertificateRenewal::answer(const RenewalRequest& request) {
    if (too_soon(request)) {
        return error_json(not_yet(options_.interval));
    }
    const auto renewed = renew_(request);
    if (!renewed) {
        log::info(renewed.error().number, "certificate not renewed",
                  {{"thing", request.thing}, {"reason", renewed.error().message}});
        return error_json(renewed.error());
    }
    remember(request);
    log::info("", "certificate renewed", {{"thing", request.thing}, {"serial", renewed->serial}});
    return certificate_json(*renewed);
}

/// The same CSR again is a repetition: its answer was lost on the way.
bool CertificateRenewal::too_soon(const RenewalRequest& request) {
    const auto last = last_.find(request.thing);
    return last != last_.end() && clock_.now() < last->second.at + options_.interval &&
           last->second.csr != provisioning::sha256(request.csr);
}

void CertificateRenewal::remember(const RenewalRequest& request) {
    if (last_.size() >= kSweepFrom) {
        std::erase_if(last_, [&](const auto& entry) {
            return clock_.now() >= entry.second.at + options_.interval;
        });
    }
    last_[request.thing] = {clock_.now(), provisioning::sha256(request.csr)};
}

CertificateRenewal::Renew renew_in(provisioning::Certificates& certificates) {
    return [&certificates](const RenewalRequest& request) -> Result<RenewedCertificate> {
        // The broker has checked who asks: by its certificate, for itself.
        const provisioning::Caller caller{
            provisioning::Role::admin, "thing:" + request.thing, {}, {}};
        provisioning::KeyRequest key;
        key.csr = request.csr;
        const std::string once = "renew-" + to_hex(provisioning::sha256(request.csr));
        IOTSKY_TRY(made, certificates.renew(caller, request.certificate, key, once));
        return RenewedCertificate{made.certificate->pem, made.certificate->serial,
                                  made.certificate->not_after.value_or(WallTime{})};
    };
}

}  // namespace iotsky::apps
