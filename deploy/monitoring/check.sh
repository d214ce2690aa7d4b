#!/usr/bin/env bash
# Alert rules by Prometheus' own tool: that they parse, and that each fires where it should and is silent where it should be.
set -euo pipefail
cd "$(dirname "$0")"
if ! command -v promtool >/dev/null; then
  echo "deploy/monitoring: skipped, promtool is not installed"
  exit 0
fi
promtool check rules ../helm/distillery/files/monitoring/alerts.yaml
promtool test rules alerts-test.yaml
