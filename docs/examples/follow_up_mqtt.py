#!/usr/bin/env python3
"""A follow-up function over MQTT: the same as follow_up.py, told by the broker.

Needs paho-mqtt (Debian: python3-paho-mqtt), version 1 or 2. The persistent session keeps what comes
while the program is away.

    iotsky cert issue --service follow-up --policy follow_up_policy.json --out follow-up
    ./follow_up_mqtt.py --folder follow-up --host iotsky.local
"""
import argparse
import json
import os
import sys

import paho.mqtt.client as mqtt

TOPIC = "$iotsky/events/#"


def on_thing(event):
    """Your part. Called for every thing that is ready; must stand being called twice."""
    print(f"{event['thing']['path']} is ready", flush=True)


HANDLERS = {"thing.provisioned": on_thing}


def on_connect(client, _userdata, _flags, reason, *_properties):
    if reason != 0:
        sys.exit(f"refused: {reason}")
    client.subscribe(TOPIC, qos=1)


def on_message(_client, _userdata, message):
    event = json.loads(message.payload)
    handler = HANDLERS.get(message.topic.split("/", 2)[2])
    if handler:
        handler(event)


def make_client(client_id):
    if hasattr(mqtt, "CallbackAPIVersion"):
        return mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False
        )
    return mqtt.Client(client_id=client_id, clean_session=False)


def main():
    parser = argparse.ArgumentParser(description="Follows the events of an iotsky registry.")
    parser.add_argument("--host", default="iotsky.local")
    parser.add_argument("--port", type=int, default=8883)
    parser.add_argument("--folder", default=".", help="holds ca.crt, device.crt, device.key")
    parser.add_argument("--client-id", default="follow-up")
    options = parser.parse_args()

    client = make_client(options.client_id)
    client.tls_set(
        ca_certs=os.path.join(options.folder, "ca.crt"),
        certfile=os.path.join(options.folder, "device.crt"),
        keyfile=os.path.join(options.folder, "device.key"),
    )
    client.on_connect = on_connect
    client.on_message = on_message
    client.connect(options.host, options.port)
    client.loop_forever()


if __name__ == "__main__":
    main()
