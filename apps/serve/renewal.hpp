#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/siphash.hpp"
#include "base/thread.hpp"
#include "broker/service.hpp"
#include "provisioning/records.hpp"

namespace iotsky::provisioning {
class Certificates;
}

namespace iotsky::apps {

struct RenewalOptions {
    /// One thing may ask for another certificate after so long, 0 s .. 1 d.
    std::chrono::milliseconds interval{60'000};
    std::size_t waiting_max = 64;  ///< requests that wait; more are told to come again
    std::size_t csr_bytes_max = std::size_t{16} << 10U;
};

/// A thing asks for a successor of the certificate by which it is connected.
struct RenewalRequest {
    std::string thing;        ///< "class/project/thing"
    std::string certificate;  ///< fingerprint, hexadecimal
    std::string csr;          ///< PEM
};

struct RenewedCertificate {
    std::string pem;
    std::string serial;
    WallTime not_after{};
};

/// `$me/cert/renew` -> `$me/cert/renewed` (`product.md` 7.6): CSR in, certificate out. Registry and
/// signature are the work of a thread of its own; the PUBACK of the request waits for them, and the
/// session of the thing for nothing. Asking twice with one CSR gives one certificate.
/// Synchronised; owns the thread `renewal`.
class CertificateRenewal {
  public:
    using Renew = std::function<Result<RenewedCertificate>(const RenewalRequest&)>;

    /// `clock` outlives it. `renew` is called on its thread and may wait for a commit.
    CertificateRenewal(Renew renew, const Clock& clock, RenewalOptions options);
    /// stop().
    ~CertificateRenewal();
    CertificateRenewal(const CertificateRenewal&) = delete;
    CertificateRenewal& operator=(const CertificateRenewal&) = delete;

    /// What the broker calls; the renewal outlives it.
    [[nodiscard]] std::unique_ptr<broker::Service> service();
    void start();
    /// Ends the thread. Requests that wait are not acknowledged: their things ask again.
    void stop();

    /// What a request on `topic` gets, "$iotsky/things/th_.../cert/renew"; `ticket` for the answer.
    void ask(RenewalRequest request, std::string reply_topic, broker::ServiceTicket ticket);
    [[nodiscard]] const RenewalOptions& options() const noexcept { return options_; }

  private:
    struct Job {
        RenewalRequest request;
        std::string reply_topic;
        broker::ServiceTicket ticket;
    };
    struct Last {
        TimePoint at;
        provisioning::Sha256 csr;  ///< its hash: requests are long, and there may be many things
    };
    void run();
    /// Waits for the next one; none at the end.
    [[nodiscard]] std::optional<Job> next_job();
    [[nodiscard]] std::string answer(const RenewalRequest& request);
    [[nodiscard]] bool too_soon(const RenewalRequest& request);
    void remember(const RenewalRequest& request);

    const Renew renew_;
    const Clock& clock_;
    const RenewalOptions options_;
    Mutex mutex_;
    std::condition_variable changed_;
    std::deque<Job> jobs_ IOTSKY_GUARDED_BY(mutex_);
    bool stopping_ IOTSKY_GUARDED_BY(mutex_) = false;
    std::thread thread_;
    /// By thing, so there are no more than things; the thread's own.
    std::unordered_map<std::string, Last, KeyedHash, std::equal_to<>> last_;
};

/// The registry's part: a successor with the same things, policies and session scope.
[[nodiscard]] CertificateRenewal::Renew renew_in(provisioning::Certificates& certificates);

}  // namespace iotsky::apps
