#!/usr/bin/env bash
# Checks the chart: lint; every ci/*-values.yaml rendered and held against the schemas of Kubernetes and of the operators
# (schemas/) and against the house's own rules (rules/); wrong values are refused with the key that is wrong.
# Needs helm 3 and kubeconform; without them it says so and passes.
set -euo pipefail
cd "$(dirname "$0")"
chart=../distillery
kubernetes=1.30.0
# kinds that there are no rules for; the others must have some
free=ConfigMap,Service,PodDisruptionBudget,PodMonitor,ServiceMonitor,PrometheusRule,ScaledObject,TriggerAuthentication,KafkaTopic,KafkaUser

for tool in helm kubeconform; do
  if ! command -v $tool >/dev/null; then
    echo "Helm chart: not checked, $tool is not installed"
    exit 0
  fi
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() { printf 'Helm chart: %s\n' "$*" >&2; exit 1; }

render() { # values file, further arguments
  local values=$1; shift
  helm template distillery "$chart" --namespace research --kube-version "$kubernetes" -f "$values" "$@"
}

conform() { # folder of schemas, further arguments; reads manifests
  kubeconform -strict -output text "${@:2}" -schema-location "$1/{{ .ResourceKind }}{{ .KindSuffix }}.json" -
}

refused() { # words that must be in the message, arguments for helm
  local words=$1 message; shift
  if message=$(render "$chart/ci/default-values.yaml" "$@" 2>&1); then
    fail "accepted: $*"
  fi
  grep -qF -- "$words" <<<"$message" || fail "refused $* without saying '$words': $message"
}

for values in "$chart"/ci/*-values.yaml; do
  case=$(basename "$values" -values.yaml)
  helm lint "$chart" --strict --quiet --kube-version "$kubernetes" -f "$values"
  render "$values" >"$scratch/$case.yaml"
  conform schemas <"$scratch/$case.yaml" || fail "ci/$case-values.yaml is not valid"
  conform rules -skip "$free" <"$scratch/$case.yaml" || fail "ci/$case-values.yaml is against the rules"
  echo "Helm chart: $case, $(grep -c '^kind:' "$scratch/$case.yaml") objects"
done

# rules that cannot be broken check nothing
broken() { # case, sed script
  sed "$2" "$scratch/$1.yaml" | cmp -s - "$scratch/$1.yaml" && fail "sed '$2' changes nothing in $1"
  if sed "$2" "$scratch/$1.yaml" | conform rules -skip "$free" >/dev/null; then
    fail "the rules allow: sed '$2' on $1"
  fi
}
broken default 's/readOnlyRootFilesystem: true/readOnlyRootFilesystem: false/'
broken default 's/automountServiceAccountToken: false/automountServiceAccountToken: true/'
broken default 's/terminationGracePeriodSeconds: 180/terminationGracePeriodSeconds: 30/'
broken keda 's/rollout: {strategy: gradual}/rollout: {strategy: default}/'
broken keda 's/safe-to-evict: "false"/safe-to-evict: "true"/'
broken everything 's/policyTypes: \[Ingress, Egress\]/policyTypes: [Ingress]/'

refused kafka.bootstrapServers --set kafka.bootstrapServers=
refused 'bootstrapServer is not allowed' --set kafka.bootstrapServer=kafka:9092
refused kafka.securityProtocol --set kafka.securityProtocol=SASL
refused kafka.sasl.existingSecret --set kafka.securityProtocol=SASL_SSL
refused s3.endpoint --set s3.endpoint=minio:9000
refused trainer.mode --set trainer.mode=job
refused 'trainer.gpu: Additional property cout is not allowed' --set trainer.gpu.cout=1
refused latentEncoding.work.size --set latentEncoding.work.size=30GB
refused kafka.strimzi.cluster --set kafka.strimzi.users=true
