# Starts and stops a PostgreSQL server in a folder of its own. Sourced by up.sh, after ../lib.sh.

# Durability is pointless for a server that is thrown away; without it databases are created and dropped quickly.
POSTGRES_TEST_SETTINGS="fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 300"

postgres_bin() {
  local found
  found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
  if [ -x "$found/initdb" ]; then echo "$found"; elif have initdb; then dirname "$(command -v initdb)"; else return 1; fi
}

# The server refuses to run as root.
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

# start_postgres FOLDER: sets POSTGRES_URL. FLOWETL_POSTGRES_SETTINGS replaces the settings for tests.
start_postgres() {
  local folder=$1 bin port try
  bin=$(postgres_bin) || { apt_install postgresql; bin=$(postgres_bin); } || die "no PostgreSQL server found after installing it"
  mkdir -p "$folder"
  [ "$(id -u)" != 0 ] || chown postgres "$folder"
  as_postgres "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" 2>&1 \
    || { cat "$folder/initdb.log" >&2; die "initdb failed"; }
  # Everybody is trusted, but for one name and one role's members, who show how passwords are answered.
  as_postgres sed -i '1i host all flowetl_with_password,+flowetl_by_password 127.0.0.1/32 scram-sha-256' "$folder/data/pg_hba.conf"
  for try in 1 2 3 4 5; do
    port=${FLOWETL_POSTGRES_PORT:-$(free_port)}
    printf "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nport = %s\n%s\n" \
      "$port" "${FLOWETL_POSTGRES_SETTINGS-$POSTGRES_TEST_SETTINGS}" | as_postgres tee "$folder/data/postgresql.auto.conf" >/dev/null
    if as_postgres "$bin/pg_ctl" -D "$folder/data" -l "$folder/server.log" -w -t 60 start >/dev/null 2>&1; then
      POSTGRES_URL=postgres://postgres@127.0.0.1:$port/postgres
      return
    fi
  done
  tail -n 20 "$folder/server.log" >&2
  die "PostgreSQL did not start after $try tries"
}

stop_postgres() {
  [ ! -f "$1/data/postmaster.pid" ] || as_postgres "$(postgres_bin)/pg_ctl" -D "$1/data" -m immediate -w -t 30 stop >/dev/null 2>&1 || true
}
