# Shared by the scripts: packages and builds. Sourced, not run.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        die "packages are missing and this is neither root nor has sudo; install them and start again"
    fi
}

# install_packages GROUP...: installs what scripts/packages.txt lists for these groups and is not there yet.
install_packages() {
    local groups=" $* " missing=() name group
    while read -r name group _; do
        case "$name" in ''|\#*) continue ;; esac
        case "$groups" in *" $group "*) ;; *) continue ;; esac
        dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
    done <"$top/scripts/packages.txt"
    [ ${#missing[@]} -eq 0 ] && return 0
    say "Installing Debian packages: ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >/dev/null
    # A service that a package brings must not start: port 1883 may belong to somebody.
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null \
        || die "apt-get could not install them"
}

# build PRESET [TARGET...]: configures once, builds with all cores.
build() {
    local preset=$1
    shift
    ( cd "$top" && cmake --preset "$preset" >"$top/build/$preset.configure.log" 2>&1 ) \
        || { tail -n 30 "$top/build/$preset.configure.log" >&2; die "configuring failed"; }
    if [ $# -gt 0 ]; then
        cmake --build "$top/build/$preset" --parallel "$(nproc)" --target "$@"
    else
        cmake --build "$top/build/$preset" --parallel "$(nproc)"
    fi
}
