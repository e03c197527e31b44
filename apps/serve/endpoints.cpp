#include "apps/serve/endpoints.hpp"

#include <unistd.h>

#include <boost/json.hpp>

#include "apps/config/config.hpp"
#include "apps/files.hpp"

namespace iotsky::apps {

std::string OpenListener::address() const {
    return path.empty() ? format_endpoint({host, port}) : path;
}

std::string endpoints_json(const std::filesystem::path& data_folder, long pid,
                           const std::vector<OpenListener>& listeners) {
    boost::json::array items;
    for (const OpenListener& listener : listeners) {
        boost::json::object item{{"name", listener.name}, {"protocol", listener.protocol}};
        if (listener.path.empty()) {
            item["host"] = listener.host;
            item["port"] = listener.port;
        } else {
            item["path"] = listener.path;
        }
        items.push_back(std::move(item));
    }
    return boost::json::serialize(
               boost::json::object{{"version", 1},
                                   {"pid", pid},
                                   {"ca_file", (data_folder / "server-ca.crt").string()},
                                   {"listeners", std::move(items)}}) +
           "\n";
}

Result<void> write_endpoints(const std::filesystem::path& data_folder,
                             const std::vector<OpenListener>& listeners) {
    return write_atomically(data_folder / "endpoints.json",
                            endpoints_json(data_folder, ::getpid(), listeners), 0644);
}

void remove_endpoints(const std::filesystem::path& data_folder) noexcept {
    std::error_code ignored;
    std::filesystem::remove(data_folder / "endpoints.json", ignored);
}

}  // namespace iotsky::apps
