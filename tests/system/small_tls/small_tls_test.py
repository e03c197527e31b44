"""Small devices' TLS libraries against certificates of our CA, at a clock of 1970.

Without --port a TLS server of this script answers each CONNECT with a CONNACK; with --host, --port,
--ca, --cert and --key (and --rsa-cert, --rsa-key) a broker that runs already takes its place, and the rows
that need another server certificate are left out.
"""
import argparse
import pathlib
import queue
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

BOOT = "30"  # 1970-01-01 00:00:30: half a minute after power-on, no battery, no network time
CONNACK = bytes([0x20, 2, 0, 0])


class Server:
    """TLS on a free port of 127.0.0.1; asks for a device certificate; CONNECT in, CONNACK out."""

    def __init__(self, certificate, key, device_cas):
        self.refusals = queue.Queue()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.load_cert_chain(certificate, key)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.load_verify_locations(cadata=device_cas)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self.answer, args=(peer,), daemon=True).start()

    def answer(self, peer):
        peer.settimeout(10)
        try:
            with self.context.wrap_socket(peer, server_side=True) as stream:
                if stream.recv(512)[:1] == b"\x10":
                    stream.sendall(CONNACK)
                    stream.recv(1)
        except OSError as error:  # the client refused us or we refused it
            self.refusals.put(str(error))
            peer.close()

    def close(self):
        self.listener.close()


class Board:
    """What a device holds and how it connects."""

    def __init__(self, program, host, port, ca):
        self.base = [program, "--host", host, "--port", str(port), "--ca", str(ca)]

    def connect(self, name, identity, clock=BOOT, extra=()):
        command = self.base + ["--name", name, "--clock", clock, *extra]
        if identity:
            command += ["--cert", str(identity[0]), "--key", str(identity[1])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        if done.returncode == 2:
            raise RuntimeError(f"{command}: {done.stderr}")
        return done.returncode == 0, done.stdout.strip()


class Tally:
    def __init__(self):
        self.wrong = 0
        self.rows = 0

    def expect(self, what, wanted, result, because=()):
        """`because`: one of these words must stand in the client's reason."""
        good, words = result
        right = good == wanted and (not because or any(word in words for word in because))
        self.rows += 1
        self.wrong += not right
        print(f"{'as expected' if right else 'WRONG      '}  {what}: {words}", flush=True)


def check_board(tally, label, board, identities, names, now):
    for name in names:
        for kind, identity in identities.items():
            for clock, when in ((BOOT, "clock 1970"), (now, "clock right")):
                tally.expect(f"{label} {kind} as {name}, {when}", True,
                             board.connect(name, identity, clock))
        tally.expect(f"{label} p256 as {name}, small records", True,
                     board.connect(name, identities["p256"], extra=["--small-records"]))
    tally.expect(f"{label} by a name that is not in it", False,
                 board.connect("other.local", identities["p256"]),
                 ("Common Name", "bad server name"))
    tally.expect(f"{label} without a certificate", False, board.connect(names[0], None))


def check_against_broker(tally, args, now):
    identities = {"p256": (args.cert, args.key)}
    if args.rsa_cert:
        identities["rsa"] = (args.rsa_cert, args.rsa_key)
    for label, program in (("mbedtls", args.mbedtls), ("bearssl", args.bearssl)):
        board = Board(program, args.host, args.port, args.ca)
        check_board(tally, label, board, identities, args.name, now)


def check_own_server(tally, args, folder, now):
    names = ["iotsky.local", "127.0.0.1", "192.168.1.5"]
    subprocess.run([args.make_ca, folder, names[0], *names[1:], "fd00::5"], check=True)
    cas = (folder / "ca/device-root.crt").read_text() + (folder / "ca/device-ca.crt").read_text()
    identities = {kind: (folder / f"{kind}.crt", folder / f"{kind}.key") for kind in ("p256", "rsa")}
    mqtt = Server(folder / "ca/server.crt", folder / "ca/server.key", cas)
    web = Server(folder / "ca/web.crt", folder / "ca/web.key", cas)
    for label, program in (("mbedtls", args.mbedtls), ("bearssl", args.bearssl)):
        board = Board(program, "127.0.0.1", mqtt.port, folder / "server-ca.crt")
        check_board(tally, label, board, identities, names, now)
        # The same board must refuse what it should, or its clock and trust are not looked at at all.
        tally.expect(f"{label} refuses a certificate of today at clock 1970", False,
                     Board(program, "127.0.0.1", web.port, folder / "server-ca.crt")
                     .connect(names[0], identities["p256"]),
                     ("starts in the future", "not yet valid"))
        tally.expect(f"{label} accepts it with the right clock", True,
                     Board(program, "127.0.0.1", web.port, folder / "server-ca.crt")
                     .connect(names[0], identities["p256"], now))
        while not mqtt.refusals.empty():
            mqtt.refusals.get()
        board.connect(names[0], None)
        tally.expect(f"{label} without a certificate, as the server sees it", True,
                     (True, mqtt.refusals.get(timeout=10)), ("did not return a certificate",))
        tally.expect(f"{label} refuses a server of another CA", False,
                     Board(program, "127.0.0.1", mqtt.port, folder / "server-ca-next.crt")
                     .connect(names[0], identities["p256"]),
                     ("not correctly signed", "not trusted"))
    mqtt.close()
    web.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--make-ca")
    parser.add_argument("--mbedtls", required=True)
    parser.add_argument("--bearssl", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int)
    parser.add_argument("--ca")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--rsa-cert")
    parser.add_argument("--rsa-key")
    parser.add_argument("--name", action="append", help="names of the server certificate to try")
    args = parser.parse_args()
    tally = Tally()
    now = str(int(time.time()))
    if args.port:
        check_against_broker(tally, args, now)
    else:
        with tempfile.TemporaryDirectory(prefix="iotsky-small-tls-") as name:
            check_own_server(tally, args, pathlib.Path(name) / "data", now)
    print(f"{tally.rows} rows, {tally.wrong} wrong")
    return 1 if tally.wrong or not tally.rows else 0


if __name__ == "__main__":
    sys.exit(main())
