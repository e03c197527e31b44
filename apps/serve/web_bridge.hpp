#pragma once

#include <memory>

#include "broker/net/web_connection.hpp"

namespace boost::asio {
class io_context;
}

namespace iotsky::api {
class Server;
}

namespace iotsky::apps {

/// Brings what asks an https listener for something else than MQTT from the io threads to the API
/// on the control thread. Confined to control, but for handler(). Outlives the connections.
class WebBridge {
  public:
    WebBridge();
    ~WebBridge();
    WebBridge(const WebBridge&) = delete;
    WebBridge& operator=(const WebBridge&) = delete;

    /// For listeners; both are run by, or confined to, the control thread and outlive them.
    [[nodiscard]] net::WebHandler handler(boost::asio::io_context& control, api::Server& api);

  private:
    void adopt(std::unique_ptr<net::WebConnection> connection, api::Server& api);

    std::unique_ptr<net::IoBuffers> buffers_;  ///< shared by all of them, within one call
};

}  // namespace iotsky::apps
