#!/usr/bin/env bash
# Makes the certificates of a cluster: an authority that signs nothing else, and one certificate for each process.
#
#   deploy/certificates.sh FOLDER PROCESS [NAME...]
#
# FOLDER/ca.crt and FOLDER/ca.key are made unless they are there; ca.key is for this script alone, no process needs it.
# FOLDER/PROCESS.crt and FOLDER/PROCESS.key are made anew. The certificate is for the name that executors are known by, for
# this machine's own names, and for every NAME, a host name or an address, at which clients reach the process.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -ge 2 ] || die "give a folder, what the process is to be called, and the names that clients reach it by"
ensure_command openssl openssl
folder=$1 process=$2
shift 2

names=DNS:executor.flowetl,DNS:localhost,IP:127.0.0.1,IP:::1
for name; do
  if [[ $name =~ ^[0-9.]+$ || $name == *:* ]]; then names+=,IP:$name; else names+=,DNS:$name; fi
done

umask 077
mkdir -p "$folder"
cd "$folder"
log=$(mktemp "${TMPDIR:-/tmp}/flowetl-certificates.XXXXXX")
request=$(mktemp "${TMPDIR:-/tmp}/flowetl-request.XXXXXX")
trap 'rm -f "$log" "$request"' EXIT

# quiet COMMAND...: what openssl says while all is well is nobody's news.
quiet() { "$@" >"$log" 2>&1 || { cat "$log" >&2; die "openssl has failed"; }; }

key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
if [ ! -e ca.crt ]; then
  quiet openssl req -x509 "${key[@]}" -keyout ca.key -out ca.crt -days 3650 -config <(
    printf '%s\n' '[req]' prompt=no distinguished_name=who x509_extensions=what '[who]' 'CN=FlowETL cluster' \
      '[what]' basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign subjectKeyIdentifier=hash
  )
fi
quiet openssl req -new "${key[@]}" -keyout "$process.key" -out "$request" -config <(
  printf '%s\n' '[req]' prompt=no distinguished_name=who '[who]' "CN=$process"
)
# Both ends of a connection show the same certificate: as server, and as client.
quiet openssl x509 -req -in "$request" -CA ca.crt -CAkey ca.key -set_serial "0x$(openssl rand -hex 16)" -days 365 \
  -out "$process.crt" -extfile <(
    printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature \
      extendedKeyUsage=serverAuth,clientAuth "subjectAltName=$names" authorityKeyIdentifier=keyid
  )
chmod 644 ca.crt "$process.crt"
say "made $folder/$process.crt and $folder/$process.key, for ${names//,/, }"
