package sklearn_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/fold"
	"hew/internal/npy"
	"hew/interp"
	"hew/ir"
	"hew/load/sklearn"
)

// A golden is a case of testdata/golden: model files, rows, and what scikit-learn
// answered.
type golden struct {
	dir   string
	Files []string `json:"model_files"`
	Dtype string   `json:"rows_dtype"`
}

func goldens(t *testing.T) []golden {
	root := os.Getenv("HEW_GOLDEN")
	if root == "" {
		root = "../../testdata/golden-sklearn"
	}
	files, err := filepath.Glob(filepath.Join(root, "sklearn-*", "case.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var all []golden
	for _, f := range files {
		g := golden{dir: filepath.Dir(f)}
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &g))
		all = append(all, g)
	}
	return all
}

// Every container of every case gives scikit-learn's answers, before and after the
// columns are folded.
func TestGolden(t *testing.T) {
	for _, g := range goldens(t) {
		for _, file := range g.Files {
			t.Run(filepath.Base(g.dir)+"/"+file, func(t *testing.T) { g.check(t, file) })
		}
	}
}

func (g *golden) check(t *testing.T, file string) {
	data, err := os.ReadFile(filepath.Join(g.dir, file))
	require.NoError(t, err)
	e, err := sklearn.Read(data, file, sklearn.Options{Float32: g.Dtype == "float32"})
	require.NoError(t, err)
	x := g.rows(t, e)
	g.compare(t, e, x)
	f := e.Clone()
	require.NoError(t, fold.Fold(f))
	require.NoError(t, f.Verify())
	require.Nil(t, f.Columns)
	g.compare(t, f, x)
}

func (g *golden) compare(t *testing.T, e *ir.Ensemble, x []float64) {
	n := len(x) / len(e.Features)
	m := interp.New(e)
	margins := make([]float64, n*e.Outputs)
	m.Margin64(margins, x)
	for i, a := range e.Answers {
		got := make([]float64, n*e.VectorWidth(a.Vector))
		m.Answer64(i, got, margins, x)
		name := a.Name
		if name == "label" {
			g.labels(t, &a, got)
			continue
		}
		if want, ok := g.array(t, name); ok {
			g.near(t, e, name, want, got)
		}
	}
	if want, ok := g.array(t, "margin"); ok {
		g.near(t, e, "margin", want, margins)
	}
	if want, ok := g.array(t, "leaf"); ok {
		got := make([]int32, n*len(e.Trees))
		m.Leaf64(got, x)
		for i, w := range want {
			require.EqualValues(t, w, got[i], "leaf %d", i)
		}
	}
}

// A bound is how far an answer may be from scikit-learn's: steps of float64, or a
// difference. It is zero unless NumPy computed with functions whose last bits depend
// on the CPU, or BLAS with sums in an order of its own; SEMANTICS.md has the list.
type bound struct {
	ulps  int64
	delta float64
}

func (g *golden) boundOf(e *ir.Ensemble, name string) bound {
	has := func(codes ...ir.StageCode) bool {
		return slices.ContainsFunc(e.Post, func(s ir.Stage) bool { return slices.Contains(codes, s.Code) })
	}
	switch {
	case name == "margin":
		return bound{}
	case has(ir.StageAffine):
		return bound{delta: 1e-12}
	case strings.Contains(g.dir, "samme-r"):
		return bound{delta: 1e-14}
	case has(ir.StageAnomaly) && name == "score":
		return bound{ulps: 2}
	case has(ir.StageAnomaly):
		return bound{delta: 2.5e-16}
	case has(ir.StageSoftmaxLog) && name == "proba":
		return bound{ulps: 8}
	case has(ir.StageSoftmax, ir.StageExp) && (name == "proba" || name == "predict"):
		return bound{ulps: 4}
	case strings.Contains(g.dir, "gb-classifier-multi") && !strings.Contains(g.dir, "hgb"):
		return bound{delta: 4e-16} // the logarithms of the prior
	}
	return bound{}
}

func (g *golden) near(t *testing.T, e *ir.Ensemble, name string, want, got []float64) {
	require.Len(t, got, len(want), name)
	limit, worst, wrong := g.boundOf(e, name), int64(0), 0
	for i := range want {
		d := ulps(want[i], got[i])
		if d > limit.ulps && !(math.Abs(want[i]-got[i]) <= limit.delta*max(1, math.Abs(want[i]))) {
			wrong++
			worst = max(worst, d)
		}
	}
	require.Zero(t, wrong, "%s: of %d values, by up to %d ulp", name, len(want), worst)
}

func ulps(a, b float64) int64 {
	if a != a && b != b {
		return 0
	}
	order := func(x float64) int64 {
		if b := int64(math.Float64bits(x)); b >= 0 {
			return b
		} else {
			return math.MinInt64 - b
		}
	}
	d := order(a) - order(b)
	return max(d, -d)
}

// labels compares class numbers with the labels that predict gave.
func (g *golden) labels(t *testing.T, a *ir.Answer, got []float64) {
	data, err := os.ReadFile(filepath.Join(g.dir, "predict.npy"))
	require.NoError(t, err)
	want := predicted(t, data)
	require.Len(t, got, len(want))
	for i, c := range got {
		require.Equal(t, want[i], a.Labels[i%len(a.Labels)].Texts[int(c)], "label %d", i)
	}
}

// predicted reads labels as text from an array of integers or of text.
func predicted(t *testing.T, data []byte) []string {
	header, rest, _ := strings.Cut(string(data[10:]), "\n")
	var out []string
	if i := strings.Index(header, "'<U"); i >= 0 {
		width, err := strconv.Atoi(header[i+3 : i+3+strings.IndexByte(header[i+3:], '\'')])
		require.NoError(t, err)
		for ; len(rest) > 0; rest = rest[4*width:] {
			var s strings.Builder
			for k := range width {
				if r := rune(rest[4*k]) | rune(rest[4*k+1])<<8; r != 0 {
					s.WriteRune(r)
				}
			}
			out = append(out, s.String())
		}
		return out
	}
	a, err := npy.Read(strings.NewReader(string(data)))
	require.NoError(t, err)
	for _, v := range a.Float64s() {
		out = append(out, strconv.FormatFloat(v, 'f', -1, 64))
	}
	return out
}

func (g *golden) array(t *testing.T, name string) ([]float64, bool) {
	f, err := os.Open(filepath.Join(g.dir, name+".npy"))
	if os.IsNotExist(err) {
		return nil, false
	}
	require.NoError(t, err)
	defer f.Close()
	a, err := npy.Read(f)
	require.NoError(t, err)
	return a.Float64s(), true
}

// rows reads rows.npy, or rows.csv with text for categories.
func (g *golden) rows(t *testing.T, e *ir.Ensemble) []float64 {
	if x, ok := g.array(t, "rows"); ok {
		return x
	}
	f, err := os.Open(filepath.Join(g.dir, "rows.csv"))
	require.NoError(t, err)
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	var x []float64
	for _, record := range records[1:] {
		for j := range e.Features {
			ft := &e.Features[j]
			cell := record[slices.Index(records[0], ft.Name)]
			v := math.NaN()
			switch {
			case cell == "":
			case ft.Type == ir.Categorical:
				v = float64(slices.Index(ft.Categories, cell))
				require.True(t, v >= 0 || ft.Open, "unknown %q of %s", cell, ft.Name)
			default:
				v, err = strconv.ParseFloat(cell, 64)
				require.NoError(t, err, fmt.Sprint(ft.Name))
			}
			x = append(x, v)
		}
	}
	return x
}
