#!/usr/bin/env bash
# Installs the peers of hew bench, at the versions pinned beside this file, into
# the user's cache, or into the directory that is given:
#
#   setup.sh [DIR]
#
# What is there already is kept. It needs python3.11 or later with venv and pip,
# python3.12 for XGBoost 3.4, gcc, and cargo for hessboost. What cannot be
# installed is told and left out, and the exit status is 1.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/hew-peers}
mkdir -p "$dir" || exit 1
failed=0

complain() {
  echo "peers: $*" >&2
  failed=1
}

# interpreter prints the first of the named Pythons that runs.
interpreter() {
  local name p
  for name in "$@"; do
    for p in "$name" "$HOME/.pyenv/versions/${name#python}".*/bin/"$name"; do
      "$p" -c 'import ensurepip' 2>/dev/null && { echo "$p"; return 0; }
    done
  done
  return 1
}

# environment NAME REQUIREMENTS PYTHON... makes a virtual environment. Its file
# "ready" is a copy of the requirements it was made of.
environment() {
  local env=$dir/$1 pins=$here/$2 python
  cmp -s "$pins" "$env/ready" && return
  shift 2
  python=$(interpreter "$@") || { complain "$(basename "$env") needs one of: $*"; return; }
  rm -rf "$env"
  "$python" -m venv "$env" &&
    "$env/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: -r "$pins" &&
    cp "$pins" "$env/ready" || complain "$(basename "$env") was not installed"
}

environment main requirements.txt python3.11 python3.12 python3.13
environment xgboost34 requirements-xgboost34.txt python3.12 python3.13
environment lleaves requirements-lleaves.txt python3.11 python3.12
cp --remove-destination "$here"/python/*.py "$dir" || complain "no worker in Python"
gcc -std=c11 -Wall -Wextra -O2 -o "$dir/worker" "$here"/native/*.c -ldl -lpthread || complain "no worker in C: it needs gcc"
CARGO_TARGET_DIR="$dir/cargo" cargo build --quiet --release --locked --manifest-path "$here/hessboost/Cargo.toml" &&
  cp --remove-destination "$dir/cargo/release/libhessboost_peer.so" "$dir" || complain "hessboost was not built: it needs cargo"
exit $failed
