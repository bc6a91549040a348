package sklearn

import (
	"archive/zip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/interp"
	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
	"hew/predict"
)

// A transformCase is a transformer, and what it made of rows; see
// testdata/make_transforms.py.
type transformCase struct {
	Name   string
	Single bool        // rows are float32
	Text   []bool      // which features are texts
	Rows   [][]*string // numbers as text; nil is a missing text
	Out    [][]string  // what the transformer gave, nil for what it refused
	Names  []string    // of the columns that it makes; nil if it does not know
	Dtypes []string    // of these
	At     [2]int      // where in the models, and how long

	model []byte
}

func transformCases(t *testing.T, path string) (all []transformCase) {
	z, err := zip.OpenReader(path)
	require.NoError(t, err)
	defer z.Close()
	read := func(name string) []byte {
		f, err := z.Open(name)
		require.NoError(t, err)
		data, err := io.ReadAll(f)
		require.NoError(t, err)
		return data
	}
	require.NoError(t, json.Unmarshal(read("cases.json"), &all))
	models := read("models")
	for i := range all {
		all[i].model = models[all[i].At[0]:][:all[i].At[1]]
	}
	return all
}

// Transformers give scikit-learn's numbers by bits, name their columns as it does,
// and refuse what it refuses.
func TestTransformers(t *testing.T) {
	dir := os.Getenv("HEW_TRANSFORMS")
	if dir == "" {
		dir = "testdata"
	}
	archives, err := filepath.Glob(filepath.Join(dir, "transforms-*.zip"))
	require.NoError(t, err)
	require.NotEmpty(t, archives)
	for _, path := range archives {
		for _, c := range transformCases(t, path) {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".zip")+"/"+c.Name, c.check)
		}
	}
}

func (c *transformCase) check(t *testing.T) {
	v, _, err := open(c.model, "")
	require.NoError(t, err)
	o := v.(*record.Object)
	_, names, err := inputs(o, maxDepth)
	if err != nil {
		require.Equal(t, "FunctionTransformer", o.Class.Name) // of 1.0
	}
	r := &reader{model: newModel(len(c.Text), names, c.Single), version: versionOf(o, 0)}
	out, err := r.transform(o, r.raw())
	if c.Single && err != nil {
		require.ErrorContains(t, err, "of float32 rows is not supported; read the model with float64 rows")
		require.NotZero(t, c.bound())
		return
	}
	require.NoError(t, err)
	r.look(out)
	r.settle()
	c.checkColumns(t, out)
	features := schema(r.e)
	for i, row := range c.Rows {
		x, reason := c.values(r.e, features, row)
		switch {
		case c.Out[i] == nil:
			if reason == "" && !c.unforeseen(out, x) {
				t.Errorf("row %d: scikit-learn refuses %v", i, texts(row))
			}
			continue
		case reason != "":
			t.Errorf("row %d: scikit-learn takes %v; %s", i, texts(row), reason)
			continue
		}
		for k := range out {
			want, err := strconv.ParseFloat(c.Out[i][k], 64)
			require.NoError(t, err)
			if got := interp.Column(&out[k].Column, x); !alike(got, want, c.bound()) {
				t.Errorf("row %d: column %d of %v is %v, want %v (%d ulp)", i, k, texts(row), got, want, distance(got, want))
			}
		}
		if t.Failed() && os.Getenv("HEW_TRANSFORMS") == "" {
			return
		}
	}
}

func (c *transformCase) checkColumns(t *testing.T, out []column) {
	if len(c.Dtypes) == 0 { // scikit-learn refuses all rows
		return
	}
	require.Len(t, out, len(c.Dtypes))
	for k, d := range c.Dtypes {
		if c.Names != nil {
			require.Equal(t, c.Names[k], out[k].name)
		}
		if d == "float32" || d == "float64" {
			require.Equal(t, d == "float32", out[k].single, "column %d is %s", k, d)
		}
	}
}

func texts(row []*string) []string {
	out := make([]string, len(row))
	for j, v := range row {
		if v != nil {
			out[j] = *v
		}
	}
	return out
}

// schema returns the features as engines tell them.
func schema(e *ir.Ensemble) []predict.Feature {
	out := make([]predict.Feature, len(e.Features))
	for j, f := range e.Features {
		out[j] = predict.Feature{Open: f.Open, Categories: f.Categories, Accepts: f.Accepts,
			RefusesMissing: f.Refuses&ir.Missing != 0, RefusesInfinite: f.Refuses&ir.Infinite != 0, RefusesTooLarge: f.Refuses&ir.TooLarge != 0, RefusesNoCode: f.Refuses&ir.NoCode != 0}
	}
	return out
}

// values returns the numbers of a row, or why it is refused.
func (c *transformCase) values(e *ir.Ensemble, features []predict.Feature, row []*string) (x []float64, reason string) {
	for j, cell := range row {
		v := math.NaN()
		switch {
		case cell == nil:
		case e.Features[j].Type == ir.Categorical:
			if v = float64(slices.Index(features[j].Categories, *cell)); v < 0 && !features[j].Open {
				return nil, "unknown text " + *cell
			}
		case c.Text[j]:
			return nil, "texts are not looked at"
		default:
			v, _ = strconv.ParseFloat(*cell, 64)
		}
		if why := features[j].Refused(v); why != "" {
			return nil, fmt.Sprintf("%s: %s", e.Features[j].Name, why)
		}
		x = append(x, v)
	}
	return x, ""
}

// bound is how far a result of NumPy's functions may be away, relative to it or, if it
// is less than 1, to that. The files are of a CPU with AVX-512, for which NumPy has
// functions of its own. Without it log, log1p, log2, exp, expm1 and the Yeo-Johnson
// transform are equal by bits.
func (c *transformCase) bound() float64 {
	switch name, _, _ := strings.Cut(c.Name, ", float32"); {
	case strings.HasPrefix(name, "PowerTransformer"):
		return 1e-14
	case strings.HasPrefix(name, "QuantileTransformer"):
		return math.SmallestNonzeroFloat64 // float32 is not supported, float64 exact
	}
	for _, f := range []string{"log", "log1p", "log2", "log10", "exp", "expm1", "cbrt", "tanh"} {
		if strings.HasPrefix(c.Name, "FunctionTransformer "+f) {
			return 5e-16
		}
	}
	return 0
}

// unforeseen reports whether a row is refused for what became of it on the way: hew
// looks at the values of rows only.
func (c *transformCase) unforeseen(out []column, x []float64) bool {
	for _, k := range out {
		v := x[k.Feature]
		for i := range k.Ops {
			v = interp.Apply(k.Ops[i:i+1], v)
			if math.IsInf(v, 0) {
				return true
			}
		}
	}
	return strings.Contains(c.Name, "box-cox") && slices.ContainsFunc(x, func(v float64) bool { return v <= 0 })
}

func alike(a, b, bound float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b || math.Abs(a-b) <= bound*max(1, math.Abs(b))
}

// distance returns how many floating-point numbers lie between two.
func distance(a, b float64) int64 {
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

// instance returns an object of a module of scikit-learn.
func instance(module, class string, pairs ...record.Value) *record.Object {
	d := &record.Dict{}
	for i := 0; i < len(pairs); i += 2 {
		d.Set(pairs[i], pairs[i+1])
	}
	return &record.Object{Class: record.Global{Module: "sklearn." + module, Name: class}, State: d}
}

func list(items ...record.Value) *record.List { return &record.List{Kind: "list", Items: items} }

// A small file cannot ask for much: columns and operations have a limit.
func TestBoundedTransformers(t *testing.T) {
	double := instance("pipeline", "FeatureUnion", "transformer_list", list(list("a", "passthrough"), list("b", "passthrough")))
	single := instance("pipeline", "FeatureUnion", "transformer_list", list(list("a", "passthrough")))
	scaler := instance("preprocessing._data", "MaxAbsScaler", "scale_", list(1.5))
	for want, all := range map[string][]*record.Object{
		"transformers make more than 1048576 columns":           slices.Repeat([]*record.Object{double}, 30),
		"transformers do more than 1000 operations on a column": slices.Repeat([]*record.Object{scaler}, 2000),
		"transformers make more columns than hew computes":      append(slices.Repeat([]*record.Object{double}, 18), slices.Repeat([]*record.Object{single}, 1000)...),
	} {
		steps := list()
		for _, step := range all {
			steps.Items = append(steps.Items, list("s", step))
		}
		r := &reader{model: newModel(1, nil, false), version: newest}
		_, err := r.transform(instance("pipeline", "Pipeline", "steps", steps), r.raw())
		require.ErrorIs(t, err, fault.ErrUnsupported)
		require.ErrorContains(t, err, want)
	}
}

// What hew does not read is refused with a reason.
func TestRefusedTransformers(t *testing.T) {
	sparse := instance("preprocessing._encoders", "OneHotEncoder", "handle_unknown", "ignore", "categories_", list(array(0, 1)), "sparse_output", true)
	for want, o := range map[string]*record.Object{
		"sklearn.decomposition._pca.PCA is not supported: it mixes columns":                     instance("decomposition._pca", "PCA"),
		"sklearn.preprocessing._data.Normalizer is not supported: it mixes columns":             instance("preprocessing._data", "Normalizer"),
		"sklearn.preprocessing._label.LabelBinarizer is not supported: it is for targets":       instance("preprocessing._label", "LabelBinarizer"),
		"sklearn.feature_extraction.text.TfidfVectorizer is not supported: it reads words":      instance("feature_extraction.text", "TfidfVectorizer"),
		"sklearn.preprocessing._data.Other is not a transformer that hew knows":                 instance("preprocessing._data", "Other"),
		"FunctionTransformer of scipy.special.expit; hew knows NumPy's":                         instance("preprocessing._function_transformer", "FunctionTransformer", "func", &record.Global{Module: "scipy.special", Name: "expit"}),
		"OneHotEncoder with handle_unknown=\"error\" after other transformers is not supported": instance("pipeline", "Pipeline", "steps", list(list("a", instance("preprocessing._data", "MaxAbsScaler", "scale_", list(1.5))), list("b", instance("preprocessing._encoders", "OneHotEncoder", "handle_unknown", "error", "categories_", list(array(0, 1)))))),
		"QuantileTransformer of a sparse matrix is not supported":                               instance("pipeline", "Pipeline", "steps", list(list("a", sparse), list("b", instance("preprocessing._data", "QuantileTransformer")))),
		"StandardScaler was fitted to 2 columns and is given 1":                                 instance("preprocessing._data", "StandardScaler", "n_features_in_", int64(2)),
		"ColumnTransformer: transformers_: n: there is no column \"b\"":                         instance("compose._column_transformer", "ColumnTransformer", "transformers_", list(list("n", "passthrough", list("b")))),
		"ColumnTransformer: transformers_: item 0 is not a triple":                              instance("compose._column_transformer", "ColumnTransformer", "transformers_", list("n")),
		"KBinsDiscretizer: bin_edges_: entry 0 does not ascend":                                 instance("preprocessing._discretization", "KBinsDiscretizer", "bin_edges_", list(array(1, 0)), "n_bins_", list(int64(1))),
		"OrdinalEncoder: categories_: has no entry 0":                                           instance("preprocessing._encoders", "OrdinalEncoder", "handle_unknown", "error", "categories_", list()),
		"SelectKBest chooses of 2 columns and is given 1":                                       instance("feature_selection._univariate_selection", "SelectKBest", "k", int64(1), "scores_", list(1.0, 2.0)),
	} {
		r := &reader{model: newModel(1, nil, false), version: newest}
		_, err := r.transform(o, r.raw())
		require.ErrorContains(t, err, want)
	}
}

// array returns an array of float64 numbers.
func array(values ...float64) *record.Array {
	a := &record.Array{DType: &record.DType{Kind: 'f', Size: 8}, Shape: []int{len(values)}}
	for _, v := range values {
		a.Data = binary.LittleEndian.AppendUint64(a.Data, math.Float64bits(v))
	}
	return a
}

// smallest finds edges by bisection, over the numbers in their order.
func TestSmallest(t *testing.T) {
	for _, edge := range []float64{0, 1, -1, 0.1, -2.5, 1e300, -1e300, 5e-324, -5e-324, math.Inf(1), math.Inf(-1)} {
		require.Equal(t, edge, smallest(false, func(x float64) bool { return x >= edge }))
		single := float64(float32(edge))
		require.Equal(t, single, smallest(true, func(x float64) bool { return x >= single }))
	}
}

func TestPythonNumber(t *testing.T) {
	for want, v := range map[string]float64{"1.0": 1, "-0.5": -0.5, "1234567.0": 1234567, "1e+16": 1e16, "9999999999999998.0": 9999999999999998,
		"0.0001": 1e-4, "1e-05": 1e-5, "2.5e-10": 2.5e-10, "inf": math.Inf(1), "-inf": math.Inf(-1), "nan": math.NaN(), "0.0": 0} {
		require.Equal(t, want, pythonFloat(v))
	}
	require.Equal(t, "0.1", pythonNumber(float64(float32(0.1)), 32))
}
