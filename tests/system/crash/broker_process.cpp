#include "tests/system/crash/broker_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace iotsky::crash {
namespace {

using namespace std::chrono_literals;

constexpr const char* kConfig = R"([server]
names = ["localhost"]
addresses = ["127.0.0.1"]

[log]
level = "warn"

[listener.plain]
protocol = "mqtt"
bind = "127.0.0.1:0"
anonymous_policy_file = "allow.json"
failed_connects_per_minute_per_address = 1000000

# What a full queue drops is told and not lost; here nothing may be dropped.
[limits]
queue_bytes_max = "4GiB"
queue_messages_max = 100000000
)";
constexpr const char* kAllow =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]})";

std::string read(const std::filesystem::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

BrokerProcess::BrokerProcess(Options options) : options_(std::move(options)) {
    std::ofstream(options_.folder / "c.toml") << kConfig;
    std::ofstream(options_.folder / "allow.json") << kAllow;
}

BrokerProcess::~BrokerProcess() {
    kill();
}

void BrokerProcess::spawn() {
    const std::string config = (options_.folder / "c.toml").string();
    const std::string data_folder = data().string();
    std::vector<const char*> arguments{
        options_.program.c_str(), "serve", "--data", data_folder.c_str(), "--config",
        config.c_str(),           nullptr};
    std::vector<const char*> environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        environment.push_back(*entry);
    }
    for (const std::string& entry : options_.environment) {
        environment.push_back(entry.c_str());
    }
    environment.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    const std::string log = (options_.folder / "log").string();
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    // The C interface takes what it does not change as if it might.
    const int failed =
        ::posix_spawn(&pid_, options_.program.c_str(), &files, nullptr,
                      const_cast<char**>(arguments.data()), const_cast<char**>(environment.data()));
    posix_spawn_file_actions_destroy(&files);
    if (failed != 0) {
        pid_ = 0;
        throw std::runtime_error("cannot start " + options_.program);
    }
}

bool BrokerProcess::read_port() {
    const std::string text = read(data() / "endpoints.json");
    boost::system::error_code damaged;
    const auto endpoints = boost::json::parse(text, damaged);
    // One of an earlier life names another process.
    if (damaged || endpoints.at("pid").to_number<pid_t>() != pid_) {
        return false;
    }
    for (const auto& listener : endpoints.at("listeners").as_array()) {
        if (listener.at("name").as_string() == "plain") {
            port_ = listener.at("port").to_number<std::uint16_t>();
        }
    }
    return port_ != 0;
}

void BrokerProcess::start() {
    spawn();
    const auto end = std::chrono::steady_clock::now() + 90s;
    while (!read_port()) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = 0;
            throw std::runtime_error("the broker ended at its start:\n" + last_lines());
        }
        if (std::chrono::steady_clock::now() > end) {
            throw std::runtime_error("the broker is not ready after 90 s:\n" + last_lines());
        }
        std::this_thread::sleep_for(2ms);  // a file tells nobody that it is there
    }
}

void BrokerProcess::kill() {
    if (pid_ != 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
}

int BrokerProcess::stop(std::chrono::milliseconds& took) {
    const auto began = std::chrono::steady_clock::now();
    ::kill(pid_, SIGTERM);
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) != pid_) {
        if (std::chrono::steady_clock::now() > began + 60s) {
            kill();
            return -1;
        }
        std::this_thread::sleep_for(2ms);  // waitpid has no deadline
    }
    pid_ = 0;
    took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 began);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string BrokerProcess::last_lines() const {
    const std::string all = read(options_.folder / "log");
    return all.size() > 4'000 ? all.substr(all.size() - 4'000) : all;
}

}  // namespace iotsky::crash
