#!/usr/bin/env bash
# Measures FlowETL beside other tools on the same data, in one run:
#   benches/peers/run.sh [W1 W2 W3 W4 W6 W7 W8] [--scale 1] [--rounds 3] [--only NAME,...] [--work FOLDER] [--json FILE]
# Wants the release binaries of the workspace (`cargo build --release --workspace`), or FLOWETL_BIN=.../flowetl beside plain_datafusion.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../deploy/lib.sh"
here=$ROOT/benches/peers
venv=${FLOWETL_PEERS_VENV:-$CACHE/peers}

ensure_command psql postgresql
if [ -z "${FLOWETL_PEERS_VENV:-}" ] && ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
  python3 -c 'import ensurepip' 2>/dev/null || apt_install python3 python3-venv
  say "installing the peers into $venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet -r "$here/requirements.txt" >&2 || die "the peers could not be installed"
  cp "$here/requirements.txt" "$venv/installed.txt"
fi

# PostgreSQL's defaults but for what would make the figures random: no checkpoint and no vacuum in the middle of a run.
export FLOWETL_POSTGRES_SETTINGS="shared_buffers = 512MB
max_wal_size = 8GB
checkpoint_timeout = 1h
autovacuum = off"
export FLOWETL_BIN=${FLOWETL_BIN:-$CARGO_TARGET_DIR/release/flowetl}
PYTHONDONTWRITEBYTECODE=1 exec "$ROOT/deploy/servers/up.sh" postgres -- "$venv/bin/python" "$here/driver.py" "$@"
