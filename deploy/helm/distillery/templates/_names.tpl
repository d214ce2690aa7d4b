{{- define "distillery.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "distillery.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{- $name := include "distillery.name" . -}}
{{- if contains $name .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "distillery.commonSelector" -}}
app.kubernetes.io/name: {{ include "distillery.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* of a component: dict root name */}}
{{- define "distillery.selector" -}}
{{ include "distillery.commonSelector" .root }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "distillery.commonLabels" -}}
{{ include "distillery.commonSelector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: distillery
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "distillery.labels" -}}
{{ include "distillery.commonLabels" .root }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{/* of a component's objects: dict root name */}}
{{- define "distillery.objectName" -}}
{{ include "distillery.fullname" .root }}-{{ .name }}
{{- end }}

{{/* The services as a YAML map from a service's name to the key of its values. */}}
{{- define "distillery.services" -}}
data-ingest: dataIngest
latent-encoding: latentEncoding
trainer: trainer
converter: converter
evaluator: evaluator
{{- end }}

{{- define "distillery.serviceAccountName" -}}
{{- if .root.Values.serviceAccount.create -}}
{{ include "distillery.objectName" . }}
{{- else -}}
{{ .root.Values.serviceAccount.name }}
{{- end -}}
{{- end }}

{{/* Of a service: dict root name service */}}
{{- define "distillery.image" -}}
{{- $chart := .root.Values.image -}}
{{- $own := .service.image -}}
{{- $repository := $own.repository | default (printf "%s/%s" (list $chart.registry $chart.repository | compact | join "/") .name) -}}
{{- $gpus := dig "gpu" "count" 0 .service | int -}}
{{- $default := printf "%s%s" .root.Chart.AppVersion (ternary "-cuda" "" (gt $gpus 0)) -}}
{{- if $own.digest -}}
{{ printf "%s@%s" $repository $own.digest }}
{{- else -}}
{{ printf "%s:%s" $repository ($own.tag | default $chart.tag | default $default) }}
{{- end -}}
{{- end }}
