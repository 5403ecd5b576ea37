#!/usr/bin/env bash
# Installs the Debian packages that a make target needs: only what is missing, no questions asked.
#
#   scripts/setup.sh build lint        groups of the table below
#   WEIR_SETUP=off                     installs nothing (another distribution, a machine you may not change)
#
# Costs one dpkg-query when nothing is missing. Needs apt-get and root, or sudo, when something is.
set -euo pipefail

packages_of() {
  case $1 in
    build)
      echo g++ cmake ninja-build ccache mold pkg-config python3 \
        liburing-dev libxxhash-dev libmimalloc-dev libcli11-dev libyaml-cpp-dev nlohmann-json3-dev libre2-dev \
        libmaxminddb-dev libssl-dev libcurl4-openssl-dev openssl libgtest-dev libgmock-dev libbenchmark-dev
      ;;
    lint) echo clang-tidy-14 python3 shellcheck ;;
    format) echo clang-format-14 ;;
    fuzz) echo clang-14 libclang-rt-14-dev python3 ;;
    clients) echo curl wrk apache2-utils nghttp2-client nodejs node-ws nginx ;;
    load) echo wrk curl ;;
    demo) echo wrk socat curl ;;
    bench) echo wrk haproxy nginx libnginx-mod-stream python3 ;;
    *) return 1 ;;
  esac
}

die() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

[[ ${WEIR_SETUP:-on} != off ]] || exit 0
[[ $# -gt 0 ]] || die "say which groups: build lint format fuzz clients load demo bench"

wanted=()
for group in "$@"; do
  list=$(packages_of "$group") || die "unknown group '$group'; there are build lint format fuzz clients load demo bench"
  read -ra list <<<"$list"
  wanted+=("${list[@]}")
done

if ! command -v dpkg-query >/dev/null; then
  die "this is not Debian. Install the equivalents of: ${wanted[*]}. Then run make with WEIR_SETUP=off."
fi

# dpkg-query fails when it does not know a name, which is an answer too.
installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${wanted[@]}" 2>/dev/null |
  sed -n 's/^ii  *//p') || true
missing=()
for package in "${wanted[@]}"; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

as_root=()
if [[ $EUID -ne 0 ]]; then
  command -v sudo >/dev/null || die "missing: ${missing[*]}. Run as root: apt-get install ${missing[*]}"
  as_root=(sudo)
fi

# The peers of the benches must not start serving ports of this machine because they were installed. policy-rc.d is
# Debian's way to say so; one that is already there is the administrator's, and stays.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]] && printf '%s\n' "${missing[@]}" | grep -qxE 'haproxy|nginx'; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 755 /dev/stdin "$policy"
fi

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q "$@"
}

echo "setup: installing ${missing[*]}"
apt update || echo "setup: apt-get update failed; trying with the package lists that are here" >&2
apt install -y --no-install-recommends "${missing[@]}" || die "apt-get could not install: ${missing[*]}"

# Installed is not wanted at the next boot either.
if [[ -d /run/systemd/system ]]; then
  for peer in haproxy nginx; do
    if printf '%s\n' "${missing[@]}" | grep -qx "$peer"; then
      "${as_root[@]}" systemctl disable --quiet "$peer" || true
    fi
  done
fi
