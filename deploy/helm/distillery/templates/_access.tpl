{{/* Templates that turn files/access.yaml into what brokers and stores understand. */}}

{{/* A list of {type, name, operations}: dict root may access. */}}
{{- define "distillery.kafkaAcls" -}}
{{- $prefix := .root.Values.kafka.topicPrefix -}}
{{- range .may.kafka.read }}
- {type: topic, name: {{ $prefix }}{{ . }}, operations: [Read, Describe]}
{{- end }}
{{- range .may.kafka.write }}
- {type: topic, name: {{ $prefix }}{{ . }}, operations: [Write, Describe]}
{{- end }}
{{- with .may.kafka.group }}
- {type: group, name: {{ . }}, operations: [Read]}
{{- end }}
{{- if or .may.kafka.create .may.kafka.watch }}
{{- range $topic, $config := .access.topics }}
- {type: topic, name: {{ $prefix }}{{ $topic }}, operations: {{ ternary "[Create, Describe, Read]" "[Describe]" ($.may.kafka.create | default false) }}}
{{- end }}
{{- range $name, $other := .access.services }}
{{- with $other.kafka.group }}
- {type: group, name: {{ . }}, operations: {{ ternary "[Read, Describe]" "[Describe]" ($.may.kafka.create | default false) }}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "distillery.s3Arns" -}}
{{- $arns := list -}}
{{- range .keys }}{{ $arns = append $arns (printf "arn:aws:s3:::%s/%s" $.bucket .) }}{{ end -}}
{{ toJson $arns }}
{{- end }}

{{/* The S3 policy of a service, as JSON: dict root name may access. */}}
{{- define "distillery.s3Policy" -}}
{{- $bucket := .root.Values.s3.bucket -}}
{{- $arn := printf "arn:aws:s3:::%s" $bucket -}}
{{- $s3 := .may.s3 -}}
{{- /* unconditioned: without the right to list, what is not there answers 403 instead of 404 */ -}}
{{- $statements := list (dict "Sid" "List" "Effect" "Allow" "Action" (list "s3:ListBucket" "s3:GetBucketLocation") "Resource" (list $arn)) -}}
{{- with $s3.read -}}
{{- $statements = append $statements (dict "Sid" "Read" "Effect" "Allow" "Action" (list "s3:GetObject") "Resource" (include "distillery.s3Arns" (dict "bucket" $bucket "keys" .) | fromJsonArray)) -}}
{{- end -}}
{{- with $s3.write -}}
{{- $statements = append $statements (dict "Sid" "Write" "Effect" "Allow" "Action" (list "s3:PutObject" "s3:AbortMultipartUpload" "s3:ListMultipartUploadParts") "Resource" (include "distillery.s3Arns" (dict "bucket" $bucket "keys" .) | fromJsonArray)) -}}
{{- end -}}
{{- with $s3.delete -}}
{{- $statements = append $statements (dict "Sid" "Delete" "Effect" "Allow" "Action" (list "s3:DeleteObject") "Resource" (include "distillery.s3Arns" (dict "bucket" $bucket "keys" .) | fromJsonArray)) -}}
{{- end -}}
{{- if $s3.createBucket -}}
{{- $statements = append $statements (dict "Sid" "CreateBucket" "Effect" "Allow" "Action" (list "s3:CreateBucket") "Resource" (list $arn)) -}}
{{- end -}}
{{- if and (eq .name "data-ingest") .root.Values.s3.sourceBuckets -}}
{{- $sources := list -}}
{{- range .root.Values.s3.sourceBuckets -}}
{{- $sources = concat $sources (list (printf "arn:aws:s3:::%s" .) (printf "arn:aws:s3:::%s/*" .)) -}}
{{- end -}}
{{- $statements = append $statements (dict "Sid" "Sources" "Effect" "Allow" "Action" (list "s3:ListBucket" "s3:GetObject") "Resource" $sources) -}}
{{- end -}}
{{- $statements = append $statements (dict "Sid" "NeverDelete" "Effect" "Deny" "Action" (list "s3:DeleteObject" "s3:DeleteObjectVersion") "Resource" (include "distillery.s3Arns" (dict "bucket" $bucket "keys" .access.neverDeleted) | fromJsonArray)) -}}
{{ dict "Version" "2012-10-17" "Statement" $statements | toPrettyJson }}
{{- end }}
