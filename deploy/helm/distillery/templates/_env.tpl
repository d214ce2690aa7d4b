{{/* The environment of a component: dict root name service, of which service has kafka, s3 and config. */}}

{{/* The name in the environment of a setting. */}}
{{- define "distillery.envName" -}}
{{ . | upper | replace "." "_" | replace "-" "_" }}
{{- end }}

{{- define "distillery.secretEnv" -}}
- name: {{ .env }}
  valueFrom: {secretKeyRef: {name: {{ .secret }}, key: {{ .key | quote }}}}
{{- end }}

{{/* true when the component is the KafkaUser that this chart makes, whose Secret has its name. */}}
{{- define "distillery.strimziUser" -}}
{{ and .root.Values.kafka.strimzi.users (not (.service.kafka.existingSecret | default .service.kafka.clientSecret)) }}
{{- end }}

{{/* Where the client's certificate is, as {secret, certificate, privateKey}; empty without mTLS. */}}
{{- define "distillery.kafkaClient" -}}
{{- $kafka := .root.Values.kafka -}}
{{- $secret := .service.kafka.clientSecret | default $kafka.tls.clientSecret -}}
{{- if and (eq $kafka.securityProtocol "SSL") (include "distillery.strimziUser" . | eq "true") -}}
{secret: {{ include "distillery.objectName" . }}, certificate: user.crt, privateKey: user.key}
{{- else if $secret -}}
{secret: {{ $secret }}, certificate: {{ $kafka.tls.certificateKey | quote }}, privateKey: {{ $kafka.tls.privateKeyKey | quote }}}
{{- end -}}
{{- end }}

{{- define "distillery.kafkaEnv" -}}
{{- $kafka := .root.Values.kafka -}}
{{- $strimzi := include "distillery.strimziUser" . | eq "true" -}}
{{- $user := include "distillery.objectName" . -}}
- name: KAFKA_BOOTSTRAP_SERVERS
  value: {{ $kafka.bootstrapServers | quote }}
- name: KAFKA_SECURITY_PROTOCOL
  value: {{ $kafka.securityProtocol }}
# a consumer that looks for its topic would have the broker make it, with other settings than it should have
- name: KAFKA_ALLOW_AUTO_CREATE_TOPICS
  value: "false"
- name: DISTILLERY_TOPICS_PREFIX
  value: {{ $kafka.topicPrefix | quote }}
{{- if hasPrefix "SASL_" $kafka.securityProtocol }}
{{- $secret := ternary $user (.service.kafka.existingSecret | default $kafka.sasl.existingSecret) $strimzi }}
- name: KAFKA_SASL_MECHANISM
  value: {{ $kafka.sasl.mechanism }}
{{- if $kafka.sasl.jaasConfigKey }}
{{ include "distillery.secretEnv" (dict "env" "KAFKA_SASL_JAAS_CONFIG" "secret" $secret "key" $kafka.sasl.jaasConfigKey) }}
{{- else }}
{{- if $strimzi }}
- name: DISTILLERY_KAFKA_USERNAME
  value: {{ $user }}
{{- else }}
{{ include "distillery.secretEnv" (dict "env" "DISTILLERY_KAFKA_USERNAME" "secret" $secret "key" $kafka.sasl.usernameKey) }}
{{- end }}
{{ include "distillery.secretEnv" (dict "env" "DISTILLERY_KAFKA_PASSWORD" "secret" $secret "key" $kafka.sasl.passwordKey) }}
- name: KAFKA_SASL_JAAS_CONFIG
  value: {{ printf "org.apache.kafka.common.security.%s required username=\"$(DISTILLERY_KAFKA_USERNAME)\" password=\"$(DISTILLERY_KAFKA_PASSWORD)\";"
      (hasPrefix "SCRAM-" $kafka.sasl.mechanism | ternary "scram.ScramLoginModule" "plain.PlainLoginModule") | squote }}
{{- end }}
{{- end }}
{{- if $kafka.tls.caSecret }}
- name: KAFKA_SSL_TRUSTSTORE_TYPE
  value: PEM
{{ include "distillery.secretEnv" (dict "env" "KAFKA_SSL_TRUSTSTORE_CERTIFICATES" "secret" $kafka.tls.caSecret "key" $kafka.tls.caKey) }}
{{- end }}
{{- with include "distillery.kafkaClient" . | fromYaml }}
- name: KAFKA_SSL_KEYSTORE_TYPE
  value: PEM
{{ include "distillery.secretEnv" (dict "env" "KAFKA_SSL_KEYSTORE_CERTIFICATE_CHAIN" "secret" .secret "key" .certificate) }}
{{ include "distillery.secretEnv" (dict "env" "KAFKA_SSL_KEYSTORE_KEY" "secret" .secret "key" .privateKey) }}
{{- end }}
{{- range $key, $value := $kafka.config }}
- name: KAFKA_{{ include "distillery.envName" $key }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}

{{- define "distillery.s3Env" -}}
{{- $s3 := .root.Values.s3 -}}
{{- $secret := .service.s3.existingSecret | default $s3.existingSecret -}}
- name: DISTILLERY_STORE_ENDPOINT
  value: {{ $s3.endpoint | quote }}
- name: DISTILLERY_STORE_REGION
  value: {{ $s3.region | quote }}
- name: DISTILLERY_STORE_BUCKET
  value: {{ $s3.bucket | quote }}
- name: DISTILLERY_STORE_PATIENCE
  value: {{ $s3.patience | quote }}
{{ include "distillery.secretEnv" (dict "env" "DISTILLERY_STORE_ACCESS_KEY" "secret" $secret "key" $s3.accessKeyKey) }}
{{ include "distillery.secretEnv" (dict "env" "DISTILLERY_STORE_SECRET_KEY" "secret" $secret "key" $s3.secretKeyKey) }}
{{- if $s3.caSecret }}
- name: DISTILLERY_STORE_CA_FILE
  value: /etc/distillery/s3/ca.crt
{{- end }}
{{- end }}

{{- define "distillery.env" -}}
{{- $values := .root.Values -}}
- name: QUARKUS_HTTP_PORT
  value: "8080"
- name: JAVA_TOOL_OPTIONS
  value: {{ .service.javaOptions | quote }}
- name: DISTILLERY_WORK_DIR
  value: /work
- name: DJL_CACHE_DIR
  value: /cache
{{ include "distillery.kafkaEnv" . }}
{{ include "distillery.s3Env" . }}
- name: QUARKUS_LOG_LEVEL
  value: {{ $values.logging.level }}
- name: QUARKUS_LOG_CONSOLE_JSON_ENABLED
  value: {{ eq $values.logging.format "json" | quote }}
- name: QUARKUS_OTEL_SDK_DISABLED
  value: {{ not $values.tracing.enabled | quote }}
{{- if $values.tracing.enabled }}
- name: QUARKUS_OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ $values.tracing.endpoint | quote }}
- name: OTEL_SERVICE_NAME
  value: {{ .name }}
{{- end }}
{{- if eq .name "data-ingest" }}
{{- with $values.hub.endpoint }}
- name: HF_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- with $values.hub.existingSecret }}
{{ include "distillery.secretEnv" (dict "env" "HF_TOKEN" "secret" . "key" $values.hub.tokenKey) }}
{{- end }}
{{- end }}
{{- if has .name (list "data-ingest" "trainer") }}
{{- with $values.trainer.deviceMemory }}
- name: DISTILLERY_TRAINER_DEVICE_MEMORY
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- if eq .name "trainer" }}
- name: DISTILLERY_TRAINER_LATENTS_CACHE
  value: {{ $values.trainer.latentsCache | quote }}
{{- if eq $values.trainer.mode "scaledJob" }}
{{- with $values.trainer.scaledJob }}
{{- if .runs }}
- name: DISTILLERY_TRAINER_RUNS
  value: {{ .runs | quote }}
{{- end }}
- name: DISTILLERY_TRAINER_IDLE_TIMEOUT
  value: {{ .idleTimeout | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- range $key, $value := .service.config }}
- name: {{ include "distillery.envName" $key }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- with .service.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
