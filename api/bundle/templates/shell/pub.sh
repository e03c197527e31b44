#!/bin/sh
# {{path}}: pub.sh NAME TEXT sends TEXT to $me/NAME. Needs mosquitto_pub (apt install mosquitto-clients).
set -eu
. "$(dirname "$0")/common.sh"
[ $# -eq 2 ] || { echo "usage: pub.sh NAME TEXT" >&2; exit 2; }
exec mosquitto_pub -h "$(find_host)" -p "$port" -V mqttv311 -i "$id" -q 1 \
    --cafile "$certs/ca-bundle.crt" --cert "$certs/device.crt" --key "$certs/device.key" \
    -t "\$me/$1" -m "$2"
