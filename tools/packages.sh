# Sourced by tools/quickstart and tools/check: what the Debian packages are called, and how to get them.
# The names are those of Debian 12, Debian 13 and Ubuntu 24.04 alike.

# To build dlcc. llvm-19-dev and liblld-19-dev bring the libraries that LLVM itself is linked with.
build_packages=(g++ cmake ninja-build pkg-config llvm-19-dev liblld-19-dev
                nlohmann-json3-dev libcli11-dev zlib1g-dev libzip-dev)
# To build and run the tests.
test_packages=(libgtest-dev libmpfr-dev llvm-19-tools python3 ccache locales)

say() { printf '\n==> %s\n' "$*"; }
die() { printf '%s: error: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# need PACKAGE...: installs what is missing; asks for nothing and does nothing if all are there.
need() {
  local missing=() package root=()
  if ! command -v apt-get >/dev/null; then
    echo "This system has no apt-get. Going on as if these were installed: $*"
    return
  fi
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "run this as root, or install first: apt-get install ${missing[*]}"
    root=(sudo)
  fi
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update ||
    die "apt-get update failed; are the package sources within reach?"
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}" ||
    die "apt-get install failed. dlcc needs Debian 12, Debian 13, or Ubuntu 24.04 with 'universe' switched on"
}
