#!/usr/bin/env bash
# Measures a cluster under many small runs: one coordinator, two executors, real etcd, PostgreSQL and S3:
#   benches/cluster/run.sh [RUNS] [RATE]      RUNS (1000) at once, and then RUNS more, RATE (20) of them a second
# Prints times from submission to end, and the coordinator's memory before, between and after.
# Wants the release binaries of the workspace (`cargo build --release --workspace`), or FLOWETL_BIN=.../flowetl beside load.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../deploy/lib.sh"
export FLOWETL_BIN=${FLOWETL_BIN:-$CARGO_TARGET_DIR/release/flowetl}
if [ -z "${FLOWETL_TEST_ETCD:-}" ]; then
  exec "$ROOT/deploy/servers/up.sh" postgres s3 etcd -- "$0" "$@"
fi
runs=${1:-1000} rate=${2:-20}

folder=$(mktemp -d "${TMPDIR:-/tmp}/flowetl-load.XXXXXX")
pids=()
end() {
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait
  rm -rf "$folder"
}
trap end EXIT

export FLOWETL_HTTP=127.0.0.1:0 FLOWETL_ETCD=$FLOWETL_TEST_ETCD FLOWETL_DATABASE_URL=$FLOWETL_TEST_POSTGRES
export FLOWETL_STORAGE_URL=${FLOWETL_TEST_S3%%\?*}/load?${FLOWETL_TEST_S3#*\?}
# role NAME ARGUMENTS...: starts a process and waits until it has said where it is.
role() {
  local name=$1; shift
  FLOWETL_HOME=$folder/$name "$FLOWETL_BIN" "$@" --listen 127.0.0.1:0 >"$folder/$name.out" 2>"$folder/$name.err" &
  pids+=($!)
  for _ in $(seq 300); do
    [ -s "$folder/$name.out" ] && return
    sleep 0.1
  done
  cat "$folder/$name.err" >&2
  die "$name did not start"
}
role coordinator coordinator
url=$(sed -n 's/^coordinator at //p' "$folder/coordinator.out")
role executor-1 executor
role executor-2 executor

memory() { awk -v when="$1" '/VmHWM|VmRSS/ { printf "%s %s MB  ", $1, int($2 / 1000) } END { print "coordinator, " when }' "/proc/${pids[0]}/status"; }
memory "at the start"
say "$runs small runs at once"
"$(dirname "$FLOWETL_BIN")/load" "$url" "$folder" "$runs" 0
memory "after them"
say "$runs small runs, $rate a second"
"$(dirname "$FLOWETL_BIN")/load" "$url" "$folder" "$runs" "$rate"
memory "after them"
