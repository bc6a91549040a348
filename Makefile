# make check is what CI runs. Tools are pinned here and run with go run, so that
# they are no dependency of the module.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: build demo test race arm64 lint generate tidy golden fuzz bench peers oracle browser check clean

build: ## the command, bin/hew
	go build -trimpath -o bin/hew ./cmd/hew

demo: ## the main job, end to end, on a model of the repository
	./demo.sh

test: ## all tests; -short leaves out those that build programs
	go test -timeout 20m ./...

race: ## the packages in which goroutines meet
	go test -race -short -timeout 20m ./serve/... ./bench/... ./score ./interp ./rows ./load/... ./kernel

arm64: ## the engines on another processor, under qemu-user
	GOARCH=arm64 go vet ./...
	GOARCH=arm64 go test -short -exec qemu-aarch64-static ./kernel ./quantize ./interp

lint: ## format, vet, staticcheck
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo "run gofmt -w on these files"; exit 1; }
	go vet ./...
	go -C kernel/internal/gen vet ./...
	go -C internal/browser vet ./...
	go run $(STATICCHECK) ./...

generate: ## protobuf code and assembly
	go generate ./...

golden: ## rewrite golden files; read the diff before you commit it
	go test ./codegen ./compile ./bench ./report ./cmd/hew -update

fuzz: ## every fuzz target for a while, FUZZTIME each
	./fuzz.sh $(or $(FUZZTIME),60s)

bench: ## benchmarks into bin/bench: go.txt for benchstat, records.jsonl of hew bench
	mkdir -p bin/bench
	go test -run - -bench . -benchmem -timeout 1h ./load/... ./interp ./kernel ./codegen/... ./serve/... ./rows | tee bin/bench/go.txt
	go run ./cmd/hew bench testdata/golden-xgboost/xgboost-3.2-realistic-binary-higgs-500x6/model.ubj --server --json | tee bin/bench/records.jsonl

peers: ## other people's predictors for hew bench, into the user's cache; needs Python, gcc and cargo
	bench/peers/setup.sh

oracle: ## against XGBoost and scikit-learn themselves, on MODELS random models each; needs Python 3.11 or later with pip
	go vet -tags oracle ./internal/oracle/...
	go test -tags oracle -timeout $(if $(MODELS),2h,15m) ./internal/oracle/... $(if $(MODELS),-args -models=$(MODELS))

browser: ## the page of hew report in a pinned Chromium, which npm brings the first time; PICTURES=DIR keeps pictures of it
	go -C internal/browser test -count 1 . $(if $(PICTURES),-args -pictures=$(abspath $(PICTURES)))

check: lint test race generate tidy ## all that must hold
	@git diff --exit-code || { echo "make generate and go mod tidy must leave the tree clean"; exit 1; }
	@test -z "$$(git status --porcelain)" || { git status --short; echo "the tree is not clean"; exit 1; }

tidy:
	go mod tidy
	go -C kernel/internal/gen mod tidy
	go -C internal/browser mod tidy

clean:
	git clean -fdXq bin
