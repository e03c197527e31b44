#!/usr/bin/python3
"""How long provisioning takes, from the request to the answer, against the real binary on its own data folder.

create: one `POST /api/v1/things` with a key made by the server, one after the other over one unix socket.
roster: `iotsky roster import CLASS FILE --thing NAME --bundles DIR`, the process from start to end.
revoke: one of --connections live mutual TLS connections; from the HTTP answer to the end of its connection.
Prints medians and spread, and writes them to --out when that is given.
"""
import argparse
import os
import pathlib
import platform
import socket
import ssl
import statistics
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests" / "system"), str(TOP / "bench")]
import harness  # noqa: E402
from report import report  # noqa: E402


def spread(values):
    values = sorted(values)
    return {"n": len(values), "p50": statistics.median(values), "p95": values[int(len(values) * 0.95)],
            "min": values[0], "max": values[-1]}


def create(broker, count, key_type):
    """Milliseconds of each call; the first tenth warms up."""
    broker.make_class("bench")
    times = []
    for i in range(count + count // 10):
        body = {"class": "bench", "project": "p", "name": f"{key_type}-{i}", "key_type": key_type}
        began = time.perf_counter()
        broker.ask("POST", "/things", body)
        times.append((time.perf_counter() - began) * 1000)
    return spread(times[count // 10:])


def roster(broker, pupils, run):
    """Seconds of an import of `pupils` with a thing and a bundle each."""
    name = f"r{pupils}x{run}"
    broker.make_class(name)
    csv = broker.root / f"{name}.csv"
    csv.write_text("name\n" + "".join(f"Pupil {i:04}\n" for i in range(pupils)))
    bundles = broker.root / f"{name}-bundles"
    began = time.perf_counter()
    broker.cli("roster", "import", name, csv, "--thing", "weather", "--bundles", bundles)
    seconds = time.perf_counter() - began
    made = len(list(bundles.glob("**/*.zip")))
    if made != pupils:
        raise AssertionError(f"{made} bundles for {pupils} pupils")
    return seconds


def connected(broker, identity, client_id):
    """A TLS socket whose CONNECT was accepted."""
    context = ssl.create_default_context(cafile=identity.ca)
    context.load_cert_chain(identity.crt, identity.key)
    one = context.wrap_socket(socket.create_connection(("127.0.0.1", broker.port())),
                              server_hostname="localhost")
    body = b"\x00\x04MQTT\x04\x02\x00\x00" + len(client_id).to_bytes(2, "big") + client_id.encode()
    one.sendall(b"\x10" + bytes([len(body)]) + body)
    if one.recv(4) != b"\x20\x02\x00\x00":
        raise AssertionError("CONNECT was refused")
    return one


def revoke(broker, connections, rounds):
    """Milliseconds from the HTTP answer to the end of the connection; negative: it was gone before."""
    broker.make_class("live")
    identities = [broker.make_thing(f"live/p/t{i}") for i in range(rounds)]
    crowd = broker.make_thing("live/p/crowd")
    others = [connected(broker, crowd, f"c{i}") for i in range(connections - rounds)]
    times = []
    for identity in identities:
        one = connected(broker, identity, "victim")
        entry = identity.certificate["id"]
        broker.ask("POST", f"/certificates/{entry}:revoke", {"reason": "lost"})
        answered = time.perf_counter()
        one.settimeout(5)
        try:
            while one.recv(4096):
                pass
        except (ssl.SSLError, ConnectionError):
            pass
        times.append((time.perf_counter() - answered) * 1000)
    for one in others:
        one.close()
    return spread(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build" / "release")
    parser.add_argument("--things", type=int, default=500)
    parser.add_argument("--runs", type=int, default=5, help="of each roster")
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--disk", type=pathlib.Path, help="folder for the data; default: in memory where that exists")
    parser.add_argument("--out", type=pathlib.Path, help="file for the figures as JSON")
    options = parser.parse_args()
    harness.IOTSKY = str(options.build / "apps" / "iotsky")
    if options.disk:
        harness.FOLDER = str(options.disk)

    result = {"machine": {"cpus": os.cpu_count(), "kernel": platform.release(), "load_before": os.getloadavg()[0]},
              "command": " ".join(sys.argv)}
    with harness.Broker() as broker:
        result["create_ms"] = {"p256": create(broker, options.things, "p256")}
        for pupils in (30, 500):
            result[f"roster_{pupils}_s"] = spread([roster(broker, pupils, run) for run in range(options.runs)])
        result["revoke_ms"] = revoke(broker, options.connections, 20)
    report(result, options.out)


if __name__ == "__main__":
    main()
