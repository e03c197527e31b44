#pragma once

#include "Arduino.h"

enum wl_status_t { WL_CONNECTED = 3, WL_DISCONNECTED = 6 };
enum wifi_mode_t { WIFI_STA = 1 };

class IPAddress {
  public:
    String toString() const { return String("10.20.3.41"); }
};

class WiFiClass {
  public:
    void mode(wifi_mode_t /*mode*/) {}
    wl_status_t begin(const char* ssid, const char* /*password*/) {
        connected_ = ssid[0] != '\0';
        return status();
    }
    wl_status_t status() { return connected_ ? WL_CONNECTED : WL_DISCONNECTED; }
    IPAddress localIP() { return {}; }

  private:
    bool connected_ = false;
};
inline WiFiClass WiFi;
