#!/usr/bin/env bash
# Checks everything: format, lints, all tests against real servers. Installs what is missing first.
# Runs on a Debian or Ubuntu with nothing but git; the first run takes long because it builds, the next take minutes.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

ensure_build
cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 \
  || rustup component add rustfmt clippy || die "cargo fmt and cargo clippy are needed"
# Tests make certificates, several at once, and go through SSH servers.
ensure_command openssl openssl
ensure_sshd
python3 -c 'import ensurepip' 2>/dev/null || apt_install python3 python3-venv
ensure_node
ensure_console_packages
have chromium || have chromium-browser || apt_install chromium
# One test opens ten thousand connections, or as many as may be.
[ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -ge 12288 ] || ulimit -Sn 12288 || ulimit -Sn "$(ulimit -Hn)"
export INSTA_UPDATE=no CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}

failed=()
# check NAME COMMAND...: goes on after a failure, so that one run tells everything that is wrong.
check() {
  local name=$1 begin=$SECONDS; shift
  say "$name"
  if "$@" </dev/null; then say "$name: ok after $((SECONDS - begin)) s"; else failed+=("$name"); say "$name: FAILED"; fi
}

# Installs the Python package as a user would, and runs its tests against the built program.
python_sdk() {
  local venv=$CACHE/python
  "$venv/bin/pip" --version >/dev/null 2>&1 || python3 -m venv "$venv" || return
  "$venv/bin/pip" install --quiet "$ROOT/sdk/python" >&2 || return
  FLOWETL_BIN=$CARGO_TARGET_DIR/debug/flowetl PYTHONDONTWRITEBYTECODE=1 \
    deploy/servers/up.sh postgres etcd -- "$venv/bin/python" -m unittest discover -s "$ROOT/sdk/python/tests"
}

# Types, lints and unit tests of the console, its build, and all its pages in a real browser against the real service.
console() {
  (cd "$ROOT/console" && npm run --silent check && npm run --silent lint && npm test --silent) >&2 || return
  build_console || return
  CHROMIUM=$(command -v chromium || command -v chromium-browser) FLOWETL_BIN=$CARGO_TARGET_DIR/debug/flowetl \
    deploy/servers/up.sh postgres -- npm run --silent --prefix "$ROOT/console" e2e
}

# Holds the API to its description, and signs in through another service, as a browser does.
api() {
  local venv=$CACHE/api
  "$venv/bin/pip" --version >/dev/null 2>&1 || python3 -m venv "$venv" || return
  "$venv/bin/pip" install --quiet schemathesis==4.32.5 >&2 || return
  [ -d "$CACHE/oidc/node_modules/oidc-provider" ] \
    || npm install --silent --prefix "$CACHE/oidc" oidc-provider@9.13.3 >&2 || return
  export FLOWETL_BIN=$CARGO_TARGET_DIR/debug/flowetl PYTHONDONTWRITEBYTECODE=1
  SCHEMATHESIS=$venv/bin/schemathesis "$venv/bin/python" deploy/api/fuzz.py || return
  NODE=$(command -v node) OIDC_PROVIDER=$CACHE/oidc "$venv/bin/python" deploy/api/test_oidc.py
}

check format cargo fmt --all --check
check lints cargo clippy --workspace --all-targets --locked -- -D warnings
# The tests of the whole system start the program itself, which `cargo test` alone does not build.
check build cargo build --workspace --bins --tests --locked
check tests deploy/servers/up.sh postgres s3 etcd tpch smtp -- cargo test --workspace --locked --no-fail-fast
check python python_sdk
check api api
check console console
check containers deploy/check.sh

[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}"
say "all checks passed"
