#!/usr/bin/env bash
# Builds FlowETL with its console, and runs the sample shop, with no server of any kind:
#   deploy/run.sh [FOLDER]      FOLDER (default ./flowetl-sample) takes the sample's data, its pipeline and its output
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
work=${1:-$PWD/flowetl-sample}
mkdir -p "$work"
work=$(cd "$work" && pwd)

ensure_build
ensure_node
say "building the console"
ensure_console_packages
build_console || die "the console does not build"
say "building FlowETL into $CARGO_TARGET_DIR (the first time takes many minutes)"
(cd "$ROOT" && cargo build --release --workspace --bin flowetl --locked)
flowetl=$CARGO_TARGET_DIR/release/flowetl

say "making the sample shop in $work"
"$flowetl" sample "$work"
cp "$ROOT/deploy/sample/shop.yml" "$work/shop.yml"

say "running its pipeline: flowetl run shop.yml"
cd "$work"
"$flowetl" run shop.yml

say "the result, out/revenue.csv: the first 18 of its $(($(wc -l <out/revenue.csv) - 1)) rows"
head -n 19 out/revenue.csv | awk -F, '{ printf "%-16s %-12s", $1, $2; for (i = 3; i <= NF; i++) printf "%12s", $i; print "" }'
say "everything lies in $work: out/ is what the pipeline made, shop.yml the pipeline, .flowetl its history"
echo "try next: cd $work && $flowetl plan shop.yml, or $flowetl up and its console at http://127.0.0.1:8080" >&2
