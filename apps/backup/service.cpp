#include "apps/backup/service.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "apps/cli/program.hpp"
#include "base/log.hpp"
#include "certs/files.hpp"

namespace iotsky::apps::backup {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPassphraseBytesMin = 8;
constexpr std::size_t kPassphraseBytesMax = 1024;
constexpr auto kLook = 10s;
constexpr auto kAfterFailure = 1h;
/// Messages before backups: less of the processor, and of the disk where its scheduler knows.
constexpr int kNice = 10;

Error busy(const std::string& name) {
    return make_error(Errc::conflict, "E5106", "The backup " + name + " is being made.",
                      "One is made at a time.", "Wait until it is done: iotsky backup list.");
}

Error no_passphrase(std::string why) {
    return make_error(Errc::invalid_argument, "E5108", "The backup's passphrase cannot be used.",
                      std::move(why), "Put one line of 8 to 1024 bytes into a file of mode 0600.");
}

api::BackupInfo info_of(const Shelved& shelved) {
    api::BackupInfo info;
    info.name = shelved.name;
    info.state = "done";
    info.kind = to_string(shelved.description.kind);
    info.file = shelved.file.string();
    info.made_at = shelved.description.made_at;
    info.bytes = shelved.bytes;
    info.encrypted = shelved.description.encrypted;
    info.program = shelved.description.program;
    return info;
}

}  // namespace

Result<void> check_passphrase(std::string_view passphrase) {
    if (passphrase.size() < kPassphraseBytesMin || passphrase.size() > kPassphraseBytesMax) {
        return no_passphrase("It has " + std::to_string(passphrase.size()) + " bytes.");
    }
    return {};
}

Result<SecretString> read_passphrase_file(const std::filesystem::path& file) {
    if (file.empty()) {
        return SecretString{};
    }
    auto text = certs::read_file(file, certs::FileKind::secret, kPassphraseBytesMax + 2);
    if (!text) {
        return text.error().number == "E5203"
                   ? std::move(text).error()
                   : no_passphrase(text.error().message + " " + text.error().why);
    }
    const std::string_view line = text->view().substr(0, text->view().find_first_of("\r\n"));
    IOTSKY_CHECK(check_passphrase(line));
    return SecretString{line};
}

Service::Service(const std::filesystem::path& data_folder, Options options, Open open,
                 const Clock& clock, Random& random)
    : shelf_(data_folder),
      options_(std::move(options)),
      open_(std::move(open)),
      clock_(clock),
      random_(random) {}

Service::~Service() {
    stop();
}

void Service::start() {
    shelf_.remove_leftovers();
    thread_ = std::thread([this] { run(); });
}

void Service::stop() {
    {
        const LockGuard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
}

Result<api::BackupInfo> Service::begin(SecretString passphrase) {
    if (!passphrase.empty()) {
        IOTSKY_CHECK(check_passphrase(passphrase.view()));
    }
    IOTSKY_CHECK(shelf_.prepare());
    Job job;
    job.info.kind = to_string(job.kind);
    job.info.state = "running";
    job.info.made_at = clock_.wall_now();
    job.info.name = shelf_.new_name(job.kind, cli::version(), job.info.made_at);
    job.info.file = shelf_.file_of(job.info.name).string();
    job.info.encrypted = !passphrase.empty();
    job.info.program = cli::version();
    job.passphrase = std::move(passphrase);
    const api::BackupInfo info = job.info;
    {
        const LockGuard lock(mutex_);
        if (last_ && last_->state == "running") {
            return busy(last_->name);
        }
        last_ = info;
        waiting_ = std::move(job);
    }
    changed_.notify_all();
    return info;
}

Result<api::BackupInfo> Service::show(const std::string& name) {
    {
        const LockGuard lock(mutex_);
        if (last_ && last_->name == name) {
            return *last_;
        }
    }
    const auto found = shelf_.find(name);
    if (!found || found->name != name) {
        return no_such_backup(name);
    }
    return info_of(*found);
}

std::vector<api::BackupInfo> Service::list() {
    std::vector<api::BackupInfo> all;
    {
        const LockGuard lock(mutex_);
        if (last_ && last_->state != "done") {
            all.push_back(*last_);
        }
    }
    for (const Shelved& shelved : shelf_.list()) {
        all.push_back(info_of(shelved));
    }
    return all;
}

Result<void> Service::remove(const std::string& name) {
    {
        const LockGuard lock(mutex_);
        if (last_ && last_->name == name) {
            if (last_->state == "running") {
                return busy(name);
            }
            const bool failed = last_->state == "failed";
            last_.reset();
            if (failed) {
                return {};
            }
        }
    }
    return shelf_.remove(name);
}

void Service::run() {
    set_thread_name("backup");
    const int ignored = ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
    static_cast<void>(ignored);  // without it the backup is only less polite
    while (auto job = next_job()) {
        make(std::move(*job));
    }
}

std::optional<Service::Job> Service::next_job() {
    for (;;) {
        if (auto job = automatic_job()) {
            return job;
        }
        LockGuard lock(mutex_);
        if (!waiting_ && !stopping_) {
            changed_.wait_for(mutex_, kLook);
        }
        if (stopping_) {
            return std::nullopt;
        }
        if (waiting_) {
            return std::exchange(waiting_, std::nullopt);
        }
    }
}

std::optional<Service::Job> Service::automatic_job() {
    if (options_.every.count() == 0) {
        return std::nullopt;
    }
    const WallTime now = clock_.wall_now();
    // One that was missed, because the machine was off, is due at once.
    const auto last = shelf_.newest(Kind::automatic, now);
    const bool due = !last || now >= *last + options_.every;
    const LockGuard lock(mutex_);
    if (!due || clock_.now() < not_before_ || waiting_ || stopping_) {
        return std::nullopt;
    }
    Job job;
    job.kind = Kind::automatic;
    job.info.kind = to_string(job.kind);
    job.info.state = "running";
    job.info.made_at = now;
    job.info.name = shelf_.new_name(job.kind, cli::version(), now);
    job.info.file = shelf_.file_of(job.info.name).string();
    job.info.program = cli::version();
    last_ = job.info;
    return job;
}

Result<Description> Service::try_make(const Job& job, api::BackupInfo& info) {
    IOTSKY_CHECK(shelf_.prepare());
    shelf_.remove_leftovers();
    SecretString passphrase = job.passphrase.clone();
    if (job.kind == Kind::automatic) {
        IOTSKY_TRY(from_file, read_passphrase_file(options_.passphrase_file));
        passphrase = std::move(from_file);
    }
    IOTSKY_TRY(sources, open_());
    for (const std::filesystem::path& file : sources.config.left_out) {
        info.left_out.push_back(file.string());
    }
    const Order order{info.file, job.kind, passphrase.view(), cli::version(), info.made_at};
    return create_backup(std::move(sources), order, random_, [this] { return !stopping_.load(); });
}

void Service::make(Job job) {
    api::BackupInfo info = job.info;
    const auto made = try_make(job, info);
    std::error_code ignored;
    if (made) {
        info.state = "done";
        info.encrypted = made->encrypted;
        info.bytes = std::filesystem::file_size(info.file, ignored);
        log::info("", "backup made", {{"detail", info.file}, {"n", info.bytes}});
    } else {
        const Error& error = made.error();
        info.state = "failed";
        info.problem = error.number + " " + error.message + " " + error.why;
        log::error(error.number, "backup not made",
                   {{"reason", error.message + " " + error.why}, {"detail", error.detail}});
    }
    if (job.kind == Kind::automatic) {
        shelf_.keep_newest(Kind::automatic, options_.keep, clock_.wall_now());
    }
    const LockGuard lock(mutex_);
    last_ = info;
    if (!made && job.kind == Kind::automatic) {
        not_before_ = clock_.now() + kAfterFailure;
    }
}

}  // namespace iotsky::apps::backup
