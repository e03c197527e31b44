// Keep this file to yourself: the key below is this thing.
#pragma once

#define WIFI_SSID "{{wifi_ssid}}"
#define WIFI_PASSWORD ""

#define BROKER_PORT {{port}}
// Tried in this order.
static const char* const BROKER_HOSTS[] = { {{hosts_c}}, NULL};

// The broker's CA, and the one that follows it.
static const char CA_CERT[] = R"PEM({{ca}}{{ca_next}})PEM";

static const char DEVICE_CERT[] = R"PEM({{certificate}})PEM";

static const char DEVICE_KEY[] = R"PEM({{private_key}})PEM";
