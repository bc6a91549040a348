package compile_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/internal/nodiff"
	"hew/internal/npy"
	"hew/interp"
	"hew/ir"
	"hew/load"
	"hew/predict"
)

const goldenCases = "../testdata/golden-xgboost"

// A trained is a model file with the rows and answers that its trainer recorded.
type trained struct {
	name    string
	e       *ir.Ensemble
	rows    predict.Values
	answers answers
	hasLeaf bool
}

// trainedCases reads all cases of goldenCases whose answers depend on the rows
// alone: those with a base margin per row are the business of package interp.
func trainedCases(t *testing.T) []trained {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(goldenCases, "*", "case.json"))
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	var cases []trained
	for _, file := range dirs {
		dir := filepath.Dir(file)
		if _, err := os.Stat(filepath.Join(dir, "base_margin.npy")); err == nil {
			continue
		}
		cases = append(cases, readCase(t, dir))
	}
	return cases
}

func readCase(t *testing.T, dir string) trained {
	t.Helper()
	var c struct {
		Files   []string `json:"model_files"`
		Missing *float32 `json:"missing_value"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "case.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &c), dir)
	e, err := load.File(filepath.Join(dir, c.Files[len(c.Files)-1]))
	require.NoError(t, err)

	rows := readArray(t, dir, "rows").Float32s()
	if c.Missing != nil {
		for i, v := range rows {
			if v == *c.Missing {
				rows[i] = float32(math.NaN())
			}
		}
	}
	k := trained{name: filepath.Base(dir), e: e, rows: predict.ValuesOf(rows)}
	k.answers.margin = predict.ValuesOf(readArray(t, dir, "margin").Float32s())
	k.answers.predict = predict.ValuesOf(readArray(t, dir, "predict").Float32s())
	if _, err := os.Stat(filepath.Join(dir, "leaf.npy")); err == nil {
		k.answers.leaf, k.hasLeaf = readArray(t, dir, "leaf").Int32s(), true
	}
	return k
}

func readArray(t *testing.T, dir, name string) *npy.Array {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, name+".npy"))
	require.NoError(t, err)
	defer f.Close()
	a, err := npy.Read(f)
	require.NoError(t, err, "%s/%s", dir, name)
	return a
}

// The passes change no bit of what any golden model says about the recorded rows
// or about rows around its thresholds.
func TestPassesOnGoldenCases(t *testing.T) {
	for _, c := range trainedCases(t) {
		p := c.e.Clone()
		r, err := compile.Run(p, compile.Options{})
		require.NoError(t, err, c.name)
		require.True(t, r.Exact)
		got := reference(p, c.rows)
		wantBits(t, c.name+": margin", c.answers.margin, got.margin)
		wantBits(t, c.name+": prediction", c.answers.predict, got.predict)

		rewritten := compile.Interp(p, c.name)
		rewritten.Leaf = nil // collapse merges leaves
		diff := nodiff.Compare(interp.New(c.e), rewritten, nodiff.Rows(c.e, 300, 1))
		require.True(t, diff.OK(), "%s: %v", c.name, diff)
	}
}

// Every model of every XGBoost version, as a generated package, gives the
// trainer's own margins, predictions and leaf numbers on the recorded rows, and
// those of the reference evaluator on rows around the model's thresholds. Of
// packages that carry the same code, one of each kind is enough: what differs in
// them is data.
func TestGoldenCases(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a package for each golden case")
	}
	const boundaryRows = 200
	cases := trainedCases(t)
	specimens := make([]specimen, len(cases))
	for i, c := range cases {
		x := slices.Concat(c.rows.F32, nodiff.Rows(c.e, boundaryRows, uint64(i)).F32)
		specimens[i] = specimen{name: c.name, e: c.e, x: predict.ValuesOf(x)}
	}
	for _, r := range runs {
		some := indices(cases, r.strategy == "branch")
		chosen := make([]specimen, len(some))
		for i, j := range some {
			chosen[i] = specimens[j]
		}
		t.Logf("%s: %d packages", r.strategy, len(some))
		p := build(t, r.strategy, chosen)
		for _, level := range r.levels {
			for i, got := range p.run(t, level) {
				c := &cases[some[i]]
				c.check(t, fmt.Sprintf("%s, %s %s", c.name, r.strategy, level), chosen[i].x, got)
			}
		}
	}
}

// indices returns the indices of all cases, or of those that are the first of
// their kind and of the large ones.
func indices(cases []trained, all bool) []int {
	var list []int
	seen := map[string]bool{}
	for i := range cases {
		kind := cases[i].kind()
		if all || !seen[kind] || cases[i].e.NumNodes() > 10_000 {
			list = append(list, i)
		}
		seen[kind] = true
	}
	return list
}

// kind tells what the code of c's package depends on.
func (c *trained) kind() string {
	e := c.e
	vectors, depth := false, 0
	for i := range e.Trees {
		vectors, depth = vectors || e.Trees[i].Vectors != nil, max(depth, e.Trees[i].Depth())
	}
	return fmt.Sprint(e.Link, min(e.Outputs, 3), e.BaseLast, vectors, len(e.Sets) > 0, depth > 6, len(e.Trees) == 0)
}

// check requires that got is what the trainer said about the recorded rows at the
// beginning of x, and what the reference evaluator says about the others.
func (c *trained) check(t *testing.T, name string, x predict.Values, got answers) {
	t.Helper()
	recorded, boundary := got.split(c.rows.Len()/len(c.e.Features), c.e)
	wantBits(t, name+": margin", c.answers.margin, recorded.margin)
	wantBits(t, name+": prediction", c.answers.predict, recorded.predict)
	if c.hasLeaf {
		wantLeaves(t, name+": leaf", c.answers.leaf, recorded.leaf)
	}
	wantReference(t, name+", boundary rows", c.e, x.Slice(c.rows.Len(), x.Len()), boundary)
}

// wantReference requires that got is what the reference evaluator says about x.
func wantReference(t *testing.T, name string, e *ir.Ensemble, x predict.Values, got answers) {
	t.Helper()
	want := reference(e, x)
	wantBits(t, name+": margin", want.margin, got.margin)
	wantBits(t, name+": prediction", want.predict, got.predict)
	for i := range want.named {
		wantBits(t, name+": answer "+e.Answers[i].Name, want.named[i], got.named[i])
	}
	wantLeaves(t, name+": leaf", want.leaf, got.leaf)
}

func reference(e *ir.Ensemble, x predict.Values) answers {
	a := newAnswers(e, x.Len()/len(e.Features))
	m := interp.New(e).Typed()
	m.Margin(a.margin, x)
	m.Predict(a.predict, x)
	for i := range a.named {
		m.Answer(i, a.named[i], a.margin, x)
	}
	m.Leaf(a.leaf, x)
	return a
}

// wantBits requires that both hold the same bits, any NaN for any other.
func wantBits(t *testing.T, name string, want, got predict.Values) {
	t.Helper()
	require.Equal(t, want.Type(), got.Type(), name)
	require.Equal(t, want.Len(), got.Len(), name)
	for i := range want.Len() {
		w, g := want.At(i), got.At(i)
		if math.Float64bits(g) != math.Float64bits(w) && (g == g || w == w) {
			t.Errorf("%s: value %d is %v, want %v", name, i, g, w)
			return
		}
	}
}

func wantLeaves(t *testing.T, name string, want, got []int32) {
	t.Helper()
	require.Equal(t, len(want), len(got), name)
	for i, w := range want {
		if w != got[i] {
			t.Errorf("%s: value %d is %d, want %d", name, i, got[i], w)
			return
		}
	}
}
