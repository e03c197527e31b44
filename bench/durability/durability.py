#!/usr/bin/python3
"""What durability costs: the same broker in its three modes, in turn, on a real disk.

load: QoS 1 from 64 publishers with one message on the way each to 64 persistent sessions. Beside it, one fdatasync
of that disk. offline: --sessions absent sessions with --queued-mib of messages waiting for them, and the memory that
this takes. Prints medians with the least and the most, and writes them to --out.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests" / "system"), str(TOP / "bench")]
import harness  # noqa: E402
from report import report  # noqa: E402
import tiny_mqtt  # noqa: E402

MODES = ("durable", "relaxed", "memory")
FIGURES = ("delivered_per_s", "acknowledged_us.p50", "acknowledged_us.p99", "cpu_us_per_message", "lost")
OFFLINE_PAYLOAD = 64 << 10
OFFLINE_WINDOW = 50


def broker_in(mode):
    config = harness.TLS_LISTENER + harness.PLAIN_LISTENER + f'\n[durability]\nmode = "{mode}"\n'
    return harness.Broker(config=config)


def fdatasync_us(folder, count=200):
    """Microseconds of one 4 KiB write with fdatasync, median."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(count):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - began) * 1e6)
    return statistics.median(times)


def load(options, mode):
    """One fresh broker, one load; the generator's JSON."""
    with broker_in(mode) as broker:
        command = [options.build / "bench" / "iotsky_load", "pairs", "--qos", "1", "--persistent",
                   "--clients", "64", "--window", "1", "--port", str(broker.port("plain")),
                   "--pid", str(broker.process.pid), "--seconds", str(options.seconds)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        return json.loads(done.stdout)


def figure(run, name):
    for part in name.split("."):
        run = run[part]
    return run


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def rss_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise AssertionError("no VmRSS")


def make_sessions(port, count):
    for i in range(count):
        with tiny_mqtt.Client(port) as client:
            client.connect(f"away-{i}", clean=False)
            client.subscribe(f"away/{i}", qos=1)


def fill(port, count, mib):
    """Publishes `mib` to the sessions in turn; everything is acknowledged when it returns."""
    payload = os.urandom(OFFLINE_PAYLOAD)
    messages = (mib << 20) // OFFLINE_PAYLOAD
    with tiny_mqtt.Client(port) as client:
        client.connect("filler")
        acknowledged = 0
        for sent in range(1, messages + 1):
            client.send(tiny_mqtt.publish_packet(f"away/{sent % count}", payload, 1,
                                                 packet_id=(sent - 1) % 65535 + 1))
            while sent - acknowledged >= (OFFLINE_WINDOW if sent < messages else 1):
                client.expect(tiny_mqtt.PUBACK)
                acknowledged += 1
    return messages


def offline(options):
    with broker_in("durable") as broker:
        idle = rss_bytes(broker.process.pid)
        make_sessions(broker.port("plain"), options.sessions)
        messages = fill(broker.port("plain"), options.sessions, options.queued_mib)
        return {"sessions": options.sessions, "messages": messages, "queued_mib": options.queued_mib,
                "rss_idle_bytes": idle, "rss_bytes": rss_bytes(broker.process.pid)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build" / "release")
    parser.add_argument("--runs", type=int, default=5, help="of each mode")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--queued-mib", type=int, default=1024)
    parser.add_argument("--disk", type=pathlib.Path, default=pathlib.Path("/var/tmp"), help="folder for the data")
    parser.add_argument("--out", type=pathlib.Path, help="file for the figures as JSON")
    options = parser.parse_args()
    harness.IOTSKY = str(options.build / "apps" / "iotsky")
    harness.FOLDER = str(options.disk)

    result = {"machine": {"cpus": os.cpu_count(), "kernel": platform.release(), "load_before": os.getloadavg()[0],
                          "disk": str(options.disk)},
              "command": " ".join(sys.argv)}
    runs = {mode: [] for mode in MODES}
    syncs = []
    for turn in range(options.runs):
        for mode in MODES if turn % 2 == 0 else MODES[::-1]:
            syncs.append(fdatasync_us(options.disk))
            runs[mode].append(load(options, mode))
    result["fdatasync_us"] = spread(syncs)
    result["load"] = {mode: {name: spread([figure(run, name) for run in runs[mode]]) for name in FIGURES}
                      for mode in MODES}
    rates = {mode: result["load"][mode]["delivered_per_s"]["median"] for mode in MODES}
    result["of_memory"] = {mode: round(rates[mode] / rates["memory"], 3) for mode in MODES}
    result["offline"] = offline(options)
    report(result, options.out)


if __name__ == "__main__":
    main()
