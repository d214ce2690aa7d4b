#!/usr/bin/env bash
# Checks what is deployed: the Dockerfile with hadolint, docker-compose.yml with Docker Compose, the chart with helm and
# kubeconform, alert rules with promtool. A tool that is not there is said to be missing, and passes.
set -euo pipefail
cd "$(dirname "$0")/.."

if command -v hadolint >/dev/null; then
  hadolint deploy/images/Dockerfile
  echo "Dockerfile: as hadolint wants it"
else
  echo "Dockerfile: not checked, hadolint is not installed"
fi

if docker compose version >/dev/null 2>&1; then
  compose=(docker compose)
elif command -v docker-compose >/dev/null; then
  compose=(docker-compose)
else
  compose=()
fi
if [ ${#compose[@]} -gt 0 ]; then
  for profile in cpu gpu; do
    COMPOSE_PROFILES=$profile "${compose[@]}" --env-file .env.example config --quiet
    echo "docker-compose.yml: valid with the profile $profile"
  done
else
  echo "docker-compose.yml: not checked, Docker Compose is not installed"
fi

deploy/helm/test/check.sh
deploy/monitoring/check.sh
