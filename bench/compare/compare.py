#!/usr/bin/python3
"""iotsky beside Debian's mosquitto: the same load, the same device certificates, in turn.

For every scenario and run a fresh process of each broker is started, loaded by iotsky_load and stopped; the
brokers alternate, so that a slow minute of the machine hits both. Writes medians, spread and ratios.
"""
import argparse
import contextlib
import json
import os
import pathlib
import platform
import socket
import statistics
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "system"))
import harness  # noqa: E402

# name: (mutual TLS?, arguments of iotsky_load)
SCENARIOS = {
    "pairs-qos0-plain": (False, ["pairs", "--qos", "0"]),
    "pairs-qos1-plain": (False, ["pairs", "--qos", "1"]),
    "pairs-qos0-mtls": (True, ["pairs", "--qos", "0"]),
    "pairs-qos1-mtls": (True, ["pairs", "--qos", "1"]),
    "pace-qos1-mtls": (True, ["pairs", "--qos", "1", "--rate", "2000"]),
    "fanout-qos0-plain": (False, ["fanout", "--qos", "0", "--clients", "50", "--window", "8"]),
    "fanin-qos1-plain": (False, ["fanin", "--qos", "1"]),
    "connect-mtls": (True, ["connect", "--clients", "300", "--window", "16"]),
    "connect-mtls-resumed": (True, ["connect", "--clients", "300", "--window", "16", "--resume",
                                    "--tls", "1.2"]),
    "idle-mtls": (True, ["connect", "--clients", "IDLE", "--window", "16", "--hold", "3"]),
}
FIGURES = ["delivered_per_s", "connects_per_s", "latency_us.p50", "latency_us.p99", "cpu_us_per_message",
           "cpu_us_per_connect", "rss_bytes", "idle_bytes_per_client", "lost", "out_of_order"]
IDENTITIES = 10
TOPIC = "7b/commons/bench"
CONFIG = harness.TLS_LISTENER + harness.PLAIN_LISTENER


class Iotsky:
    """A broker whose folder stays the same over the runs, so that its set-up is not measured."""

    def __init__(self):
        self.broker = harness.Broker(config=CONFIG)
        self.broker.start()
        self.broker.make_class("7b", limits={"things_per_project_max": 1000, "messages_per_second": 1000000,
                                             "burst": 1000000,
                                             "queue_bytes_per_session_max": 64 << 20})
        self.identities = self.broker.root / "identities"
        for i in range(IDENTITIES):
            thing = self.broker.make_thing(f"7b/bench/t{i}")
            folder = self.identities / f"t{i}"
            folder.mkdir(parents=True)
            (folder / "device.crt").write_bytes(thing.crt.read_bytes())
            (folder / "device.key").write_bytes(thing.key.read_bytes())
        cas = self.broker.ask("GET", "/ca")
        self.device_cas = cas["device_root"]["pem"] + cas["device"]["pem"]
        self.broker.stop()

    @contextlib.contextmanager
    def running(self):
        self.broker.start()
        try:
            yield (self.broker.process.pid, self.broker.port("plain"), self.broker.port("mqtts"),
                   self.broker.endpoints()["ca_file"])
        finally:
            self.broker.stop()


class Mosquitto:
    """Debian's mosquitto: a plain and a mutual TLS listener, no limits, no persistence, no access rules."""

    def __init__(self, folder, device_cas):
        self.folder = folder
        (folder / "device-cas.crt").write_text(device_cas)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-keyout", folder / "server.key", "-out", folder / "server.crt", "-days", "30",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                       check=True, capture_output=True)

    @contextlib.contextmanager
    def running(self):
        plain, tls = free_port(), free_port()
        config = self.folder / "mosquitto.conf"
        user = "user root\n" if os.geteuid() == 0 else ""
        config.write_text(f"""{user}per_listener_settings false
allow_anonymous true
persistence false
set_tcp_nodelay true
max_inflight_messages 0
max_queued_messages 0
log_dest none
listener {plain} 127.0.0.1
listener {tls} 127.0.0.1
cafile {self.folder}/device-cas.crt
certfile {self.folder}/server.crt
keyfile {self.folder}/server.key
require_certificate true
use_identity_as_username true
""")
        process = subprocess.Popen(["mosquitto", "-c", config], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            harness.eventually(lambda: answers(plain) and answers(tls), "mosquitto listens")
            yield process.pid, plain, tls, self.folder / "server.crt"
        finally:
            process.terminate()
            process.wait(10)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def measure(options, broker, identities, mutual, arguments):
    """One fresh process, one load; the generator's JSON."""
    with broker.running() as (pid, plain, tls, ca):
        command = [options.load, *arguments, "--pid", str(pid), "--port", str(tls if mutual else plain),
                   "--topic", TOPIC, "--seconds", str(options.seconds), "--warmup", str(options.warmup)]
        if mutual:
            command += ["--cafile", ca, "--identities", identities]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f"{arguments}: {done.stderr}")
        return json.loads(done.stdout)


def figure(run, name):
    for part in name.split("."):
        run = run.get(part) if isinstance(run, dict) else None
    return run


def summary(runs):
    """{figure: {"median", "min", "max"}} of the runs of one broker."""
    found = {}
    for name in FIGURES:
        values = [figure(run, name) for run in runs]
        if None not in values:
            found[name] = {"median": statistics.median(values), "min": min(values), "max": max(values)}
    return found


def machine():
    model = [l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")]
    commit = subprocess.run(["git", "-C", TOP, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    version = subprocess.run(["mosquitto", "-h"], capture_output=True, text=True).stdout.split("\n")[0]
    return {"cpu": model[0] if model else platform.machine(), "cpus": os.cpu_count(),
            "kernel": platform.release(), "load_before": os.getloadavg()[0],
            "commit": commit.stdout.strip(), "mosquitto": version,
            "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}


def table(result):
    lines = ["| scenario | figure | iotsky | mosquitto | ratio |", "| --- | --- | --- | --- | --- |"]
    for name, brokers in result["scenarios"].items():
        for key in FIGURES:
            ours, theirs = (brokers[b]["summary"].get(key) for b in ("iotsky", "mosquitto"))
            if ours is None or theirs is None or (key in ("lost", "out_of_order") and
                                                  ours["max"] == theirs["max"] == 0):
                continue
            ratio = f"{ours['median'] / theirs['median']:.2f}" if theirs["median"] else "-"
            texts = [f"{v['median']:,.1f} ({v['min']:,.1f} to {v['max']:,.1f})" for v in (ours, theirs)]
            lines.append(f"| {name} | {key} | {texts[0]} | {texts[1]} | {ratio} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build" / "release")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--warmup", type=float, default=1)
    parser.add_argument("--idle", type=int, default=5000, help="connections of idle-mtls")
    parser.add_argument("--only", default="", help="scenarios whose name has this text")
    parser.add_argument("--out", type=pathlib.Path, default=TOP / "bench" / "results")
    parser.add_argument("--name", default="compare", help="of the files in --out")
    options = parser.parse_args()
    harness.IOTSKY = str(options.build / "apps" / "iotsky")
    options.load = options.build / "bench" / "iotsky_load"

    result = {"machine": machine(), "runs": options.runs, "seconds": options.seconds,
              "command": " ".join(sys.argv), "scenarios": {}}
    ours = Iotsky()
    try:
        theirs = Mosquitto(ours.broker.root, ours.device_cas)
        for name, (mutual, arguments) in SCENARIOS.items():
            if options.only not in name:
                continue
            arguments = [str(options.idle) if a == "IDLE" else a for a in arguments]
            runs = {"iotsky": [], "mosquitto": []}
            for turn in range(options.runs):
                order = [("iotsky", ours), ("mosquitto", theirs)]
                for broker, one in order if turn % 2 == 0 else order[::-1]:
                    runs[broker].append(measure(options, one, ours.identities, mutual, arguments))
            result["scenarios"][name] = {b: {"summary": summary(r), "runs": r} for b, r in runs.items()}
            print(f"{name} done", file=sys.stderr, flush=True)
    finally:
        ours.broker.kill()
        ours.broker.clean()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"{options.name}.json").write_text(json.dumps(result, indent=1) + "\n")
    facts = "\n".join(f"* {k}: {v}" for k, v in result["machine"].items())
    text = (f"# iotsky and mosquitto, {options.runs} runs each\n\n{facts}\n* command: `{result['command']}`\n\n"
            f"Medians, in brackets the least and the most.\n\n{table(result)}\n")
    (options.out / f"{options.name}.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
