#!/usr/bin/env bash
# Measures how fast rows travel between executors, beside a raw copy of the same bytes over TCP:
#   benches/flight/run.sh [MEGABYTES] [ROUNDS]      MEGABYTES (1000) in each of ROUNDS (5), on the loopback device
# Prints medians: GB/s, the share of the raw copy, CPU seconds, and what one more executor on the way costs a batch.
# Wants the release binaries of the workspace (`cargo build --release --workspace --bins`), or FLOWETL_BIN=.../flowetl beside flight.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../deploy/lib.sh"
flight=$(dirname "${FLOWETL_BIN:-$CARGO_TARGET_DIR/release/flowetl}")/flight
[ -x "$flight" ] || die "\`$flight\` is missing: run \`cargo build --release --workspace --bins\`"

folder=$(mktemp -d "${TMPDIR:-/tmp}/flowetl-flight.XXXXXX")
trap 'rm -rf "$folder"' EXIT
"$ROOT/deploy/certificates.sh" "$folder" process 2>/dev/null
# As the program itself sets its allocator (sdk/cli/src/allocator.rs).
export MALLOC_TRIM_THRESHOLD_=16777216 MALLOC_MMAP_THRESHOLD_=33554432
"$flight" "$folder" "${1:-1000}" "${2:-5}"
