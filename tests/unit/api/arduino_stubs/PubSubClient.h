#pragma once

#include "WiFiClientSecure.h"

/// Connects to every host but the first, so that the sketch has to try the addresses; prints what a
/// broker would see.
class PubSubClient {
  public:
    explicit PubSubClient(Client& client) : client_(static_cast<WiFiClientSecure&>(client)) {}
    PubSubClient& setServer(const char* host, uint16_t port) {
        host_ = host;
        port_ = port;
        ++tries_;
        return *this;
    }
    bool connect(const char* id, const char* user, const char* password, const char* will_topic,
                 uint8_t will_qos, bool will_retain, const char* will) {
        const bool whole = client_.ca && client_.certificate && client_.key;
        connected_ = whole && tries_ > 1 && !user && !password;
        if (connected_) {
            std::printf("CONNECT %s:%u id=%s will=%s:%s:%d:%d\n", host_, port_, id, will_topic,
                        will, will_qos, will_retain);
        }
        return connected_;
    }
    bool connected() { return connected_; }
    int state() { return -2; }
    bool loop() { return connected_; }
    bool setBufferSize(uint16_t bytes) { return bytes >= 1024; }
    PubSubClient& setKeepAlive(uint16_t /*seconds*/) { return *this; }
    PubSubClient& setCallback(void (*callback)(char*, uint8_t*, unsigned int)) {
        callback_ = callback;
        return *this;
    }
    bool subscribe(const char* filter, uint8_t qos = 0) {
        std::printf("SUBSCRIBE %s %d\n", filter, qos);
        return true;
    }
    bool publish(const char* topic, const char* payload, bool retain = false) {
        std::printf("PUBLISH %s %s %d\n", topic, payload, retain);
        char name[] = "$me/notice";
        uint8_t text[] = {'h', 'i'};
        callback_(name, text, 2);
        return true;
    }

  private:
    WiFiClientSecure& client_;
    const char* host_ = "";
    uint16_t port_ = 0;
    int tries_ = 0;
    bool connected_ = false;
    void (*callback_)(char*, uint8_t*, unsigned int) = nullptr;
};
