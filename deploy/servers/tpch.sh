# Makes the tables of TPC-H as Parquet files, small ones. No server, but as much in need of a start. Sourced by up.sh,
# after ../lib.sh.

TPCHGEN_VERSION=4.0.0
# 120 thousand rows in the largest table.
TPCH_SCALE=0.02

# start_tpch FOLDER: sets TPCH_FOLDER, with a file for each table.
start_tpch() {
  local venv=$CACHE/tpch-$TPCHGEN_VERSION
  if [ ! -x "$venv/bin/tpchgen-cli" ]; then
    python3 -c 'import ensurepip' 2>/dev/null || apt_install python3 python3-venv
    python3 -m venv "$venv" && "$venv/bin/pip" install --quiet "tpchgen-cli==$TPCHGEN_VERSION" >&2 \
      || die "tpchgen-cli could not be installed"
  fi
  TPCH_FOLDER=$1
  "$venv/bin/tpchgen-cli" parquet --scale-factor "$TPCH_SCALE" --output-dir "$TPCH_FOLDER" >&2 \
    || die "the tables of TPC-H could not be made"
}

stop_tpch() { :; }
