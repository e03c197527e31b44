#!/bin/sh
# {{path}}: prints everything that this thing may read of itself, notices too. Other filters: sub.sh FILTER...
# Needs mosquitto_sub (apt install mosquitto-clients).
set -eu
. "$(dirname "$0")/common.sh"
[ $# -gt 0 ] || set -- '$me/#' '$me/notice'
for filter in "$@"; do
    shift
    set -- "$@" -t "$filter"
done
exec mosquitto_sub -v -h "$(find_host)" -p "$port" -V mqttv311 -i "$id" -q 1 \
    --cafile "$certs/ca-bundle.crt" --cert "$certs/device.crt" --key "$certs/device.key" "$@"
