#include "apps/serve/firewall.hpp"

#include "tests/unit/apps/cli_run.hpp"

using namespace iotsky::apps;
using namespace iotsky::apps::test;
namespace fs = std::filesystem;

namespace {

/// The root of a machine.
struct Machine : TemporaryFolder {
    Machine() {
        for (const char* folder : {"etc/ufw", "etc/default", "etc/firewalld/zones", "run"}) {
            fs::create_directories(path() / folder);
        }
    }
    void ufw(const std::string& rules) const {
        write("etc/ufw/ufw.conf", "# a comment\nENABLED=yes\nLOGLEVEL=low\n");
        write("etc/default/ufw", "DEFAULT_INPUT_POLICY=\"DROP\"\n");
        write("etc/ufw/user.rules", "*filter\n" + rules + "COMMIT\n");
    }
    [[nodiscard]] std::string hint(std::uint16_t port = 8883) const {
        const auto found = firewall_hint(path(), port);
        return found ? found->what + " " + found->how : "";
    }
};

}  // namespace

TEST_SUITE("apps.firewall") {
    TEST_CASE("a machine without a firewall gets no hint") {
        const Machine machine;
        CHECK(machine.hint().empty());
        machine.write("etc/ufw/ufw.conf", "ENABLED=no\n");
        CHECK(machine.hint().empty());
    }

    TEST_CASE("ufw that blocks the port is told with the command that opens it") {
        const Machine machine;
        machine.ufw(
            "### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n"
            "### tuple ### deny tcp 8883 0.0.0.0/0 any 0.0.0.0/0 in\n"
            "### tuple ### allow udp 8883 0.0.0.0/0 any 0.0.0.0/0 in\n");
        CHECK(machine.hint() == "ufw is active and blocks port 8883. sudo ufw allow 8883/tcp");
    }

    TEST_CASE("a rule that opens the port ends the hint, in each of its forms") {
        for (const char* rule :
             {"allow tcp 8883", "limit tcp 443,8883", "allow tcp 8000:9000", "allow any any"}) {
            CAPTURE(rule);
            const Machine machine;
            machine.ufw("### tuple ### " + std::string{rule} + " 0.0.0.0/0 any 0.0.0.0/0 in\n");
            CHECK(machine.hint().empty());
        }
    }

    TEST_CASE("ufw that lets in by default, or whose rules cannot be read") {
        const Machine machine;
        machine.ufw("");
        fs::remove(machine.path() / "etc/ufw/user.rules");
        CHECK(machine.hint().starts_with("ufw is active and may block port 8883."));
        machine.write("etc/default/ufw", "DEFAULT_INPUT_POLICY=\"ACCEPT\"\n");
        CHECK(machine.hint().empty());
    }

    TEST_CASE("firewalld is told unless one of its zones has the port") {
        const Machine machine;
        machine.write("run/firewalld.pid", "1\n");
        CHECK(machine.hint(8884).find("--add-port=8884/tcp") != std::string::npos);
        machine.write("etc/firewalld/zones/public.xml",
                      "<zone>\n  <port port=\"8884\" protocol=\"tcp\"/>\n</zone>\n");
        CHECK(machine.hint(8884).empty());
        CHECK_FALSE(machine.hint(8883).empty());
    }
}
