#!/usr/bin/env bash
# Checks everything: format, lints, all tests against real servers. Installs what is missing first.
# Runs on a Debian or Ubuntu with nothing but git; the first run takes long because it builds, the next take minutes.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

ensure_rust
cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 \
  || rustup component add rustfmt clippy || die "cargo fmt and cargo clippy are needed"
export INSTA_UPDATE=no CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}

failed=()
# check NAME COMMAND...: goes on after a failure, so that one run tells everything that is wrong.
check() {
  local name=$1 begin=$SECONDS; shift
  say "$name"
  if "$@" </dev/null; then say "$name: ok after $((SECONDS - begin)) s"; else failed+=("$name"); say "$name: FAILED"; fi
}

check format cargo fmt --all --check
check lints cargo clippy --workspace --all-targets --locked -- -D warnings
# The tests of the whole system start the program itself, which `cargo test` alone does not build.
check build cargo build --workspace --bins --tests --locked
check tests deploy/servers/up.sh postgres s3 -- cargo test --workspace --locked --no-fail-fast

[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}"
say "all checks passed"
