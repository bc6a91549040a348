package compile_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/internal/nodiff"
	"hew/ir"
	"hew/kernel"
	"hew/load/sklearn"
)

const sklearnCases = "../testdata/golden-sklearn"

// Every engine gives the reference's bits for every scikit-learn model, for float64
// rows and for float32 ones, with its columns folded or not: package load/sklearn has
// the trainer's own answers.
func TestEnginesOnSklearnCases(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sklearnCases, "*", "case.json"))
	require.NoError(t, err)
	require.Greater(t, len(files), 80)
	single := 0
	for _, file := range files {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			for _, float32s := range []bool{false, true} {
				e, err := readSklearn(t, dir, sklearn.Options{Float32: float32s})
				if float32s && err != nil {
					continue // some step computes in float64
				}
				require.NoError(t, err)
				if e.Input == ir.Single {
					single++
				}
				all := engines(t, e)
				for _, cpu := range compile.Levels(kernel.ThisCPU()) {
					g, err := compile.NewEngine(e, "auto", cpu, "fold")
					require.NoError(t, err)
					all = append(all, g)
				}
				wantReferences(t, filepath.Base(dir), e, nodiff.Rows(e, 500, 1), all)
			}
		})
	}
	require.Greater(t, single, 50)
}

func readSklearn(t *testing.T, dir string, o sklearn.Options) (*ir.Ensemble, error) {
	var c struct {
		Files []string `json:"model_files"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "case.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &c))
	model, err := os.ReadFile(filepath.Join(dir, c.Files[0]))
	require.NoError(t, err)
	return sklearn.Read(model, c.Files[0], o)
}
