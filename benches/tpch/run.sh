#!/usr/bin/env bash
# Runs the 22 queries of TPC-H on clusters of 1, 2 and 3 executors, over Parquet in S3 and over PostgreSQL's tables, compares
# each answer with DuckDB's, and prints times beside one plain DataFusion process:
#   benches/tpch/run.sh [--scale 1] [--executors 1,2,3] [--sources s3,postgres] [--queries 1,2,...] [--memory 256MB]
# Wants the release binaries of the workspace (`cargo build --release --workspace`), or FLOWETL_BIN=.../flowetl beside plain_queries.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../deploy/lib.sh"
. "$ROOT/deploy/servers/tpch.sh"
export FLOWETL_BIN=${FLOWETL_BIN:-$CARGO_TARGET_DIR/release/flowetl}
venv=$CACHE/tpch-$TPCHGEN_VERSION
if [ -z "${FLOWETL_TEST_ETCD:-}" ]; then
  export FLOWETL_POSTGRES_SETTINGS="shared_buffers = 512MB
max_wal_size = 8GB"
  exec "$ROOT/deploy/servers/up.sh" postgres s3 etcd tpch -- "$0" "$@"
fi
"$venv/bin/python" -c 'import duckdb' 2>/dev/null || "$venv/bin/pip" install --quiet duckdb >&2 || die "DuckDB could not be installed"
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" "$ROOT/benches/tpch/driver.py" --generator "$venv/bin/tpchgen-cli" "$@"
