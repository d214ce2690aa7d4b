{{/* Triggers on the lag of a service's topics: dict root name service group topics lagThreshold allowIdleConsumers */}}
{{- define "distillery.kafkaTriggers" -}}
{{- $kafka := .root.Values.kafka -}}
{{- range .topics }}
- type: kafka
  metadata:
    bootstrapServers: {{ $kafka.bootstrapServers | quote }}
    consumerGroup: {{ $.group }}
    topic: {{ $kafka.topicPrefix }}{{ . }}
    lagThreshold: {{ $.lagThreshold | quote }}
    activationLagThreshold: "0"
    offsetResetPolicy: earliest
    allowIdleConsumers: {{ $.allowIdleConsumers | quote }}
    # a partition without an offset was never read: what is in it waits
    scaleToZeroOnInvalidOffset: "false"
    {{- if hasPrefix "SASL_" $kafka.securityProtocol }}
    sasl: {{ include "distillery.kedaSasl" $kafka.sasl.mechanism }}
    {{- end }}
    {{- if hasSuffix "SSL" $kafka.securityProtocol }}
    tls: enable
    {{- end }}
  {{- with include "distillery.triggerAuthenticationName" $ }}
  authenticationRef: {name: {{ . }}}
  {{- end }}
{{- end }}
{{- end }}

{{/* KEDA's name of a SASL mechanism. */}}
{{- define "distillery.kedaSasl" -}}
{{- get (dict "PLAIN" "plaintext" "SCRAM-SHA-256" "scram_sha256" "SCRAM-SHA-512" "scram_sha512" "OAUTHBEARER" "oauthbearer") . | default "none" | quote -}}
{{- end }}

{{/* What KEDA needs to see the lag of a service, as that service; empty when that is nothing: dict root name service */}}
{{- define "distillery.triggerParameters" -}}
{{- $kafka := .root.Values.kafka -}}
{{- if hasPrefix "SASL_" $kafka.securityProtocol }}
{{- if $kafka.sasl.jaasConfigKey }}
{{- fail "keda.authentication must name a TriggerAuthentication where kafka.sasl.jaasConfigKey is set: KEDA does not read JAAS" }}
{{- end }}
# of the container that is scaled
env:
  - {parameter: username, name: DISTILLERY_KAFKA_USERNAME}
  - {parameter: password, name: DISTILLERY_KAFKA_PASSWORD}
{{- end }}
{{- $client := include "distillery.kafkaClient" . | fromYaml }}
{{- if or $kafka.tls.caSecret $client }}
secretTargetRef:
  {{- with $kafka.tls.caSecret }}
  - {parameter: ca, name: {{ . }}, key: {{ $kafka.tls.caKey | quote }}}
  {{- end }}
  {{- with $client }}
  - {parameter: cert, name: {{ .secret }}, key: {{ .certificate | quote }}}
  - {parameter: key, name: {{ .secret }}, key: {{ .privateKey | quote }}}
  {{- end }}
{{- end }}
{{- end }}

{{- define "distillery.triggerAuthentication" -}}
{{- if not .root.Values.keda.authentication -}}
{{- with include "distillery.triggerParameters" . | trim }}
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata:
  name: {{ include "distillery.objectName" $ }}
  labels:
    {{- include "distillery.labels" $ | nindent 4 }}
spec:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/* Its name; empty when there is none. */}}
{{- define "distillery.triggerAuthenticationName" -}}
{{- if .root.Values.keda.authentication -}}
{{ .root.Values.keda.authentication }}
{{- else if include "distillery.triggerParameters" . | trim -}}
{{ include "distillery.objectName" . }}
{{- end -}}
{{- end }}
