#!/usr/bin/env bash
# How fast the service answers with much in its metadata database, beside a run that keeps every core busy.
#
#   benches/service/run.sh [--stores sqlite,postgres] [--runs 1000000] [--pipelines 1000] [--connections 1000] [--calls 200] [--clients 16] [--rate 50]
#
# Wants the release binaries of the workspace (`cargo build --release --workspace`), or FLOWETL_BIN=.../flowetl.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../deploy/lib.sh"
export FLOWETL_BIN=${FLOWETL_BIN:-$CARGO_TARGET_DIR/release/flowetl}
[ -x "$FLOWETL_BIN" ] || die "\`$FLOWETL_BIN\` is not there: cargo build --release --workspace"
PYTHONDONTWRITEBYTECODE=1 exec "$ROOT/deploy/servers/up.sh" postgres -- python3 "$ROOT/benches/service/measure.py" "$@"
