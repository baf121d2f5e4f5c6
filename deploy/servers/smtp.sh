# Starts and stops mail servers in a folder of their own. Sourced by up.sh, after ../lib.sh.

# start_smtp FOLDER: sets SMTP_URL (encrypts on request), SMTPS_URL (encrypted), SMTP_CA and SMTP_MAIL, a folder of what came.
start_smtp() {
  local folder=$1 venv=$CACHE/smtp try
  ensure_command openssl openssl
  python3 -c 'import ensurepip' 2>/dev/null || apt_install python3 python3-venv
  "$venv/bin/python" -c 'import aiosmtpd' 2>/dev/null || {
    python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check aiosmtpd==1.4.6 >&2
  } || die "the mail server \`aiosmtpd\` could not be installed"
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext basicConstraints=critical,CA:FALSE \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>/dev/null || die "openssl made no certificate"
  mkdir -p "$folder/mail"
  for try in 1 2 3 4 5; do
    local turns encrypted
    turns=$(free_port) encrypted=$(free_port)
    "$venv/bin/python" "$ROOT/deploy/servers/smtp.py" "$turns" "$encrypted" "$folder" >"$folder/server.log" 2>&1 </dev/null &
    echo $! >"$folder/pid"
    if wait_for_file "$folder/ready" "$(cat "$folder/pid")"; then
      SMTP_URL=smtp://etl:secret%40word@localhost:$turns SMTPS_URL=smtps://etl:secret%40word@localhost:$encrypted
      SMTP_CA=$folder/cert.pem SMTP_MAIL=$folder/mail
      return
    fi
    stop_smtp "$folder"
  done
  tail -n 20 "$folder/server.log" >&2
  die "the mail servers did not start after $try tries"
}

# wait_for_file FILE PID: until it is there; fails after 60 s or when the process is gone.
wait_for_file() {
  local deadline=$((SECONDS + 60))
  while [ "$SECONDS" -lt "$deadline" ] && kill -0 "$2" 2>/dev/null; do
    [ ! -e "$1" ] || return 0
    sleep 0.1
  done
  return 1
}

stop_smtp() {
  local pid
  pid=$(cat "$1/pid" 2>/dev/null) || return 0
  kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
}
