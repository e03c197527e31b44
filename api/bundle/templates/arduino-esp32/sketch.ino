// {{path}}: sends a number to $me/temp every 5 seconds and prints what comes back.
// Board: ESP32 (Arduino core 2.x or 3.x). Library: PubSubClient. Wi-Fi goes into secrets.h.

#include <Arduino.h>
#include <PubSubClient.h>
#include <WiFi.h>
#include <WiFiClientSecure.h>

#include "secrets.h"

const unsigned long kSendEveryMs = 5000;
const unsigned long kWaitMaxMs = 60000;

WiFiClientSecure net;
PubSubClient mqtt(net);
unsigned long waitMs = 1000;  // before the next try; doubles up to a minute
unsigned long lastSend = 0;

void onMessage(char* topic, byte* payload, unsigned int length) {
  Serial.printf("[recv] %s ", topic);
  Serial.write(payload, length);
  Serial.println();
}

void connectWifi() {
  if (WiFi.status() == WL_CONNECTED) return;
  Serial.printf("[wifi] connecting to %s ", WIFI_SSID);
  WiFi.mode(WIFI_STA);
  WiFi.begin(WIFI_SSID, WIFI_PASSWORD);
  for (int i = 0; i < 60 && WiFi.status() != WL_CONNECTED; i++) {
    delay(500);
    Serial.print(".");
  }
  Serial.println();
  if (WiFi.status() == WL_CONNECTED) {
    Serial.printf("[wifi] connected %s\n", WiFi.localIP().toString().c_str());
  }
}

// One try under one name or address; the certificate is valid for all of them.
bool connectTo(const char* host) {
  String clientId = "esp32-" + String((uint32_t)ESP.getEfuseMac(), HEX);
  mqtt.setServer(host, BROKER_PORT);
  Serial.printf("[mqtt] connecting to %s:%d\n", host, BROKER_PORT);
  if (mqtt.connect(clientId.c_str(), NULL, NULL, "$me/status", 1, true, "offline")) return true;
  char reason[100] = "";
  net.lastError(reason, sizeof(reason));
  Serial.printf("[mqtt] failed, rc=%d %s\n", mqtt.state(), reason);
  return false;
}

void connectMqtt() {
  for (int i = 0; BROKER_HOSTS[i] != NULL; i++) {
    if (!connectTo(BROKER_HOSTS[i])) continue;
    Serial.println("[mqtt] connected as {{path}}");
    waitMs = 1000;
    mqtt.subscribe("$me/notice");  // why something was refused
    mqtt.subscribe("$me/set/#", 1);
    mqtt.publish("$me/status", "online", true);
    return;
  }
  // Not all boards of a class at the same moment.
  delay(waitMs + random(waitMs / 2));
  waitMs = min(waitMs * 2, kWaitMaxMs);
}

void setup() {
  Serial.begin(115200);
  delay(200);
  net.setCACert(CA_CERT);  // before connect(), all three
  net.setCertificate(DEVICE_CERT);
  net.setPrivateKey(DEVICE_KEY);
  mqtt.setBufferSize(1024);  // PubSubClient's own is 256 bytes
  mqtt.setKeepAlive(30);
  mqtt.setCallback(onMessage);
}

void loop() {
  connectWifi();
  if (WiFi.status() != WL_CONNECTED) return;
  if (!mqtt.connected()) {
    connectMqtt();
    return;
  }
  mqtt.loop();
  if (millis() - lastSend >= kSendEveryMs) {
    lastSend = millis();
    // Your sensor goes here.
    String value = String(20.0 + random(50) / 10.0, 1);
    bool sent = mqtt.publish("$me/temp", value.c_str());
    Serial.printf("[send] $me/temp %s%s\n", value.c_str(), sent ? "" : " FAILED");
  }
}
