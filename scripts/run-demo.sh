#!/usr/bin/env bash
# The demo: three built-in origins, and weir in front of them.
#
#   scripts/run-demo.sh            all of it; Ctrl-C drains weir and exits with weir's own code
#   scripts/run-demo.sh origins    only the origins, until Ctrl-C
#   WEIR=build/dev/tools/weir      another binary than the release build
#   WEIR_ARGS="--balance maglev"   more words for `weir run`
#
# Everything listens on 127.0.0.1: the origins from port 9001, weir from port 8080, each on the first that is free.
set -euo pipefail
cd "$(dirname "$0")/.."

weir=${WEIR:-build/release/tools/weir}
read -ra weir_args <<<"${WEIR_ARGS:-}"
ready_seconds=10

# Ctrl-C at a terminal interrupts the whole foreground group, `make` above us included, which would then fail. So at a
# terminal the demo moves into a foreground group of its own, and make gets the exit code instead of the signal.
if [[ -t 0 && ${WEIR_DEMO_GROUP:-} != own ]]; then
  set -m
  WEIR_DEMO_GROUP=own scripts/run-demo.sh "$@" && exit 0 || exit $?
fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/weir-demo.XXXXXX")
started=()
# shellcheck disable=SC2317  # called by the trap
stop_all() {
  [[ ${#started[@]} -eq 0 ]] || kill "${started[@]}" 2>/dev/null || true
  rm -rf "$scratch"
}
trap stop_all EXIT

die() {
  printf 'demo: %s\n' "$*" >&2
  exit 1
}

# Prints the first port from $1 on that nobody answers on.
free_port() {
  local port
  for ((port = $1; port < $1 + 100; port++)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  die "no free port from $1 to $((port - 1))"
}

# Waits until the file $1 has the first line of a process that is ready; $2 is its pid, $3 its name.
await_line() {
  local deadline=$((SECONDS + ready_seconds))
  until [[ -s $1 ]]; do
    kill -0 "$2" 2>/dev/null || die "$3 did not start"
    ((SECONDS < deadline)) || die "$3 was not ready within $ready_seconds s"
    sleep 0.05
  done
}

[[ -x $weir ]] || die "$weir is not built; run: make build"

addresses=()
port=9001
for number in 1 2 3; do
  port=$(free_port "$port")
  setsid "$weir" origin --listen "127.0.0.1:$port" --name "o$number" </dev/null >"$scratch/o$number" &
  started+=($!)
  await_line "$scratch/o$number" $! "origin o$number"
  addresses+=("127.0.0.1:$port")
  port=$((port + 1))
done

if [[ ${1:-} == origins ]]; then
  echo "origins: ${addresses[*]}     (Ctrl-C stops them)"
  trap 'exit 0' INT TERM
  wait
  exit 0
fi

front=127.0.0.1:$(free_port 8080)
stats=$scratch/stats.sock
to=()
for address in "${addresses[@]}"; do to+=(--to "$address"); done

setsid "$weir" run --listen "$front" "${to[@]}" --stats "$stats" "${weir_args[@]}" \
  </dev/null 2> >(tee --ignore-interrupts "$scratch/ready" >&2) &
weir_pid=$!
started+=("$weir_pid")
# setsid keeps the signal of the group away from weir, so that it gets one and not two: the second means "at once".
trap 'kill -INT $weir_pid 2>/dev/null; interrupted=yes' INT
trap 'kill -TERM $weir_pid 2>/dev/null; interrupted=yes' TERM
await_line "$scratch/ready" $weir_pid weir

cat <<TEXT

  weir is at        http://$front/
  its origins       ${addresses[*]}

  Try, from another terminal:
    curl http://$front/
    wrk -t1 -c64 -d5s http://$front/
    $weir ctl --stats $stats show stat
    echo "show info" | socat stdio $stats

  Ctrl-C drains and stops.

TEXT

# A trapped signal ends `wait` early, with a code that is not that of weir: then wait again.
interrupted=yes
while [[ $interrupted == yes ]]; do
  interrupted=no
  wait $weir_pid && code=0 || code=$?
done
exit "$code"
