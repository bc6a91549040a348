#!/usr/bin/env bash
# Runs every fuzz target of the module for the given time each, then compiles
# random ensembles and compares their bits: ./fuzz.sh 60s [ENSEMBLES]
set -euo pipefail
cd "$(dirname "$0")"
for pkg in $(go list ./...); do
  for target in $(go test -list '^Fuzz' "$pkg" | grep '^Fuzz' || true); do
    echo "$pkg $target"
    go test -run - -fuzz "^$target\$" -fuzztime "$1" -fuzzminimizetime 5x "$pkg"
  done
done
go test ./compile -run TestRandomEnsembles -ensembles "${2:-500}"
