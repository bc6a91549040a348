package save_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/load"
	"hew/save"
)

const goldens = "../testdata/golden-xgboost"

// A golden is a model file with what is read of it.
type golden struct {
	name string // of the case
	data []byte
	e    *ir.Ensemble
}

// eachGolden calls f for each model file of the golden cases.
func eachGolden(t *testing.T, f func(t *testing.T, g golden)) {
	files, err := filepath.Glob(filepath.Join(goldens, "*", "model.*"))
	require.NoError(t, err)
	require.Greater(t, len(files), 151)
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		t.Run(name+filepath.Ext(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			e, err := load.Read(file, bytes.NewReader(data))
			require.NoError(t, err)
			f(t, golden{name, data, e})
		})
	}
}

// refused tells which golden models XGBoost 3.2 cannot express, and why.
var refused = map[string]string{
	"xgboost-1.6-categorical-onehot":    "goes left: negative numbers, which are no category, go right",
	"xgboost-1.6-categorical-partition": "goes left: negative numbers, which are no category, go right",
}

// written returns the model as XGBoost's file and reads it again.
func written(t *testing.T, e *ir.Ensemble, original []byte, ubjson bool) *ir.Ensemble {
	var b bytes.Buffer
	require.NoError(t, save.XGBoost(&b, e, original, ubjson))
	again, err := load.Read("again", &b)
	require.NoError(t, err)
	return again
}

func TestGoldenXGBoost(t *testing.T) {
	eachGolden(t, func(t *testing.T, g golden) {
		if why, ok := refused[g.name]; ok {
			require.ErrorContains(t, save.XGBoost(&bytes.Buffer{}, g.e, g.data, false), why)
			return
		}
		for _, ubjson := range []bool{false, true} {
			again := written(t, g.e, g.data, ubjson)
			require.Equal(t, map[bool]string{false: "json", true: "ubjson"}[ubjson], again.Source.Container)
			requireSame(t, g.e, again)
		}
	})
}

// requireSame compares two ensembles: their margins on boundary rows by bits and, but
// for what tells of files and versions, all else.
func requireSame(t *testing.T, want, got *ir.Ensemble) {
	x := nodiff.Rows(want, 300, 7).F32
	require.Equal(t, margins(want, x), margins(got, x))
	w, g := want.Clone(), got.Clone()
	w.Source, g.Source = ir.Source{}, ir.Source{}
	if w.Link == ir.Sigmoid && g.Link == ir.SigmoidClamped {
		w.Link = g.Link // from 1.6 on
	}
	if w.BaseLast { // up to 1.2: trees of one leaf take the place of the base margin
		w.BaseLast = false
		last := len(w.Trees)
		g.Trees, w.BaseMargin, g.BaseMargin = g.Trees[:last], nil, nil
		g.Rounds[len(g.Rounds)-1] = int32(last)
	}
	for i := range w.Trees {
		if !numbered(&w.Trees[i]) {
			require.True(t, numbered(&g.Trees[i]))
			withoutNumbers(&w.Trees[i])
			withoutNumbers(&g.Trees[i])
		}
	}
	require.Equal(t, w, g)
}

// numbered reports whether the numbers of the nodes have no gaps and siblings stand
// together.
func numbered(t *ir.Tree) bool {
	seen := make([]bool, len(t.Nodes))
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if int(n.ID) >= len(seen) || seen[n.ID] || !n.IsLeaf() && t.Nodes[n.Right].ID != t.Nodes[n.Left].ID+1 {
			return false
		}
		seen[n.ID] = true
	}
	return t.Nodes[0].ID == 0
}

func withoutNumbers(t *ir.Tree) {
	for i := range t.Nodes {
		t.Nodes[i].ID = 0
	}
}

// margins returns the bits of the margins of rows.
func margins(e *ir.Ensemble, x []float32) []uint32 {
	out := make([]float32, len(x)/len(e.Features)*e.Outputs)
	interp.New(e).Margin(out, x)
	bits := make([]uint32, len(out))
	for i, v := range out {
		bits[i] = math.Float32bits(v)
	}
	return bits
}

// Of a file by 3.2, writing it back changes only what is said to be unknown: the same
// keys stand in the same order with the same texts of numbers.
func TestUnchangedText(t *testing.T) {
	unknown := regexp.MustCompile(`"(base_weights|loss_changes)":\[[^]]*\]`)
	same := 0
	eachGolden(t, func(t *testing.T, g golden) {
		if g.e.Source.Version != "3.2.0" || g.e.Source.Booster == "dart" || strings.HasSuffix(g.name, "-pruned") {
			return
		}
		var b bytes.Buffer
		require.NoError(t, save.XGBoost(&b, g.e, g.data, g.e.Source.Container == "ubjson"))
		if g.e.Source.Container == "ubjson" {
			require.Equal(t, len(g.data), b.Len())
			return
		}
		got, want := unknown.ReplaceAllString(b.String(), "$1"), unknown.ReplaceAllString(string(g.data), "$1")
		require.True(t, got == want, "the texts differ from byte %d on", firstDifference(got, want))
		same++
	})
	require.Greater(t, same, 50)
}

func firstDifference(a, b string) int {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return i
}
