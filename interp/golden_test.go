package interp_test

import (
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/npy"
	"hew/interp"
	"hew/ir"
	"hew/load"
)

// golden holds models of XGBoost 1.0 to 3.4 with what these versions answered.
const golden = "../testdata/golden-xgboost"

// A goldenCase is what case.json says about one model.
type goldenCase struct {
	dir           string
	Model         []string       `json:"model_files"`
	Arrays        map[string]any `json:"arrays"`
	Missing       *float32       `json:"missing_value"`
	BestIteration *int           `json:"best_iteration"`
	Labels        []string       `json:"labels"`
}

func TestGolden(t *testing.T) {
	cases := goldenCases(t)
	require.Len(t, cases, 151)
	compared := 0
	for _, c := range cases {
		t.Run(filepath.Base(c.dir), func(t *testing.T) {
			require.NotEmpty(t, c.Model)
			for _, model := range c.Model {
				t.Run(model, func(t *testing.T) {
					compared += c.check(t, filepath.Join(c.dir, model))
				})
			}
		})
	}
	t.Logf("%d values compared by bits", compared)
	require.Greater(t, compared, 1_000_000)
}

func goldenCases(t testing.TB) []goldenCase {
	files, err := filepath.Glob(filepath.Join(golden, "*", "case.json"))
	require.NoError(t, err)
	var cases []goldenCase
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		c := goldenCase{dir: filepath.Dir(file)}
		require.NoError(t, json.Unmarshal(b, &c))
		cases = append(cases, c)
	}
	return cases
}

// check compares all arrays of c but its input with what the model in file gives
// and returns the number of values. An array that it does not know fails.
func (c *goldenCase) check(t *testing.T, file string) int {
	e, err := load.File(file)
	require.NoError(t, err)
	require.NoError(t, e.Verify())
	rows := c.rows(t)
	n := len(rows) / len(e.Features)
	require.Equal(t, []int{n, len(e.Features)}, c.read(t, "rows.npy").Shape)

	entries, err := os.ReadDir(c.dir)
	require.NoError(t, err)
	compared := 0
	for _, entry := range entries {
		name := entry.Name()
		if filepath.Ext(name) != ".npy" || name == "rows.npy" || name == "base_margin.npy" {
			continue
		}
		switch {
		case name == "leaf.npy":
			compared += c.checkLeaves(t, e, rows, n)
		case name == "label.npy":
			compared += c.checkLabels(t, e, rows, n)
		default:
			want := c.read(t, name).Float32s()
			require.NotEmpty(t, want)
			requireBits(t, want, c.answer(t, e, rows, n, name), name)
			compared += len(want)
		}
	}
	c.checkPerTree(t, e, rows, n)
	return compared
}

// answer returns what the engine gives for the array with the given name.
func (c *goldenCase) answer(t *testing.T, e *ir.Ensemble, rows []float32, n int, name string) []float32 {
	var a, b int
	if _, err := fmt.Sscanf(name, "margin_%d_%d.npy", &a, &b); err == nil {
		e, err = e.Slice(a, b)
		require.NoError(t, err)
		return c.margins(t, e, rows, n)
	}
	switch name {
	case "margin.npy":
		return c.margins(t, e, rows, n)
	case "predict.npy":
		got := make([]float32, n*e.Link.Width(e.Outputs))
		interp.New(e).Transform(got, c.margins(t, e, rows, n))
		if c.Arrays["base_margin.npy"] == nil {
			direct := make([]float32, len(got))
			interp.New(e).Predict(direct, rows)
			requireBits(t, got, direct)
		}
		return got
	case "proba.npy":
		return c.probabilities(t, e, rows, n)
	}
	require.Fail(t, "array without a rule", name)
	return nil
}

func (c *goldenCase) margins(t *testing.T, e *ir.Ensemble, rows []float32, n int) []float32 {
	got := make([]float32, n*e.Outputs)
	m := interp.New(e)
	if c.Arrays["base_margin.npy"] != nil {
		base := c.read(t, "base_margin.npy").Float32s()
		require.Len(t, base, len(got))
		m.MarginFrom(got, rows, base)
	} else {
		m.Margin(got, rows)
	}
	return got
}

// best returns the rounds that the scikit-learn wrapper uses.
func (c *goldenCase) best(t *testing.T, e *ir.Ensemble) *ir.Ensemble {
	if c.BestIteration == nil {
		return e
	}
	require.Equal(t, *c.BestIteration, e.BestRound)
	e, err := e.Slice(0, e.BestRound+1)
	require.NoError(t, err)
	return e
}

// probabilities returns rows × classes values, of two classes if there is one
// output.
func (c *goldenCase) probabilities(t *testing.T, e *ir.Ensemble, rows []float32, n int) []float32 {
	got := make([]float32, n*e.Outputs)
	interp.New(c.best(t, e)).Predict(got, rows)
	if e.Outputs > 1 {
		return got
	}
	var both []float32
	for _, p := range got {
		both = append(both, 1-p, p)
	}
	return both
}

func (c *goldenCase) checkLeaves(t *testing.T, e *ir.Ensemble, rows []float32, n int) int {
	got := make([]int32, n*len(e.Trees))
	interp.New(e).Leaf(got, rows)
	require.Equal(t, c.read(t, "leaf.npy").Int32s(), got)
	return len(got)
}

// checkLabels compares class numbers or, where the wrapper gives text, the texts
// that the model file holds for them.
func (c *goldenCase) checkLabels(t *testing.T, e *ir.Ensemble, rows []float32, n int) int {
	got := make([]int32, n)
	interp.New(c.best(t, e)).Label(got, rows)
	if texts := c.readTexts(t, "label.npy"); texts != nil {
		require.Equal(t, c.Labels, e.Classes)
		require.Len(t, texts, n)
		for i := range texts {
			require.Equal(t, texts[i], e.Classes[got[i]])
		}
		return n
	}
	require.Equal(t, c.read(t, "label.npy").Int32s(), got)
	return n
}

// checkPerTree checks that the values of the trees add up to the margin.
func (c *goldenCase) checkPerTree(t *testing.T, e *ir.Ensemble, rows []float32, n int) {
	if e.Linear != nil {
		return
	}
	m := interp.New(e)
	w := m.PerTreeWidth()
	values := make([]float32, n*w)
	m.PerTree(values, rows)
	want, got := margins(e, rows...), make([]float32, 0, n*e.Outputs)
	for i := range n {
		sum := make([]float32, e.Outputs)
		if !e.BaseLast {
			for k := range sum {
				sum[k] = float32(e.BaseMargin[k])
			}
		}
		at := i * w
		for j := range e.Trees {
			if e.Trees[j].Vectors == nil {
				sum[e.Trees[j].Output] += values[at]
				at++
				continue
			}
			for k := range sum {
				sum[k] += values[at]
				at++
			}
		}
		if e.BaseLast {
			for k := range sum {
				sum[k] += float32(e.BaseMargin[k])
			}
		}
		got = append(got, sum...)
	}
	requireBits(t, want, got)
}

func (c *goldenCase) read(t testing.TB, name string) *npy.Array {
	f, err := os.Open(filepath.Join(c.dir, name))
	require.NoError(t, err)
	defer f.Close()
	a, err := npy.Read(f)
	require.NoError(t, err, name)
	return a
}

// rows returns the input, float64 rounded to float32 and a missing value of the
// case as NaN.
func (c *goldenCase) rows(t testing.TB) []float32 {
	x := c.read(t, "rows.npy").Float32s()
	for i := range x {
		if c.Missing != nil && x[i] == *c.Missing {
			x[i] = nan
		}
	}
	return x
}

// readTexts returns the elements of an array of text, and nil if it is none.
// NumPy stores each as UTF-32 of a fixed width.
func (c *goldenCase) readTexts(t *testing.T, name string) []string {
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	require.NoError(t, err)
	var width int
	if _, err := fmt.Sscanf(string(b[10:]), "{'descr': '<U%d'", &width); err != nil {
		return nil
	}
	b = b[10+int(binary.LittleEndian.Uint16(b[8:])):]
	var texts []string
	for ; len(b) > 0; b = b[4*width:] {
		var runes []rune
		for i := range width {
			if r := binary.LittleEndian.Uint32(b[4*i:]); r != 0 {
				runes = append(runes, rune(r))
			}
		}
		texts = append(texts, string(runes))
	}
	return texts
}

// shifted is a case whose file has wrong category names: XGBoost 3.2 counts the
// offsets of names that are not ASCII in characters and means bytes. A loader
// knows only codes then and says so.
const shifted = "xgboost-3.2-categorical-pandas-utf8"

// TestGoldenCategories codes rows.csv with the categories of the model, where it
// has some, and wants the codes that the trainer used.
func TestGoldenCategories(t *testing.T) {
	coded := 0
	for _, c := range goldenCases(t) {
		f, err := os.Open(filepath.Join(c.dir, "rows.csv"))
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		records, err := csv.NewReader(f).ReadAll()
		require.NoError(t, err)
		require.NoError(t, f.Close())
		t.Run(filepath.Base(c.dir), func(t *testing.T) {
			e, err := load.File(filepath.Join(c.dir, c.Model[0]))
			require.NoError(t, err)
			if filepath.Base(c.dir) == shifted {
				soil := slices.Index(records[0], "Soil_Type")
				require.Nil(t, e.Features[soil].Categories)
				require.NotEmpty(t, e.Source.Warnings)
				return
			}
			var got []float32
			for _, record := range records[1:] {
				for j, text := range record {
					got = append(got, code(t, &e.Features[j], text))
				}
			}
			requireBits(t, c.read(t, "rows.npy").Float32s(), got)
		})
		coded++
	}
	require.Equal(t, 21, coded)
}

func code(t *testing.T, f *ir.Feature, text string) float32 {
	if text == "" {
		return nan
	}
	if f.Categories != nil {
		i := slices.Index(f.Categories, text)
		require.GreaterOrEqual(t, i, 0, "%s: category %q", f.Name, text)
		return float32(i)
	}
	v, err := strconv.ParseFloat(text, 32)
	if err != nil {
		require.ErrorIs(t, err, strconv.ErrRange, text)
	}
	return float32(v)
}

// BenchmarkGolden scores one row at a time of a model of 500 trees of depth 6.
func BenchmarkGolden(b *testing.B) {
	c := goldenCase{dir: filepath.Join(golden, "xgboost-3.2-realistic-binary-higgs-500x6")}
	e, err := load.File(filepath.Join(c.dir, "model.ubj"))
	require.NoError(b, err)
	m, x := interp.New(e), c.rows(b)
	n := len(x) / len(e.Features)
	out := make([]float32, n)
	b.ReportAllocs()
	for b.Loop() {
		m.Predict(out, x)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/row")
	require.False(b, math.IsNaN(float64(out[0])))
}
