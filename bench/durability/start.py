#!/usr/bin/python3
"""How long a start takes until the first CONNACK, and a stop until the process is gone: with next to nothing stored,
and with --sessions absent sessions that have --messages queued among them. Prints medians with the least and the most,
and writes them to --out.
"""
import argparse
import os
import pathlib
import socket
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests" / "system"), str(TOP / "bench")]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import durability  # noqa: E402
import harness  # noqa: E402
from report import report  # noqa: E402
import tiny_mqtt  # noqa: E402

PAYLOAD = b"x" * 100
PATIENCE_S = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def broker_at(port):
    plain = harness.PLAIN_LISTENER.replace("127.0.0.1:0", f"127.0.0.1:{port}")
    return harness.Broker(config=harness.TLS_LISTENER + plain)


def first_connack_s(port, began):
    """Seconds from `began` until a client got CONNACK 0; it asks again every millisecond."""
    while time.perf_counter() < began + PATIENCE_S:
        try:
            with tiny_mqtt.Client(port) as client:
                client.connect("first")
                return time.perf_counter() - began
        except (OSError, AssertionError, tiny_mqtt.Closed):
            time.sleep(0.001)
    raise AssertionError("no CONNACK")


def timed_start(broker, port):
    began = time.perf_counter()
    broker.spawn()
    took = first_connack_s(port, began)
    harness.eventually(broker.is_ready, "the broker says ready")
    return took


def starts_and_stops(broker, port, runs):
    starts, stops = [], []
    for _ in range(runs):
        stops.append(broker.stop() * 1e3)
        starts.append(timed_start(broker, port) * 1e3)
    return {"first_connack_ms": durability.spread(starts), "stop_ms": durability.spread(stops)}


def fill(port, sessions, messages):
    """Sessions that share one topic and are away; every message waits for all of them."""
    for i in range(sessions):
        with tiny_mqtt.Client(port) as client:
            client.connect(f"away-{i}", clean=False)
            client.subscribe("away", qos=1)
    with tiny_mqtt.Client(port) as client:
        client.connect("filler")
        for number in range(1, messages // sessions + 1):
            client.send(tiny_mqtt.publish_packet("away", PAYLOAD, 1, packet_id=number))
            client.expect(tiny_mqtt.PUBACK)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build" / "release")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--disk", type=pathlib.Path, default=pathlib.Path("/var/tmp"), help="folder for the data")
    parser.add_argument("--out", type=pathlib.Path, help="file for the figures as JSON")
    options = parser.parse_args()
    harness.IOTSKY = str(options.build / "apps" / "iotsky")
    harness.FOLDER = str(options.disk)

    port = free_port()
    result = {"load_before": os.getloadavg()[0], "command": " ".join(sys.argv)}
    with broker_at(port) as broker:
        result["empty"] = starts_and_stops(broker, port, options.runs)
        fill(port, options.sessions, options.messages)
        result["full"] = {"sessions": options.sessions, "messages": options.messages,
                          "rss_bytes": durability.rss_bytes(broker.process.pid),
                          **starts_and_stops(broker, port, options.runs)}
    report(result, options.out)


if __name__ == "__main__":
    main()
