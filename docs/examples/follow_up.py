#!/usr/bin/env python3
"""A follow-up function: does something for every new thing, exactly where the chain ends.

Needs Python 3.7 and nothing else. The registry tells each event at least once; the number of the
last finished one is kept in a file, so that a restart goes on behind it.

    iotsky token create follow-up --role admin --out follow-up.token
    ./follow_up.py --token-file follow-up.token
"""
import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request


def on_thing(event):
    """Your part. Called for every thing that is ready; must stand being called twice."""
    thing = event["body"]["thing"]
    print(f"{event['at']} {thing['path']} is ready", flush=True)


HANDLERS = {"thing.provisioned": on_thing}


def read_position(path):
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except FileNotFoundError:
        return 0


def write_position(path, seq):
    """Whole or not at all, also when the power goes."""
    temporary = path + ".new"
    with open(temporary, "w", encoding="ascii") as file:
        file.write(str(seq))
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def fetch(server, token, after, wait_s):
    request = urllib.request.Request(
        f"{server}/api/v1/events?after={after}&wait={wait_s}&limit=100",
        headers={"Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request, timeout=wait_s + 15) as answer:
        return json.load(answer)


def follow(server, token, position_file, wait_s, once):
    after = read_position(position_file)
    while True:
        try:
            page = fetch(server, token, after, 0 if once else wait_s)
        except urllib.error.HTTPError as error:
            sys.exit(f"{error.code}: {error.read().decode(errors='replace')}")
        except (urllib.error.URLError, OSError) as error:
            print(f"not reachable, trying again: {error}", file=sys.stderr)
            time.sleep(5)
            continue
        for event in page["items"]:
            handler = HANDLERS.get(event["kind"])
            if handler:
                handler(event)
            after = event["seq"]
            write_position(position_file, after)
        if once and not page["items"]:
            return


def main():
    parser = argparse.ArgumentParser(description="Follows the events of an iotsky registry.")
    parser.add_argument("--server", default="http://127.0.0.1:9880")
    parser.add_argument("--token-file", required=True)
    parser.add_argument("--position-file", default="follow_up.position")
    parser.add_argument("--wait", type=int, default=25, help="longest wait for news, seconds")
    parser.add_argument("--once", action="store_true", help="end when there is nothing new")
    options = parser.parse_args()
    with open(options.token_file, encoding="ascii") as file:
        token = file.read().strip()
    try:
        follow(options.server, token, options.position_file, options.wait, options.once)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
