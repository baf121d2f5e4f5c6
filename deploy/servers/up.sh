#!/usr/bin/env bash
# Starts real servers for tests, each in a temporary folder on a free port of 127.0.0.1, and stops them at the end.
#
#   deploy/servers/up.sh [postgres] [s3] [etcd] [tpch] [smtp] -- COMMAND...   runs COMMAND with their addresses in its environment
#   deploy/servers/up.sh [postgres] [s3] [etcd] [tpch] [smtp]                 prints the addresses and serves until Ctrl-C
#
# FLOWETL_TEST_POSTGRES=postgres://...   FLOWETL_TEST_S3=s3://...   FLOWETL_TEST_POSTGRES_DATA=its data folder
# FLOWETL_TEST_ETCD=http://...   FLOWETL_TEST_TPCH=a folder of TPC-H's tables as Parquet files
# FLOWETL_TEST_SMTP=smtp://...   FLOWETL_TEST_SMTPS=smtps://...   FLOWETL_TEST_SMTP_CA=a certificate   FLOWETL_TEST_SMTP_MAIL=a folder
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$ROOT/deploy/servers/postgres.sh"
. "$ROOT/deploy/servers/s3.sh"
. "$ROOT/deploy/servers/etcd.sh"
. "$ROOT/deploy/servers/tpch.sh"
. "$ROOT/deploy/servers/smtp.sh"

# Below the range from which the kernel picks ports for outgoing connections.
free_port() {
  local port
  for _ in $(seq 100); do
    port=$((20000 + RANDOM % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; return; fi
  done
  die "no free port found between 20000 and 32000"
}

# wait_for_http PORT PATH PID: until it answers 200; fails after 60 s or when the process is gone.
wait_for_http() {
  local deadline=$((SECONDS + 60)) status
  while [ "$SECONDS" -lt "$deadline" ] && kill -0 "$3" 2>/dev/null; do
    status=$( (exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3 && head -n 1 <&3) 2>/dev/null) || true
    case $status in *' 200 '*) return 0 ;; esac
    sleep 0.1
  done
  return 1
}

servers=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  case $1 in postgres | s3 | etcd | tpch | smtp) servers+=("$1") ;; *) die "unknown server \`$1\`; there are postgres, s3, etcd, tpch and smtp" ;; esac
  shift
done
[ $# -eq 0 ] || shift

folder=$(mktemp -d "${TMPDIR:-/tmp}/flowetl-servers.XXXXXX")
chmod 755 "$folder"
stop_all() {
  for server in "${servers[@]}"; do "stop_$server" "$folder/$server"; done
  rm -rf "$folder"
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
# A reader of our output that has gone must not keep the servers from being stopped.
trap 'exit 141' PIPE

for server in "${servers[@]}"; do
  mkdir -p "$folder/$server"
  "start_$server" "$folder/$server"
  case $server in
    postgres) export FLOWETL_TEST_POSTGRES=$POSTGRES_URL FLOWETL_TEST_POSTGRES_DATA=$folder/postgres/data ;;
    s3) export FLOWETL_TEST_S3=$S3_URL ;;
    etcd) export FLOWETL_TEST_ETCD=$ETCD_URL ;;
    tpch) export FLOWETL_TEST_TPCH=$TPCH_FOLDER ;;
    smtp)
      export FLOWETL_TEST_SMTP=$SMTP_URL FLOWETL_TEST_SMTPS=$SMTPS_URL
      export FLOWETL_TEST_SMTP_CA=$SMTP_CA FLOWETL_TEST_SMTP_MAIL=$SMTP_MAIL
      ;;
  esac
done

if [ $# -gt 0 ] && [ -t 0 ]; then
  "$@"
elif [ $# -gt 0 ]; then
  # In a process group of its own, so that a signal to this script ends the whole command at once.
  set -m
  "$@" <&0 &
  child=$!
  set +m
  trap 'kill -TERM -- -$child 2>/dev/null; exit 143' TERM INT HUP
  wait "$child"
else
  env | grep '^FLOWETL_TEST_'
  say "serving until Ctrl-C"
  # A pipe that nobody writes to: waits without a process of its own, and a signal ends it.
  mkfifo "$folder/forever"
  read -r <>"$folder/forever"
fi
