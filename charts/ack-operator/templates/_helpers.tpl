{{- define "ack-operator.name" -}}
{{ .Values.nameOverride | default "ack-operator" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "ack-operator.fullname" -}}
{{- $name := include "ack-operator.name" . -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name -}}
{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- /* Of what has no namespace: releases of one name in two namespaces do not collide, since no namespace has a dot. */ -}}
{{- define "ack-operator.clusterName" -}}
{{ printf "%s.%s" (include "ack-operator.fullname" .) .Release.Namespace }}
{{- end -}}

{{- define "ack-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ack-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "ack-operator.labels" -}}
{{ include "ack-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Name, namespace and labels of an object: (list $ "suffix"). */ -}}
{{- define "ack-operator.metadata" -}}
{{- $root := first . -}}
name: {{ include "ack-operator.fullname" $root }}{{ last . }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "ack-operator.labels" $root | nindent 2 }}
{{- end -}}

{{- /* The same for what has no namespace. */ -}}
{{- define "ack-operator.clusterMetadata" -}}
{{- $root := first . -}}
name: {{ include "ack-operator.clusterName" $root }}{{ last . }}
labels:
  {{- include "ack-operator.labels" $root | nindent 2 }}
{{- end -}}

{{- define "ack-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "ack-operator.fullname" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}

{{- define "ack-operator.subjects" -}}
- kind: ServiceAccount
  name: {{ include "ack-operator.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{- /* Whether this release may have ClusterRoles: not one into a namespace by somebody who is no administrator. */ -}}
{{- define "ack-operator.clusterScope" -}}
{{- if or (not .Values.watchNamespaces) .Values.crds.enabled }}true{{ end -}}
{{- end -}}

{{- define "ack-operator.leaderElection" -}}
{{- if or .Values.leaderElection.enabled (gt (int .Values.replicaCount) 1) }}true{{ end -}}
{{- end -}}

{{- define "ack-operator.image" -}}
{{- with .Values.image -}}
{{- if .registry }}{{ .registry }}/{{ end }}{{ .repository }}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{- /* The flags that tell the operator and its doctor whom to talk to. */ -}}
{{- define "ack-operator.connection" -}}
- --installation={{ .Values.installation }}
{{- range .Values.watchNamespaces }}
- --namespace={{ . }}
{{- end }}
{{- with .Values.api }}
{{- with .endpoint }}
- --ack-endpoint={{ . }}
{{- end }}
{{- range $region, $url := .regionEndpoints }}
- --ack-endpoint={{ $region }}={{ $url }}
{{- end }}
{{- with .stsEndpoint }}
- --sts-endpoint={{ . }}
{{- end }}
{{- if .withoutSts }}
- --without-sts
{{- end }}
{{- if .caBundle }}
- --ca-file=/etc/ack-operator/ca.pem
{{- end }}
- --signature={{ .signature }}
- --qps={{ .qps }}
- --changes-qps={{ .changesQps }}
{{- end }}
{{- end -}}

{{- /*
Credentials of the operator's own serve those whom somebody has named, and once served all. Who relied on that is told
here, before anything is changed, and not by a fleet of objects that say CredentialsMissing.
*/ -}}
{{- define "ack-operator.ownCredentialsServe" -}}
{{- $from := ternary "credentials.existingSecret" "" (not (empty .Values.credentials.existingSecret)) -}}
{{- range .Values.extraEnv }}
{{- if eq .name "ALIBABA_CLOUD_ACCESS_KEY_ID" }}{{ $from = "extraEnv" }}{{ end }}
{{- end }}
{{- $said := not (empty .Values.credentials.namespaces) -}}
{{- range .Values.extraArgs }}
{{- if hasPrefix "--default-credentials-namespaces" . }}{{ $said = true }}{{ end }}
{{- end }}
{{- if and $from (not $said) }}
{{- fail (printf "credentials.namespaces: %s gives the operator credentials of its own, so say who may use them: a list such as [team-a, team-b] lets the AckClusters of those namespaces use them, and whoever may create AckClusters there spend that account's money; [\"*\"] lets every namespace, as before this version; to let none, take the credentials out of %s, so that each AckCluster names a Secret of its own in credentialsRef" $from $from) }}
{{- end }}
{{- end -}}

{{- /* What every pod of this chart has beside its containers. */ -}}
{{- define "ack-operator.pod" -}}
serviceAccountName: {{ include "ack-operator.serviceAccountName" . }}
automountServiceAccountToken: {{ .Values.serviceAccount.automount }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if or .Values.api.caBundle .Values.extraVolumes }}
volumes:
  {{- if .Values.api.caBundle }}
  - name: ca
    configMap: {name: {{ include "ack-operator.fullname" . }}-ca}
  {{- end }}
  {{- with .Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- range $key := list "nodeSelector" "tolerations" "affinity" }}
{{- with get $.Values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* What every container of this chart has beside its arguments and probes. */ -}}
{{- define "ack-operator.container" -}}
image: {{ include "ack-operator.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- with .Values.credentials.existingSecret }}
envFrom:
  - secretRef: {name: {{ . }}}
{{- end }}
env:
  - name: POD_NAME
    valueFrom: {fieldRef: {fieldPath: metadata.name}}
  {{- with .Values.proxy.existingSecret }}
  {{- range $name := list "HTTP_PROXY" "HTTPS_PROXY" "NO_PROXY" }}
  - name: {{ $name }}
    valueFrom: {secretKeyRef: {name: {{ $.Values.proxy.existingSecret }}, key: {{ $name }}, optional: true}}
  {{- end }}
  {{- else }}
  {{- with .Values.proxy }}
  {{- range $name, $value := dict "HTTP_PROXY" .http "HTTPS_PROXY" .https "NO_PROXY" .noProxy }}
  {{- with $value }}
  - {name: {{ $name }}, value: {{ . | quote }}}
  {{- end }}
  {{- end }}
  {{- end }}
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- if or .Values.api.caBundle .Values.extraVolumeMounts }}
volumeMounts:
  {{- if .Values.api.caBundle }}
  - {name: ca, mountPath: /etc/ack-operator, readOnly: true}
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{- end -}}

{{- /* Releases of one name may watch the same namespace from two others. */ -}}
{{- define "ack-operator.namespacedRole" -}}
{{- $root := first . -}}
name: {{ include "ack-operator.clusterName" $root }}
namespace: {{ last . }}
labels:
  {{- include "ack-operator.labels" $root | nindent 2 }}
{{- end -}}

{{- /* Of a policy's binding: the namespaces whose AckClusters are looked after. */ -}}
{{- define "ack-operator.watched" -}}
{{- with .Values.watchNamespaces -}}
matchResources:
  namespaceSelector:
    matchExpressions:
      - {key: kubernetes.io/metadata.name, operator: In, values: [{{ join ", " . }}]}
{{- end -}}
{{- end -}}
