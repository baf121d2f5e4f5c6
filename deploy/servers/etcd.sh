# Starts and stops etcd in a folder of its own. Sourced by up.sh, after ../lib.sh.

# start_etcd FOLDER: sets ETCD_URL.
start_etcd() {
  local folder=$1 port peer try
  ensure_command etcd etcd-server
  for try in 1 2 3 4 5; do
    port=$(free_port) peer=$(free_port)
    # Durability is pointless for a server that is thrown away; ETCD_UNSUPPORTED_ARCH lets it run beyond amd64.
    ETCD_UNSUPPORTED_ARCH=$(etcd_arch) etcd --data-dir "$folder/data" --unsafe-no-fsync --log-level error \
      --listen-client-urls "http://127.0.0.1:$port" --advertise-client-urls "http://127.0.0.1:$port" \
      --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
      --initial-cluster "default=http://127.0.0.1:$peer" >"$folder/server.log" 2>&1 </dev/null &
    echo $! >"$folder/pid"
    if wait_for_http "$port" /health "$(cat "$folder/pid")"; then
      ETCD_URL=http://127.0.0.1:$port
      return
    fi
    stop_etcd "$folder"
    rm -rf "$folder/data"
  done
  tail -n 20 "$folder/server.log" >&2
  die "etcd did not start after $try tries"
}

etcd_arch() { case $(uname -m) in aarch64) echo arm64 ;; riscv64) echo riscv64 ;; esac; }

stop_etcd() {
  local pid
  pid=$(cat "$1/pid" 2>/dev/null) || return 0
  kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
}
