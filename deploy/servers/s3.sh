# Builds (once), starts and stops MinIO, the S3 server of the tests. Sourced by up.sh, after ../lib.sh.

# MinIO is published as source only; this is its last version.
MINIO_VERSION=v0.0.0-20260212201848-7aac2a2c5b7c
MINIO_BIN=$CACHE/bin/minio-${MINIO_VERSION##*-}
S3_BUCKET=flowetl
S3_ACCESS_KEY=flowetl
S3_SECRET_KEY=flowetl-secret

# start_s3 FOLDER: sets S3_URL, with one empty bucket.
start_s3() {
  local folder=$1 port try
  ensure_go_program "$MINIO_BIN" "github.com/minio/minio@$MINIO_VERSION"
  # On one drive a bucket is a folder.
  mkdir -p "$folder/data/$S3_BUCKET"
  for try in 1 2 3 4 5; do
    port=$(free_port)
    MINIO_ROOT_USER=$S3_ACCESS_KEY MINIO_ROOT_PASSWORD=$S3_SECRET_KEY MINIO_BROWSER=off MINIO_UPDATE=off MINIO_CI_CD=1 \
      "$MINIO_BIN" server --quiet --address "127.0.0.1:$port" "$folder/data" >"$folder/server.log" 2>&1 </dev/null &
    echo $! >"$folder/pid"
    if wait_for_http "$port" /minio/health/ready "$(cat "$folder/pid")"; then
      S3_URL="s3://$S3_BUCKET?endpoint=http://127.0.0.1:$port&access_key=$S3_ACCESS_KEY&secret_key=$S3_SECRET_KEY&region=us-east-1&allow_http=true"
      return
    fi
    stop_s3 "$folder"
  done
  tail -n 20 "$folder/server.log" >&2
  die "MinIO did not start after $try tries"
}

stop_s3() {
  local pid
  pid=$(cat "$1/pid" 2>/dev/null) || return 0
  kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
}
