// The real program: one broker in a process of its own, on loopback ports that the kernel chooses.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <thread>

#include "tests/unit/apps/cli_run.hpp"

extern char** environ;

using namespace iotsky::apps::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kConfig = R"(
[listener.tls]
bind = "127.0.0.1:0"
[listener.plain]
protocol = "mqtt"
bind = "127.0.0.1:0"
anonymous_policy_file = "allow.json"
[listener.admin]
protocol = "http"
bind = "127.0.0.1:0"
[listener.sock]
protocol = "unix"
path = "admin.sock"
)";

/// `iotsky serve` in a folder of its own; killed at the end if it still runs.
class Broker {
  public:
    Broker() {
        folder_.write("c.toml", kConfig);
        folder_.write(
            "allow.json",
            R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]})");
        start();
    }
    ~Broker() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
    }
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;

    [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }
    [[nodiscard]] std::string data() const { return (folder_.path() / "data").string(); }
    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] std::string output() const { return folder_.read("out"); }
    [[nodiscard]] std::string log() const { return folder_.read("err"); }

    [[nodiscard]] int port(const std::string& listener) const {
        const auto endpoints = boost::json::parse(folder_.read("data/endpoints.json"));
        for (const auto& item : endpoints.at("listeners").as_array()) {
            if (item.at("name").as_string() == listener) {
                return static_cast<int>(item.at("port").as_int64());
            }
        }
        return 0;
    }
    /// A verb of the command line against this broker.
    Ran operator()(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), {"--data", data()});
        return Runner{}(arguments);
    }
    /// Sends SIGTERM; the exit code, or -1 when it did not end within 2 s.
    int terminate() {
        ::kill(pid_, SIGTERM);
        for (int i = 0; i < 200; ++i) {
            int status = 0;
            if (::waitpid(pid_, &status, WNOHANG) == pid_) {
                pid_ = 0;
                return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
            }
            std::this_thread::sleep_for(10ms);
        }
        return -1;
    }
    void start() {
        pid_ = spawn("out", "err");
        for (int i = 0; i < 3000 && output().find("ready\n") == std::string::npos; ++i) {
            REQUIRE_MESSAGE(::waitpid(pid_, nullptr, WNOHANG) == 0, log());
            std::this_thread::sleep_for(10ms);
        }
        REQUIRE(output().ends_with("ready\n"));
    }
    /// Another `iotsky serve` on the same folder: its exit code.
    [[nodiscard]] int start_second() const {
        int status = 0;
        ::waitpid(spawn("out2", "err2"), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
    }

  private:
    [[nodiscard]] pid_t spawn(const char* out, const char* err) const {
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        const std::string files[] = {(folder_.path() / out).string(),
                                     (folder_.path() / err).string()};
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, files[0].c_str(),
                                         O_WRONLY | O_CREAT | O_TRUNC, 0600);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, files[1].c_str(),
                                         O_WRONLY | O_CREAT | O_TRUNC, 0600);
        std::string words[] = {"iotsky", "serve",    "--data",
                               data(),   "--config", (folder_.path() / "c.toml").string()};
        std::vector<char*> argv;
        for (std::string& word : words) {
            argv.push_back(word.data());
        }
        argv.push_back(nullptr);
        pid_t pid = 0;
        REQUIRE(::posix_spawn(&pid, IOTSKY_PROGRAM, &actions, nullptr, argv.data(), environ) == 0);
        posix_spawn_file_actions_destroy(&actions);
        return pid;
    }

    TemporaryFolder folder_;
    pid_t pid_ = 0;
};

}  // namespace

TEST_SUITE("apps.daemon") {
    TEST_CASE(
        "from an empty folder to two things that talk over mutual TLS, each only where it may") {
        Broker broker;
        CHECK(broker.output().find("set up with defaults") != std::string::npos);
        CHECK(broker({"status", "-q"}).out == "ready\n");
        REQUIRE(broker({"class", "create", "7b"}).code == 0);
        const std::string weather = (broker.folder().path() / "weather").string();
        const std::string door = (broker.folder().path() / "door").string();
        REQUIRE(broker({"thing", "create", "7b/otter/weather", "--out", weather}).code == 0);
        REQUIRE(broker({"thing", "create", "7b/heron/door", "--out", door, "--key-type", "rsa2048"})
                    .code == 0);

        Ran heard;
        std::atomic<bool> done{false};
        std::thread listening{[&] {
            heard = broker({"sub", "7b/commons/#", "--identity", door, "--host", "127.0.0.1",
                            "--count", "1", "--timeout", "20s"});
            done = true;
        }};
        // Sent again until the subscription is there: it counts one message only.
        Ran sent;
        for (int i = 0; i < 100 && !done; ++i) {
            sent = broker(
                {"pub", "7b/commons/hello", "hi", "--identity", weather, "--host", "127.0.0.1"});
            if (sent.code != 0) {
                break;
            }
            std::this_thread::sleep_for(50ms);
        }
        listening.join();
        CHECK(sent.code == 0);
        CHECK(sent.err.empty());
        CHECK(heard.code == 0);
        CHECK(heard.out == "7b/commons/hello hi\n");

        const Ran refused =
            broker({"pub", "7b/heron/door", "x", "--identity", weather, "--host", "127.0.0.1"});
        CHECK(refused.code == 4);
        CHECK(refused.err.starts_with("E3101"));
        CHECK(broker({"explain", "7b/otter/weather", "publish", "7b/heron/door"}).code == 8);
        CHECK(broker({"thing", "refusals", "7b/otter/weather"}).out.find("E3101") !=
              std::string::npos);

        REQUIRE(broker({"cert", "revoke", "7b/otter/weather", "--reason", "lost", "--yes"}).code ==
                0);
        const Ran revoked =
            broker({"pub", "$me/x", "x", "--identity", weather, "--host", "127.0.0.1"});
        CHECK(revoked.code == 4);
        CHECK(revoked.err.starts_with("E1175"));
        CHECK(broker.terminate() == 0);
    }

    TEST_CASE("a plain listener serves anonymous clients by their policy") {
        Broker broker;
        const std::string port = std::to_string(broker.port("plain"));
        for (const char* qos : {"0", "1", "2"}) {
            CHECK(broker({"pub", "a/b", "x", "--plain", "--host", "127.0.0.1", "--port", port,
                          "--qos", qos, "--retain"})
                      .code == 0);
        }
        const Ran heard = broker({"sub", "a/#", "--plain", "--host", "127.0.0.1", "--port", port,
                                  "--count", "1", "--timeout", "20s", "--json"});
        CHECK(heard.code == 0);
        CHECK(heard.out == "{\"topic\":\"a/b\",\"qos\":1,\"retain\":true,\"payload\":\"x\"}\n");
    }

    TEST_CASE(
        "SIGTERM ends it with code 0 within 2 s, and what was provisioned is there after a "
        "restart") {
        Broker broker;
        REQUIRE(broker({"class", "create", "7b"}).code == 0);
        const std::string token = broker.folder().read("data/admin.token");
        CHECK(broker.terminate() == 0);
        CHECK_FALSE(std::filesystem::exists(broker.data() + "/endpoints.json"));
        broker.start();
        CHECK(broker.output().find("set up with defaults") == std::string::npos);
        CHECK(broker({"class", "list", "--columns", "name"}).out == "CLASS\n7b\n");
        CHECK(broker.folder().read("data/admin.token") == token);
        CHECK(broker.terminate() == 0);
    }

    TEST_CASE("a second broker on the folder ends with a message that names the first") {
        Broker broker;
        CHECK(broker.start_second() == 5);
        CHECK(broker.folder().read("err2").find("pid " + std::to_string(broker.pid())) !=
              std::string::npos);
        CHECK(broker({"status", "-q"}).out == "ready\n");
    }

    TEST_CASE("SIGHUP reloads; a wrong file changes nothing and is told") {
        Broker broker;
        broker.folder().write("c.toml", std::string{kConfig} + "[log]\nlevel = \"debug\"\n");
        ::kill(broker.pid(), SIGHUP);
        const auto logged = [&](const char* text) {
            for (int i = 0; i < 1000 && broker.log().find(text) == std::string::npos; ++i) {
                std::this_thread::sleep_for(10ms);
            }
            return broker.log().find(text) != std::string::npos;
        };
        CHECK(logged("configuration reloaded"));
        broker.folder().write("c.toml", "[log]\nlevel = \"loud\"\n");
        ::kill(broker.pid(), SIGHUP);
        CHECK(logged("E1154"));
        CHECK(broker({"status", "-q"}).out == "ready\n");
    }

    TEST_CASE("a token opens the API on its port, and nothing else does") {
        Broker broker;
        const std::string server = "http://127.0.0.1:" + std::to_string(broker.port("admin"));
        const Runner run;
        CHECK(run({"--server", server, "--token-file", broker.data() + "/admin.token", "class",
                   "list"})
                  .code == 0);
        CHECK(run({"--server", server, "class", "list"}).code == 4);
        const auto wrong = broker.folder().write("wrong", "iot_wrong\n");
        std::filesystem::permissions(wrong, std::filesystem::perms::owner_read);
        CHECK(run({"--server", server, "--token-file", wrong.string(), "class", "list"}).code == 4);
    }

    TEST_CASE("events of the chain reach a service over MQTT") {
        Broker broker;
        const auto policy = broker.folder().write(
            "service.json",
            R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"*"},)"
            R"({"Effect":"Allow","Action":["iot:Subscribe"],"Resource":"arn:aws:iot:*:*:topicfilter/$iotsky/events/*"},)"
            R"({"Effect":"Allow","Action":["iot:Receive"],"Resource":"arn:aws:iot:*:*:topic/$iotsky/events/*"}]})");
        const std::string identity = (broker.folder().path() / "grader").string();
        const Ran issued = broker({"cert", "issue", "--service", "grader", "--policy",
                                   policy.string(), "--out", identity});
        REQUIRE_MESSAGE(issued.code == 0, issued.err);
        Ran heard;
        std::atomic<bool> done{false};
        std::thread listening{[&] {
            heard = broker({"sub", "$iotsky/events/class.created", "--identity", identity, "--host",
                            "127.0.0.1", "--count", "1", "--timeout", "20s"});
            done = true;
        }};
        for (int i = 0; i < 200 && !done; ++i) {
            broker({"class", "create", "c" + std::to_string(i)});
            std::this_thread::sleep_for(50ms);
        }
        listening.join();
        CAPTURE(heard.err);
        CHECK(heard.code == 0);
        CHECK(heard.out.starts_with("$iotsky/events/class.created {\"seq\":"));
    }
}
