{{/* The names, labels and environment that several manifests share. */}}

{{- define "flowetl.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* What names of objects begin with: short enough for what is appended. */}}
{{- define "flowetl.fullname" -}}
{{- $name := include "flowetl.name" . }}
{{- $both := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- .Values.fullnameOverride | default $both | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* Takes (dict "root" $ "role" "executor"). */}}
{{- define "flowetl.selector" -}}
app.kubernetes.io/name: {{ include "flowetl.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "flowetl.labels" -}}
{{ include "flowetl.selector" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* The label of pods that may submit pipelines. */}}
{{- define "flowetl.client" -}}
{{ include "flowetl.fullname" . }}-client: "true"
{{- end }}

{{- define "flowetl.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "flowetl.prefix" -}}
{{- .Values.etcd.prefix | default (printf "/flowetl/%s/%s" .Release.Namespace .Release.Name) }}
{{- end }}

{{/* What every pod of either role says of itself. Takes (dict "root" $ "role" "executor"). */}}
{{- define "flowetl.pod" -}}
{{- $role := index .root.Values .role -}}
automountServiceAccountToken: false
# Kubernetes would make variables of the names of Services, and FlowETL reads those that begin with FLOWETL_.
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $role.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $role.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $role.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $role.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* What every container says of itself. */}}
{{- define "flowetl.container" -}}
image: {{ include "flowetl.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "flowetl.scheme" -}}
{{ ternary "http" "https" .Values.security.insecure }}
{{- end }}

{{/* What a process shows and demands: variables, mounts and volumes. */}}
{{/* What is shown to etcd, and what of it is believed. */}}
{{- define "flowetl.etcdEnv" -}}
{{- with .Values.etcd.tls }}
{{- if .secret }}
- name: FLOWETL_ETCD_CA
  value: /run/flowetl/etcd/ca.crt
{{- if .client }}
- name: FLOWETL_ETCD_CERT
  value: /run/flowetl/etcd/tls.crt
- name: FLOWETL_ETCD_KEY
  value: /run/flowetl/etcd/tls.key
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.etcd.user }}
- name: FLOWETL_ETCD_USER
  value: {{ . | quote }}
- name: FLOWETL_ETCD_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ $.Values.etcd.password.secret }}, key: {{ $.Values.etcd.password.key }}}
{{- end }}
{{- end }}

{{- define "flowetl.etcdMount" -}}
{{- if .Values.etcd.tls.secret }}
- name: etcd
  mountPath: /run/flowetl/etcd
  readOnly: true
{{- end }}
{{- end }}

{{- define "flowetl.etcdVolume" -}}
{{- if .Values.etcd.tls.secret }}
- name: etcd
  secret: {secretName: {{ .Values.etcd.tls.secret }}, defaultMode: 0440}
{{- end }}
{{- end }}

{{- define "flowetl.trustEnv" -}}
- name: FLOWETL_TLS_CA
  value: /run/flowetl/tls/ca.crt
- name: FLOWETL_TLS_CERT
  value: /run/flowetl/tls/tls.crt
- name: FLOWETL_TLS_KEY
  value: /run/flowetl/tls/tls.key
- name: FLOWETL_CLUSTER_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .Values.security.clusterKey.secret }}
      key: {{ .Values.security.clusterKey.key }}
{{- end }}

{{- define "flowetl.trustMount" -}}
- name: tls
  mountPath: /run/flowetl/tls
  readOnly: true
{{- end }}

{{- define "flowetl.trustVolume" -}}
- name: tls
  secret: {secretName: {{ .Values.security.tls.secret }}, defaultMode: 0440}
{{- end }}

{{/* An egress rule to one server of the settings. */}}
{{- define "flowetl.egress" -}}
- to: {{- toYaml .to | nindent 4 }}
  ports:
    - {port: {{ .port }}, protocol: TCP}
{{- end }}

{{/* An egress rule to where names are resolved. */}}
{{- define "flowetl.dns" -}}
{{ include "flowetl.egress" . }}
    - {port: {{ .port }}, protocol: UDP}
{{- end }}

{{/* What opens the object storage: executors keep boundaries there, the coordinator what people upload. */}}
{{- define "flowetl.storageEnv" -}}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef:
      name: {{ .Values.storage.secret }}
      key: {{ .Values.storage.accessKey }}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .Values.storage.secret }}
      key: {{ .Values.storage.secretKey }}
{{- end }}
