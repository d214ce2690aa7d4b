{{/* The pod of a service, as a template's metadata and spec: dict root name service restartPolicy */}}

{{- define "distillery.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.security.runAsUser }}
runAsGroup: {{ .Values.security.runAsUser }}
fsGroup: {{ .Values.security.fsGroup }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "distillery.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* What all pods of the chart begin with: dict root name */}}
{{- define "distillery.podHead" -}}
serviceAccountName: {{ include "distillery.serviceAccountName" . }}
automountServiceAccountToken: false
# a Service named kafka would set KAFKA_PORT and the like, which would be taken for settings of Kafka's clients
enableServiceLinks: false
securityContext:
  {{- include "distillery.podSecurity" .root | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "distillery.probes" -}}
startupProbe:
  httpGet: {path: /q/health/started, port: http}
  periodSeconds: 10
  failureThreshold: {{ div (dig "startup" "seconds" 600 .service | int) 10 }}
# alive: the work goes on, however long it takes
livenessProbe:
  httpGet: {path: /q/health/live, port: http}
  periodSeconds: 30
  timeoutSeconds: 10
  failureThreshold: 4
readinessProbe:
  httpGet: {path: /q/health/ready, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}

{{- define "distillery.resources" -}}
{{- $resources := deepCopy .service.resources -}}
{{- $gpu := dig "gpu" dict .service -}}
{{- if gt (dig "count" 0 $gpu | int) 0 -}}
{{- $limits := merge (dict $gpu.resource ($gpu.count | int)) ($resources.limits | default dict) -}}
{{- $resources = set $resources "limits" $limits -}}
{{- end -}}
{{ toYaml $resources }}
{{- end }}

{{- define "distillery.volumes" -}}
{{- $work := .service.work -}}
- name: work
  {{- if eq $work.type "ephemeral" }}
  ephemeral:
    volumeClaimTemplate:
      spec:
        accessModes: [ReadWriteOnce]
        {{- with $work.storageClassName }}
        storageClassName: {{ . }}
        {{- end }}
        resources: {requests: {storage: {{ $work.size }}}}
  {{- else }}
  emptyDir: {sizeLimit: {{ $work.size }}}
  {{- end }}
# what the JVM notes about itself; the images put large files in passing into /work
- name: tmp
  emptyDir: {sizeLimit: 100Mi}
# native libraries are unpacked here at the start
- name: cache
  emptyDir: {sizeLimit: 2Gi}
{{- with .service.shmSize }}
- name: shm
  emptyDir: {medium: Memory, sizeLimit: {{ . }}}
{{- end }}
{{- with .root.Values.s3.caSecret }}
- name: s3-ca
  secret: {secretName: {{ . }}, items: [{key: {{ $.root.Values.s3.caKey | quote }}, path: ca.crt}]}
{{- end }}
{{- end }}

{{- define "distillery.volumeMounts" -}}
- {name: work, mountPath: /work}
- {name: tmp, mountPath: /tmp}
- {name: cache, mountPath: /cache}
{{- if .service.shmSize }}
- {name: shm, mountPath: /dev/shm}
{{- end }}
{{- if .root.Values.s3.caSecret }}
- {name: s3-ca, mountPath: /etc/distillery/s3, readOnly: true}
{{- end }}
{{- end }}

{{- define "distillery.tolerations" -}}
{{- $tolerations := .service.tolerations -}}
{{- $gpu := dig "gpu" dict .service -}}
{{- if and (gt (dig "count" 0 $gpu | int) 0) $gpu.tolerate -}}
{{- $tolerations = append $tolerations (dict "key" $gpu.resource "operator" "Exists" "effect" "NoSchedule") -}}
{{- end -}}
{{- with $tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end }}

{{- define "distillery.pod" -}}
metadata:
  labels:
    {{- include "distillery.labels" . | nindent 4 }}
    {{- with .service.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- $annotations := .service.podAnnotations }}
  {{- if eq .name "trainer" }}
  {{- $annotations = merge (dict "cluster-autoscaler.kubernetes.io/safe-to-evict" "false") $annotations }}
  {{- end }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "distillery.podHead" . | nindent 2 }}
  {{- with .restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  {{- with .service.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- $gpu := dig "gpu" dict .service }}
  {{- if and (gt (dig "count" 0 $gpu | int) 0) $gpu.runtimeClassName }}
  runtimeClassName: {{ $gpu.runtimeClassName }}
  {{- end }}
  terminationGracePeriodSeconds: {{ .service.terminationGracePeriodSeconds }}
  containers:
    - name: {{ .name }}
      image: {{ include "distillery.image" . | quote }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      securityContext:
        {{- include "distillery.containerSecurity" .root | nindent 8 }}
      ports:
        - {name: http, containerPort: 8080}
      env:
        {{- include "distillery.env" . | nindent 8 }}
      resources:
        {{- include "distillery.resources" . | nindent 8 }}
      {{- include "distillery.probes" . | nindent 6 }}
      volumeMounts:
        {{- include "distillery.volumeMounts" . | nindent 8 }}
  volumes:
    {{- include "distillery.volumes" . | nindent 4 }}
  {{- with .service.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "distillery.tolerations" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .service.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .service.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
