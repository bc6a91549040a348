package sklearn_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/npy"
	"hew/interp"
	"hew/ir"
	"hew/load/sklearn"
)

// TestVersions has small models of the versions that the golden cases leave out,
// made by internal/oracle/sklearn/pipelines: estimators that scikit-learn 1.0, 1.2,
// 1.4 and 1.7 trained, and what they said about rows at the thresholds.
func TestVersions(t *testing.T) {
	archives, err := filepath.Glob("testdata/versions/*.zip")
	require.NoError(t, err)
	require.Len(t, archives, 4)
	compared := 0
	for _, path := range archives {
		a := openArchive(t, path)
		var models map[string]struct{ Model string }
		require.NoError(t, json.Unmarshal(a["models.json"], &models))
		for number, m := range models {
			t.Run(filepath.Base(path)+"/"+number, func(t *testing.T) {
				n := a.check(t, number)
				require.NotZero(t, n, m.Model)
				compared += n
				if t.Failed() {
					t.Log(m.Model)
				}
			})
		}
	}
	require.Greater(t, compared, 40_000)
}

// An archive holds files by name.
type archive map[string][]byte

func openArchive(t *testing.T, path string) archive {
	r, err := zip.OpenReader(path)
	require.NoError(t, err)
	defer r.Close()
	a := archive{}
	for _, entry := range r.File {
		f, err := entry.Open()
		require.NoError(t, err)
		a[entry.Name], err = io.ReadAll(f)
		require.NoError(t, err)
	}
	return a
}

// numbers returns an array, or nil if there is none.
func (a archive) numbers(t *testing.T, name string) []float64 {
	data, ok := a[name+".npy"]
	if !ok {
		return nil
	}
	v, err := npy.Read(bytes.NewReader(data))
	require.NoError(t, err)
	return v.Float64s()
}

// check compares all answers of a model, and returns how many numbers that were.
func (a archive) check(t *testing.T, number string) int {
	e, err := sklearn.Read(a[number+".pkl"], "", sklearn.Options{})
	require.NoError(t, err)
	x := a.numbers(t, number+".rows")
	rows := len(x) / len(e.Features)
	m, margins := interp.New(e), make([]float64, rows*e.Outputs)
	m.Margin64(margins, x)
	compared := 0
	for i, answer := range e.Answers {
		got := make([]float64, rows*e.VectorWidth(answer.Vector))
		m.Answer64(i, got, margins, x)
		compared += a.compare(t, number+"."+answer.Name, rows, got)
	}
	return compared + a.compareLeaves(t, number+".leaf", e, x, rows)
}

func (a archive) compareLeaves(t *testing.T, name string, e *ir.Ensemble, x []float64, rows int) int {
	if a[name+".npy"] == nil {
		return 0
	}
	leaves := make([]int32, rows*len(e.Trees))
	interp.New(e).Leaf64(leaves, x)
	got := make([]float64, len(leaves))
	for i, n := range leaves {
		got[i] = float64(n)
	}
	return a.compare(t, name, rows, got)
}

// compare requires equal bits or, behind a dot product, a difference within the
// bound of its row.
func (a archive) compare(t *testing.T, name string, rows int, got []float64) int {
	want, bounds := a.numbers(t, name), a.numbers(t, name+".bound")
	require.Len(t, got, len(want), name)
	for i, v := range got {
		if math.Float64bits(v) == math.Float64bits(want[i]) || v != v && want[i] != want[i] {
			continue
		}
		require.NotNil(t, bounds, "%s: number %d is %v, want %v", name, i, v, want[i])
		require.InDelta(t, want[i], v, bounds[i/(len(got)/rows)], "%s: number %d", name, i)
	}
	return len(got)
}
