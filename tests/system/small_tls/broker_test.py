"""Small devices' TLS libraries against the real broker, at a clock of 1970, by IP and by name."""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import TLS_LISTENER, Broker  # noqa: E402: found beside this folder

NAMES = ["iotsky.local", "127.0.0.1", "192.168.1.5"]


def main():
    config = TLS_LISTENER.replace('["localhost"]', '["iotsky.local"]').replace('["127.0.0.1"]', str(NAMES[1:]))
    with Broker(config=config.replace("'", '"')) as broker:
        broker.make_class("7b")
        p256, rsa = broker.make_thing("7b/otter/p256"), broker.make_thing("7b/otter/rsa", key_type="rsa2048")
        done = subprocess.run(
            [sys.executable, "-B", HERE / "small_tls_test.py", *sys.argv[1:], "--port", str(broker.port()),
             "--ca", p256.ca, "--cert", p256.crt, "--key", p256.key, "--rsa-cert", rsa.crt, "--rsa-key", rsa.key,
             *(word for name in NAMES for word in ("--name", name))], timeout=300)
        codes = {row["code"] for row in broker.items("/handshakes")}
        print("failed handshakes, as the broker tells them:", ", ".join(sorted(codes)))
        return done.returncode or (0 if "E3203" in codes else 1)


if __name__ == "__main__":
    sys.exit(main())
