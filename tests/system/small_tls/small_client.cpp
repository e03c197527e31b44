#include "tests/system/small_tls/small_client.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

namespace small_tls {
namespace {

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(2);
}

}  // namespace

Options parse_options(int argc, char** argv) {
    Options options;
    const std::map<std::string, std::string*> texts{
        {"--host", &options.host},          {"--port", &options.port},
        {"--name", &options.name},          {"--ca", &options.ca_file},
        {"--key", &options.key_file},       {"--cert", &options.certificate_file},
        {"--client-id", &options.client_id}};
    for (int i = 1; i < argc; ++i) {
        const std::string flag = argv[i];
        const auto text = texts.find(flag);
        if (flag == "--small-records") {
            options.small_records = true;
        } else if (text != texts.end() && i + 1 < argc) {
            *text->second = argv[++i];
        } else if (flag == "--clock" && i + 1 < argc) {
            options.clock_unix_s = std::atoll(argv[++i]);
        } else {
            give_up("unknown or unfinished option " + flag);
        }
    }
    if (options.port.empty() || options.name.empty() || options.ca_file.empty()) {
        give_up(
            "usage: --port N --name NAME --ca FILE [--host H] [--cert FILE --key FILE] "
            "[--clock UNIX] [--client-id ID] [--small-records]");
    }
    return options;
}

int connect_to(const Options& options) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(options.host.c_str(), options.port.c_str(), &hints, &found) != 0) {
        give_up("no such host: " + options.host);
    }
    const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{10, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const int rc = ::connect(fd, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (rc != 0) {
        give_up("cannot connect to " + options.host + ":" + options.port);
    }
    return fd;
}

std::vector<unsigned char> read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        give_up("cannot read " + path);
    }
    std::vector<unsigned char> bytes{std::istreambuf_iterator<char>(in), {}};
    bytes.push_back(0);  // Mbed TLS takes PEM with its terminator
    return bytes;
}

std::vector<unsigned char> connect_packet(const std::string& client_id) {
    std::vector<unsigned char> packet{0x10, static_cast<unsigned char>(12 + client_id.size()),
                                      0,    4,
                                      'M',  'Q',
                                      'T',  'T',
                                      4,    0x02,
                                      0,    30,
                                      0,    static_cast<unsigned char>(client_id.size())};
    packet.insert(packet.end(), client_id.begin(), client_id.end());
    return packet;
}

int judge_connack(const std::vector<unsigned char>& connack, const std::string& words) {
    if (connack.size() != 4 || connack[0] != 0x20 || connack[1] != 2) {
        return refused("the answer is no CONNACK");
    }
    if (connack[3] != 0) {
        return refused("CONNACK " + std::to_string(connack[3]));
    }
    std::printf("ok %s\n", words.c_str());
    return 0;
}

int refused(const std::string& why) {
    std::printf("refused %s\n", why.c_str());
    return 1;
}

}  // namespace small_tls
