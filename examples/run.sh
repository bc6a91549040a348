#!/usr/bin/env bash
# One example from data to report: examples/run.sh higgs, or covertype. Needs Go, and a
# python3 with xgboost and numpy (PYTHON names another one). Takes 5 to 10 minutes.
set -euo pipefail
cd "$(dirname "$0")"
root=$PWD/..
case "${1-}" in
higgs) label=label ;;
covertype) label=cover ;;
*) echo "usage: examples/run.sh higgs|covertype" >&2; exit 2 ;;
esac
go build -C "$root" -trimpath -o bin/hew ./cmd/hew
export PATH=$root/bin:$PATH
cd "$1"
model=$1.ubj
say() { printf '\n\033[1m$ %s\033[0m\n' "$*" >&2; "$@"; }

say "${PYTHON-python3}" train.py

# As it is: what is in the file, Go code of it, and proof that its numbers are right.
say hew inspect $model
say hew compile $model -o "$root/bin/$1"
say hew verify $model --strategy simd

# One setting by hand, written back as a model that XGBoost loads, and measured on rows
# that nothing was fitted to.
say hew prune $model -o small.ubj --prune reduced-error --quantize leaves=int8 --fit fit.csv --rows valid.csv --label $label

# All settings: the search is steered by fit.csv, its outcome judged by valid.csv.
say hew tune $model --rows fit.csv --valid valid.csv --label $label --max-loss 1% --json >tune.jsonl
say hew bench $model --server --connections 1,8,32 --request-rows 1,64 --json >bench.jsonl
say hew report tune.jsonl bench.jsonl -o report.html
say hew report tune.jsonl -o front.svg
