#!/bin/sh
# {{path}}: looks at everything between here and the broker, one line each. Needs openssl.
set -u
. "$(dirname "$0")/common.sh"
faults=0
say() {
    if [ "$1" = 0 ]; then
        echo "ok    $2"
    else
        echo "FAIL  $2"
        faults=1
    fi
}

certificate=$(openssl x509 -in "$certs/device.crt" -noout -pubkey 2>/dev/null)
key=$(openssl pkey -in "$certs/device.key" -pubout 2>/dev/null)
[ -n "$certificate" ] && [ "$certificate" = "$key" ]
say $? "certificate and key belong together"
openssl x509 -in "$certs/device.crt" -noout -checkend 0 >/dev/null 2>&1
say $? "certificate has not ended ({{not_after}})"

reached=1
for host in $hosts; do
    answer=$(timeout 5 openssl s_client -connect "$(bracket "$host"):$port" \
        -CAfile "$certs/ca-bundle.crt" -cert "$certs/device.crt" -key "$certs/device.key" \
        -verify_return_error -alpn mqtt </dev/null 2>&1)
    if echo "$answer" | grep -q "Verify return code: 0 (ok)"; then
        say 0 "$host:$port answers, and its certificate is the right one"
        reached=0
    else
        reason=$(echo "$answer" | grep -m1 -E "verify error|errno|refused|lookup|alert|unreachable" || echo "no answer")
        echo "-     $host:$port: $reason"
    fi
done
say $reached "the broker can be reached"
exit $faults
