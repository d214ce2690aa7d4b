{{/* A pod of the data-ingest image that runs a set-up command per container: dict root commands restartPolicy */}}
{{- define "distillery.setupPod" -}}
{{- $setup := .root.Values.setup -}}
{{- $context := dict "root" .root "name" "setup" "service" $setup -}}
{{- $image := dict "root" .root "name" "data-ingest" "service" .root.Values.dataIngest -}}
{{- include "distillery.podHead" $context }}
restartPolicy: {{ .restartPolicy }}
{{- if gt (len .commands) 1 }}
initContainers:
  {{- range initial .commands }}
  {{- include "distillery.setupContainer" (dict "root" $.root "context" $context "image" $image "command" .) | nindent 2 }}
  {{- end }}
{{- end }}
containers:
  {{- include "distillery.setupContainer" (dict "root" .root "context" $context "image" $image "command" (last .commands)) | nindent 2 }}
volumes:
  - {name: tmp, emptyDir: {sizeLimit: 100Mi}}
  {{- with .root.Values.s3.caSecret }}
  - name: s3-ca
    secret: {secretName: {{ . }}, items: [{key: {{ $.root.Values.s3.caKey | quote }}, path: ca.crt}]}
  {{- end }}
{{- end }}

{{- define "distillery.setupContainer" -}}
- name: {{ .command }}
  image: {{ include "distillery.image" .image | quote }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args: [setup, {{ .command }}]
  securityContext:
    {{- include "distillery.containerSecurity" .root | nindent 4 }}
  env:
    - {name: DISTILLERY_TOPICS_PARTITIONS, value: {{ .root.Values.kafka.topics.partitions | quote }}}
    - {name: DISTILLERY_TOPICS_REPLICAS, value: {{ .root.Values.kafka.topics.replicas | quote }}}
    {{- include "distillery.kafkaEnv" .context | nindent 4 }}
    {{- include "distillery.s3Env" .context | nindent 4 }}
  resources:
    {{- toYaml .root.Values.setup.resources | nindent 4 }}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
    {{- if .root.Values.s3.caSecret }}
    - {name: s3-ca, mountPath: /etc/distillery/s3, readOnly: true}
    {{- end }}
{{- end }}
