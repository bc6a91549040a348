#!/usr/bin/env bash
# The main job on a model that is in the repository: inspect it, compile it to Go,
# prove the numbers, build a server and ask it, measure. Needs Go and curl.
set -euo pipefail
cd "$(dirname "$0")"
say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; "$@"; }

model=testdata/golden-xgboost/xgboost-3.2-realistic-binary-higgs-500x6
go build -trimpath -o bin/hew ./cmd/hew
hew=bin/hew

say $hew inspect $model/model.ubj
say $hew compile $model/model.ubj --strategy branch -o bin/higgs
say sed -n '/^func tree0/,/^}/p' bin/higgs/trees_000.go
say $hew verify $model/model.ubj --rows $model/rows.npy --expect $model/margin.npy --output margin
say $hew build higgs=$model/model.ubj -o bin/higgs-server

./bin/higgs-server --http 127.0.0.1:18080 --grpc 127.0.0.1:18081 2>bin/server.log &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
curl -s --retry 50 --retry-connrefused --retry-delay 0 --retry-max-time 5 http://127.0.0.1:18080/health >/dev/null
row='[0.87,-0.64,0.23,0.33,-0.69,0.75,-0.25,-1.09,0,1.37,-0.65,0.93,1.11,1.14,-1.58,-1.05,0,0.66,-0.01,-0.05,3.1,1.35,0.98,0.98,0.92,0.72,0.99,0.88]'
say curl -s --json "{\"features\":$row}" http://127.0.0.1:18080/predict
say curl -s --json "{\"inputs\":[{\"name\":\"input-0\",\"shape\":[1,28],\"datatype\":\"FP32\",\"data\":$row}],\"outputs\":[{\"name\":\"predict\"},{\"name\":\"margin\"}]}" \
	http://127.0.0.1:18080/v2/models/higgs/infer
say curl -s http://127.0.0.1:18080/v2/models/higgs
kill $server
wait $server

# Engines, and a server over REST and gRPC: every answer is checked by bits.
say $hew bench $model/model.ubj --server
