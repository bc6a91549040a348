package prune_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/lossy"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/load"
	"hew/prune"
)

// withoutRows are settings that any ensemble with covers and rounds can have.
var withoutRows = []string{
	"truncate=1", "truncate=2", "min-cover=1", "min-cover=20", "min-cover=1000",
	"epsilon=1e-3", "epsilon=0.1", "epsilon=1", "epsilon=100", "truncate=2,min-cover=5,epsilon=0.5",
}

// withRows are settings that need rows.
var withRows = []string{
	"reduced-error", "trees=1", "trees=50%", "refit=1", "refit=100",
	"trees=25%,min-cover=2,epsilon=0.01,reduced-error,refit=1",
}

// margins returns rows × outputs margins of e.
func margins(e *ir.Ensemble, x []float64) []float64 {
	m := make([]float64, len(x)/len(e.Features)*e.Outputs)
	interp.New(e).Margin64(m, x)
	return m
}

// change returns, for each output, the largest change of a margin on rows x.
func change(before, after *ir.Ensemble, x []float64) []float64 {
	a, b := margins(before, x), margins(after, x)
	largest := make([]float64, before.Outputs)
	for i, v := range a {
		if math.Float64bits(v) != math.Float64bits(b[i]) {
			d := math.Abs(b[i] - v)
			if d != d { // an infinite margin
				d = math.Inf(1)
			}
			largest[i%before.Outputs] = max(largest[i%before.Outputs], d)
		}
	}
	return largest
}

// run returns what the passes of o make of e, and requires that each certificate holds
// on rows x and that the certificate of all does; it is nil if o does not fit e.
func run(t *testing.T, name string, e *ir.Ensemble, o string, d *lossy.Data, x []float64) *ir.Ensemble {
	t.Helper()
	name += ": " + o
	options, err := prune.Parse(o)
	require.NoError(t, err)
	if options.Check(e, d != nil) != nil {
		return nil
	}
	after, all := e.Clone(), lossy.None(e.Outputs)
	for _, p := range options.Passes() {
		before := after.Clone()
		c, err := p.Run(after, d)
		require.NoError(t, err, name)
		require.NoError(t, after.Verify(), name)
		require.LessOrEqual(t, after.NumNodes(), before.NumNodes(), name)
		holds(t, name+": "+p.Name, before, after, c, x)
		all = all.Plus(c)
	}
	holds(t, name, e, after, all, x)
	return after
}

// holds requires that no margin moved further than certified.
func holds(t *testing.T, name string, before, after *ir.Ensemble, c lossy.Change, x []float64) {
	t.Helper()
	bounds := lossy.Certified(before, after, c)
	for k, d := range change(before, after, x) {
		require.LessOrEqual(t, d, bounds[k], "%s, output %d", name, k)
	}
}

// On random ensembles of all kinds, infinite leaves and overflowing sums included, no
// margin moves further than certified.
func TestCertificates(t *testing.T) {
	ran := map[string]int{}
	for seed := range uint64(500) {
		s := nodiff.Shape{Trees: 8, Depth: 6, Input: ir.Precision(seed % 2), Sum: ir.Precision(seed / 2 % 2), Columns: seed%5 == 0}
		e := s.Ensemble(seed)
		x := nodiff.Rows64(e, 200, seed)
		for _, o := range withoutRows {
			if after := run(t, fmt.Sprint("seed ", seed), e, o, nil, x); after != nil && after.NumNodes() < e.NumNodes() {
				ran[o]++
			}
		}
	}
	for _, o := range withoutRows {
		require.Greater(t, ran[o], 20, o)
	}
}

// The same for passes that look at rows.
func TestCertificatesWithRows(t *testing.T) {
	ran := map[string]int{}
	for seed := range uint64(300) {
		s := nodiff.Shape{Trees: 8, Depth: 5, Outputs: 1 + int(seed%4/3)*2, Input: ir.Precision(seed % 2), Sum: ir.Precision(seed / 2 % 2), Columns: seed%5 == 0}
		e := s.Ensemble(seed)
		labels := trainedFor(e, seed)
		tame(e)
		x := nodiff.Rows64(e, 300, seed)
		d := &lossy.Data{X: x[:100*len(e.Features)], Y: labels(100)}
		if seed%3 == 0 {
			for r := range 100 {
				d.Weight = append(d.Weight, float64(r%4))
			}
		}
		for _, o := range withRows {
			if after := run(t, fmt.Sprint("seed ", seed), e, o, d, x); after != nil && !slices.EqualFunc(e.Trees, after.Trees, sameTree) {
				ran[o]++
			}
		}
	}
	for _, o := range withRows {
		require.Greater(t, ran[o], 20, o)
	}
}

func FuzzCertificates(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint8(5), 0.5)
	f.Fuzz(func(t *testing.T, seed uint64, trees, depth uint8, size float64) {
		e := nodiff.Shape{Trees: int(trees % 20), Depth: int(depth % 10), Sum: ir.Precision(seed % 2)}.Ensemble(seed)
		size = math.Abs(size)
		if !(size > 0) || math.IsInf(size, 0) {
			size = 1
		}
		for _, o := range []prune.Options{{Epsilon: size}, {MinCover: size}, {Epsilon: size, MinCover: 10, Truncate: 1}} {
			run(t, "fuzzed", e, o.String(), nil, nodiff.Rows64(e, 200, seed))
		}
	})
}

func sameTree(a, b ir.Tree) bool {
	return slices.Equal(a.Nodes, b.Nodes) && slices.Equal(a.Vectors, b.Vectors)
}

// objectives are those of one output that have a loss, with a label for each.
var objectives = []struct {
	name  string
	label func(*rand.Rand) float64
}{
	{"reg:squarederror", func(r *rand.Rand) float64 { return r.NormFloat64() }},
	{"reg:pseudohubererror", func(r *rand.Rand) float64 { return r.NormFloat64() }},
	{"reg:absoluteerror", func(r *rand.Rand) float64 { return r.NormFloat64() }},
	{"binary:logistic", func(r *rand.Rand) float64 { return float64(r.IntN(2)) }},
	{"reg:logistic", func(r *rand.Rand) float64 { return r.Float64() }},
	{"binary:hinge", func(r *rand.Rand) float64 { return float64(r.IntN(2)) }},
	{"count:poisson", func(r *rand.Rand) float64 { return float64(r.IntN(5)) }},
	{"reg:gamma", func(r *rand.Rand) float64 { return 0.1 + r.ExpFloat64() }},
	{"reg:tweedie", func(r *rand.Rand) float64 { return max(0, r.NormFloat64()) }},
}

// trainedFor gives e the objective of the given number, log loss if it has several outputs,
// and returns a function that makes labels.
func trainedFor(e *ir.Ensemble, number uint64) func(n int) []float64 {
	o := objectives[number%uint64(len(objectives))]
	if e.Outputs > 1 {
		o.name, e.Task = "multi:softprob", ir.Classification
		o.label = func(r *rand.Rand) float64 { return float64(r.IntN(e.Outputs)) }
	}
	e.Source.Objective = o.name
	r := rand.New(rand.NewPCG(number, 7))
	return func(n int) []float64 {
		y := make([]float64, n)
		for i := range y {
			y[i] = o.label(r)
		}
		return y
	}
}

// tame makes all leaves and base margins small, as those of a trained model are.
func tame(e *ir.Ensemble) {
	small := func(v *float64) { *v = min(max(*v, -3), 3) }
	for k := range e.BaseMargin {
		small(&e.BaseMargin[k])
	}
	for i := range e.Trees {
		for j := range e.Trees[i].Nodes {
			small(&e.Trees[i].Nodes[j].Value)
		}
		for j := range e.Trees[i].Vectors {
			small(&e.Trees[i].Vectors[j])
		}
	}
}

// golden returns all golden models that have trees, by name, without the pipelines of
// which there is one for each container.
func golden(t *testing.T) map[string]*ir.Ensemble {
	t.Helper()
	files, err := filepath.Glob("../testdata/golden-*/*/model.*")
	require.NoError(t, err)
	models := map[string]*ir.Ensemble{}
	for _, f := range files {
		name := filepath.Base(filepath.Dir(f))
		if models[name] != nil {
			continue
		}
		e, err := load.File(f)
		require.NoError(t, err, f)
		if e.Linear == nil && len(e.Trees) > 0 {
			models[name] = e
		}
	}
	require.Greater(t, len(models), 190)
	return models
}

// On all golden models no margin moves further than certified, whatever the setting; the
// passes that look at rows get labels that fit the model.
func TestCertificatesOfGoldenModels(t *testing.T) {
	ran := map[string]int{}
	for name, e := range golden(t) {
		small := len(e.Trees) < 100
		n := 60
		if !small {
			n = 20
		}
		x := nodiff.Rows64(e, n, 1)
		d := &lossy.Data{X: x[:n/2*len(e.Features)]}
		for r := range n / 2 {
			d.Y = append(d.Y, label(e, r))
		}
		for _, o := range slices.Concat(withoutRows, withRows) {
			if after := run(t, name, e, o, d, x); after != nil {
				ran[o]++
			}
		}
	}
	t.Log(ran)
	for _, o := range slices.Concat(withoutRows, withRows) {
		require.Greater(t, ran[o], 80, o)
	}
}

// label returns a label for row r that the objective of e permits.
func label(e *ir.Ensemble, r int) float64 {
	if e.Source.Objective == "reg:gamma" || strings.HasSuffix(e.Source.Objective, "loss gamma") {
		return 1 + float64(r%2)
	}
	if a := e.Answer("label"); a != nil && len(a.Labels[0].Texts) == 1 {
		return 0
	}
	return float64(r % 2)
}
