#pragma once

#include <cstring>

#include "Arduino.h"

class Client {
  public:
    virtual ~Client() = default;
};

class WiFiClientSecure : public Client {
  public:
    void setCACert(const char* pem) { ca = pem; }
    void setCertificate(const char* pem) { certificate = pem; }
    void setPrivateKey(const char* pem) { key = pem; }
    int lastError(char* out, size_t size) {
        std::strncpy(out, "stub: unknown host", size - 1);
        return -1;
    }

    const char* ca = nullptr;
    const char* certificate = nullptr;
    const char* key = nullptr;
};
