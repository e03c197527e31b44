# Shared by the scripts beside it: where the broker is, and who we are.
# shellcheck shell=sh disable=SC2034
hosts="{{hosts_shell}}"
port={{port}}
certs=$(cd "$(dirname "$0")/../certs" && pwd)
id="sh-$$-$(date +%s)"

# The first name or address that answers.
find_host() {
    for host in $hosts; do
        if timeout 3 openssl s_client -connect "$(bracket "$host"):$port" </dev/null >/dev/null 2>&1; then
            echo "$host"
            return 0
        fi
    done
    for host in $hosts; do
        echo "$host"
        return 0
    done
}

# IPv6 addresses are written in brackets before a port.
bracket() {
    case $1 in
        *:*) echo "[$1]" ;;
        *) echo "$1" ;;
    esac
}
