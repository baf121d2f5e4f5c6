#!/usr/bin/env bash
# How long after a schedule's time its run begins and commits: between the two lies its first batch.
#
#   benches/service/ticks.sh [--schedules 500] [--window 60]
#
# Wants the release binaries of the workspace (`cargo build --release --workspace`), or FLOWETL_BIN=.../flowetl.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../deploy/lib.sh"
export FLOWETL_BIN=${FLOWETL_BIN:-$CARGO_TARGET_DIR/release/flowetl}
[ -x "$FLOWETL_BIN" ] || die "\`$FLOWETL_BIN\` is not there: cargo build --release --workspace"
PYTHONDONTWRITEBYTECODE=1 exec python3 "$ROOT/benches/service/ticks.py" "$@"
