#!/usr/bin/env python3
"""{{path}}: sends a number to $me/temp every 5 seconds and prints what comes back.

Needs paho-mqtt, 1.x or 2.x (pip install paho-mqtt, or apt install python3-paho-mqtt).
"""
import random
import ssl
import sys
import time
import uuid
from pathlib import Path

import paho.mqtt.client as mqtt

HOSTS = [{{hosts_python}}]
PORT = {{port}}
CERTS = Path(__file__).resolve().parent.parent / "certs"


def make_client():
    client_id = "py-" + uuid.uuid4().hex[:12]
    if hasattr(mqtt, "CallbackAPIVersion"):  # paho 2.x
        return mqtt.Client(mqtt.CallbackAPIVersion.VERSION1, client_id=client_id)
    return mqtt.Client(client_id=client_id)


def on_connect(client, userdata, flags, rc):
    if rc != 0:
        print(f"[mqtt] refused, rc={rc}: {mqtt.connack_string(rc)}")
        return
    print("[mqtt] connected as {{path}}")
    client.subscribe([("$me/notice", 0), ("$me/set/#", 1)])
    client.publish("$me/status", "online", qos=1, retain=True)


def on_disconnect(client, userdata, rc):
    if rc != 0:
        print(f"[mqtt] connection lost, rc={rc}")


def on_message(client, userdata, message):
    print("[recv]", message.topic, message.payload.decode(errors="replace"))


def connect(client):
    """Tries every name and address, then waits: longer each time, and never all at once."""
    wait = 1.0
    while True:
        for host in HOSTS:
            try:
                print(f"[mqtt] connecting to {host}:{PORT}")
                client.connect(host, PORT, keepalive=30)
                return
            except (OSError, ssl.SSLError) as error:
                print(f"[mqtt] {host}: {error}")
        time.sleep(wait + random.uniform(0, wait / 2))
        wait = min(wait * 2, 60)


def main():
    client = make_client()
    client.tls_set(
        ca_certs=str(CERTS / "ca-bundle.crt"),
        certfile=str(CERTS / "device.crt"),
        keyfile=str(CERTS / "device.key"),
    )
    client.will_set("$me/status", "offline", qos=1, retain=True)
    client.on_connect = on_connect
    client.on_disconnect = on_disconnect
    client.on_message = on_message
    client.reconnect_delay_set(min_delay=1, max_delay=60)
    connect(client)
    client.loop_start()
    try:
        while True:
            value = f"{20 + random.uniform(0, 5):.1f}"  # your sensor goes here
            client.publish("$me/temp", value, qos=1)
            print("[send] $me/temp", value)
            time.sleep(5)
    except KeyboardInterrupt:
        client.publish("$me/status", "offline", qos=1, retain=True)
        client.disconnect()
        client.loop_stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
