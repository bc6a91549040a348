package hew_test

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mayImport is the law of directions: for each package of ours, the packages of
// ours that it may import, tests aside. A package that is missing here fails.
var mayImport = map[string]string{
	"":                             "",
	"ir":                           "",
	"predict":                      "",
	"internal/libm":                "",
	"internal/npy":                 "",
	"internal/nearest":             "",
	"internal/form":                "ir",
	"save":                         "ir internal/form load/xgboost",
	"load":                         "ir load/internal/fault load/hew load/xgboost load/sklearn",
	"load/internal/fault":          "",
	"load/hew":                     "ir internal/form load/internal/fault",
	"load/xgboost":                 "ir internal/libm load/internal/fault",
	"load/sklearn":                 "ir interp internal/libm load/internal/fault load/xgboost load/sklearn/internal/record load/sklearn/internal/pickle load/sklearn/internal/skops",
	"load/sklearn/internal/record": "",
	"load/sklearn/internal/pickle": "load/internal/fault load/sklearn/internal/record",
	"load/sklearn/internal/skops":  "load/internal/fault load/sklearn/internal/record",
	"interp":                       "ir internal/libm predict",
	"fold":                         "ir interp",
	"internal/nodiff":              "ir interp predict",
	"internal/lossy":               "ir",
	"prune":                        "ir interp internal/lossy internal/nearest",
	"quantize":                     "ir interp internal/lossy internal/nearest",
	"kernel":                       "predict",
	"codegen":                      "ir internal/libm predict",
	"compile":                      "ir internal/libm internal/lossy internal/nearest interp predict fold prune quantize kernel codegen internal/nodiff",
	"inspect":                      "ir fold",
	"rows":                         "predict internal/nearest internal/npy",
	"score":                        "ir interp predict prune rows internal/nearest internal/npy",
	"serve":                        "internal/nearest predict",
	"serve/grpc":                   "predict serve serve/grpc/proto/inference serve/grpc/proto/prediction",
	"metric":                       "ir interp predict internal/nearest",
	"tune":                         "ir interp predict internal/lossy internal/nodiff metric compile kernel bench",
	"bench/measure":                "predict",
	"bench/worker":                 "predict bench/measure",
	"bench":                        "predict bench/measure bench/worker",
	"bench/peers":                  "predict bench bench/measure bench/worker",
	"bench/leaves":                 "ir interp predict bench bench/measure",
	"bench/load":                   "predict bench serve/grpc/proto/inference serve/grpc/proto/prediction",
	"report":                       "bench tune",
	"build":                        "codegen predict",
	"cmd/hew":                      "*",
	"serve/grpc/proto/inference":   "",
	"serve/grpc/proto/prediction":  "",
}

// onlyImporter names the one package that may import a module of others.
var onlyImporter = map[string]string{
	"github.com/dave/jennifer":         "codegen",
	"github.com/spf13/cobra":           "cmd/hew",
	"github.com/dmitryikh/leaves":      "bench/leaves",
	"github.com/parquet-go/parquet-go": "rows",
	"gonum.org/v1/plot":                "report",
	"github.com/ulikunitz/xz":          "load/sklearn/internal/pickle",
	"github.com/pierrec/lz4":           "load/sklearn/internal/pickle",
	"github.com/x448/float16":          "quantize",
}

// standardOnly names the packages that generated programs link when they speak
// REST alone: they import the standard library and each other.
var standardOnly = []string{"internal/nearest", "predict", "serve", "bench/measure", "bench/worker"}

func TestImportDirections(t *testing.T) {
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(strings.TrimPrefix(fields[0], "hew"), "/")
		allowed, ok := mayImport[pkg]
		if !ok {
			t.Errorf("package %q is not in the table of import directions", pkg)
			continue
		}
		for _, imported := range fields[1:] {
			checkImport(t, pkg, allowed, imported)
		}
	}
}

func checkImport(t *testing.T, pkg, allowed, imported string) {
	ours, isOurs := strings.CutPrefix(imported, "hew/")
	first, _, _ := strings.Cut(imported, "/")
	switch {
	case isOurs || imported == "hew":
		if allowed != "*" && imported != "hew" && !slices.Contains(strings.Fields(allowed), ours) {
			t.Errorf("%s imports %s; it may import: %s", pkg, ours, allowed)
		}
		if imported == "hew" && pkg != "build" && pkg != "cmd/hew" {
			t.Errorf("%s imports the embedded sources; only build and cmd/hew may", pkg)
		}
	case strings.Contains(first, "."):
		if slices.Contains(standardOnly, pkg) {
			t.Errorf("%s imports %s; it is linked into programs that use the standard library only", pkg, imported)
		}
		for module, importer := range onlyImporter {
			if strings.HasPrefix(imported, module) && pkg != importer {
				t.Errorf("%s imports %s; only %s may", pkg, imported, importer)
			}
		}
	}
}
