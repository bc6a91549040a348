//go:build oracle

// Package sklearn_test asks scikit-learn itself.
//
// scikit-learn trains random estimators of all families that hew reads, behind
// random preprocessing, and scores rows around the thresholds of their trees: raw
// values that were found by bisection through the fitted preprocessing. hew must
// read the same model from each container and give the same answers by bits: with
// the preprocessing as columns, folded into the trees, and compiled. A number behind
// a dot product, which BLAS adds in an order of its own, has a bound instead
// (pipelines/answers.py). It needs Python 3.11 or later with pip, and the first time
// a package index:
//
//	go test -tags oracle ./internal/oracle/sklearn -v
//
// A model that fails is reported as scikit-learn prints it; its files are kept.
package sklearn_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/fold"
	"hew/internal/oracle/python"
	"hew/interp"
	"hew/ir"
	"hew/load"
	"hew/load/sklearn"
)

var (
	models   = flag.Int("models", 225, "number of random models")
	seed     = flag.Uint64("seed", 1, "of the random models and rows")
	pythonAt = flag.String("python", "", "a Python that has another scikit-learn, to ask in place of the pinned one")
	kept     = flag.String("kept", "", "a directory that a failed run left, to compare again")
)

func TestOracle(t *testing.T) {
	dir := *kept
	if dir == "" {
		dir = makeModels(t)
	}
	version, all := readModels(t, dir)
	for i, m := range all {
		m.name = fmt.Sprintf("m%03d", i)
		t.Run(m.name, m.check)
	}
	t.Run("compiled", func(t *testing.T) { checkCompiled(t, all) })
	report(t, version, all)
}

// makeModels has scikit-learn train and answer, and returns the directory with all
// of it.
func makeModels(t *testing.T) string {
	exe := *pythonAt
	if exe == "" {
		exe = python.Environment(t, "requirements.txt")
	}
	dir := python.WorkDir(t)
	python.Run(t, exe, "-I", "-B", "pipelines", dir, strconv.Itoa(*models), strconv.FormatUint(*seed, 10))
	return dir
}

// A model is one that scikit-learn trained, as pipelines/__main__.py tells it.
type model struct {
	Model        string // as scikit-learn prints it
	Kinds        []string
	Answers      []string   // that scikit-learn gave, by hew's names
	Labels       [][]string // of classes, for each output; numbers and truth values as JSON
	Types        []string   // of labels: text, int, float or bool
	Float32      bool       // the rows are
	Texts        bool       // there are texts, and so rows are in a CSV file
	Bare         bool       // there is nothing before the estimator
	Pickle       string     // how it was pickled
	Joblib       string     // how it was compressed
	Skops        string     // why skops could not save it
	name, prefix string
	e            *ir.Ensemble // as it was read from the pickle
	unsupported  string       // why hew refuses it, by name
	rows         [][]float64
	counted      counts
}

// counts is what was compared.
type counts struct {
	values  int // by bits
	bounded int // within a bound, because they were not equal
	refused int // rows that scikit-learn refuses and hew refuses too
	lax     int // rows that scikit-learn refuses and hew answers
}

func (c *counts) add(d counts) {
	c.values += d.values
	c.bounded += d.bounded
	c.refused += d.refused
	c.lax += d.lax
}

func readModels(t *testing.T, dir string) (version string, all []*model) {
	data, err := os.ReadFile(filepath.Join(dir, "models.json"))
	require.NoError(t, err)
	var told struct {
		Version string
		Models  []*model
	}
	require.NoError(t, json.Unmarshal(data, &told))
	for i, m := range told.Models {
		m.prefix = filepath.Join(dir, strconv.Itoa(i))
	}
	return told.Version, told.Models
}

func (m *model) check(t *testing.T) {
	if m.e = m.load(t, ".pkl"); m.e == nil {
		return
	}
	pickled := encode(t, m.e)
	for _, container := range []string{".joblib", ".skops"} {
		if container == ".skops" && m.Skops != "" {
			continue
		}
		e := m.load(t, container)
		require.NotNil(t, e, "read from .pkl, but from %s %s: %s", container, m.unsupported, m.Model)
		if !bytes.Equal(pickled, encode(t, e)) {
			t.Errorf("the ensembles of .pkl (%s) and %s (%s) differ: %s", m.Pickle, container, m.Joblib, m.Model)
		}
	}
	rows, refused := m.read(t, "rows"), m.read(t, "refused")
	if m.e.Input == ir.Single {
		round(rows)
	}
	m.compare(t, "columns", m.e, rows)
	folded := m.e.Clone()
	require.NoError(t, fold.Fold(folded))
	require.NoError(t, folded.Verify())
	m.compare(t, "folded", folded, rows)
	m.checkEngine(t)
	m.checkRefusals(t, rows, refused)
}

// load reads the model from a container. It returns nil if hew refuses it by name.
func (m *model) load(t *testing.T, container string) *ir.Ensemble {
	t.Helper()
	data, err := os.ReadFile(m.prefix + container)
	require.NoError(t, err)
	e, err := sklearn.Read(data, filepath.Base(m.prefix)+container, sklearn.Options{Float32: m.Float32})
	if errors.Is(err, load.ErrUnsupported) {
		m.unsupported = err.Error()
		return nil
	}
	require.NoError(t, err, "%s", m.Model)
	require.NoError(t, e.Verify(), "%s", m.Model)
	return e
}

// encode returns the bytes that e is made of, except where it comes from.
func encode(t *testing.T, e *ir.Ensemble) []byte {
	e = e.Clone()
	e.Source = ir.Source{}
	var b bytes.Buffer
	require.NoError(t, gob.NewEncoder(&b).Encode(e))
	return b.Bytes()
}

// compare asks e about all rows and compares what it says with scikit-learn's
// answers.
func (m *model) compare(t *testing.T, what string, e *ir.Ensemble, rows [][]float64) {
	engine, x := interp.New(e), slices.Concat(rows...)
	if e.Input == ir.Single {
		for i, v := range x {
			x[i] = float64(float32(v))
		}
	}
	margins := make([]float64, len(rows)*e.Outputs)
	engine.Margin64(margins, x)
	var given []string
	if slices.Contains(m.Answers, "margin") { // of XGBoost's wrapper
		m.compareAnswer(t, what, "margin", margins)
		return
	}
	for i, a := range e.Answers {
		given = append(given, a.Name)
		got := make([]float64, len(rows)*e.VectorWidth(a.Vector))
		engine.Answer64(i, got, margins, x)
		m.compareAnswer(t, what, a.Name, got)
		m.checkLabels(t, a)
	}
	want := slices.DeleteFunc(slices.Clone(m.Answers), func(name string) bool { return name == "leaf" })
	require.ElementsMatch(t, want, given, "the answers of %s", m.Model)
	if slices.Contains(m.Answers, "leaf") {
		leaf := make([]int32, len(rows)*len(e.Trees))
		engine.Leaf64(leaf, x)
		got := make([]float64, len(leaf))
		for i, n := range leaf {
			got[i] = float64(n)
		}
		m.compareAnswer(t, what, "leaf", got)
	}
}

// compareAnswer compares values with scikit-learn's, by bits or within its bound.
func (m *model) compareAnswer(t *testing.T, what, name string, got []float64) {
	t.Helper()
	want, bounds := m.numbers(t, name), m.numbers(t, name+".bound")
	require.Len(t, got, len(want), "values of %s: %s", name, m.Model)
	width := len(want) / len(m.rows)
	wrong, shown := 0, ""
	for i, v := range got {
		m.counted.values++
		if same(v, want[i]) {
			continue
		}
		row := i / width
		if bounds != nil && within(v, want[i], bounds[row]) {
			m.counted.bounded++
			continue
		}
		if wrong++; shown == "" {
			shown = fmt.Sprintf("row %d, value %d: %v, want %v\nrow: %v", row, i%width, v, want[i], m.rows[row])
		}
	}
	if wrong > 0 {
		t.Errorf("%s, %s: %d of %d values differ; %s\nmodel: %s", what, name, wrong, len(got), shown, m.Model)
	}
}

// checkLabels compares the texts of labels.
func (m *model) checkLabels(t *testing.T, a ir.Answer) {
	if a.Name != "label" {
		require.Nil(t, a.Labels, a.Name)
		return
	}
	require.Len(t, a.Labels, len(m.Labels), "%s", m.Model)
	for k, l := range a.Labels {
		require.Equal(t, m.Types[k], l.Type.String(), "%s", m.Model)
		require.Len(t, l.Texts, len(m.Labels[k]), "%s", m.Model)
		for i, text := range l.Texts {
			require.Equal(t, canonical(m.Types[k], m.Labels[k][i]), canonical(m.Types[k], text), "%s", m.Model)
		}
	}
}

// canonical returns one text for all spellings of a label.
func canonical(kind, label string) string {
	switch kind {
	case "float":
		if v, err := strconv.ParseFloat(label, 64); err == nil {
			return fmt.Sprint(v)
		}
	case "bool":
		return strings.ToLower(label)
	}
	return label
}

// checkRefusals requires that hew takes every row that scikit-learn takes and, if
// nothing stands before the estimator, refuses those that scikit-learn does. Behind
// other steps scikit-learn may refuse what became of a value, which hew does not
// foresee.
func (m *model) checkRefusals(t *testing.T, rows, refused [][]float64) {
	for _, row := range rows {
		require.Empty(t, m.refusal(row), "scikit-learn takes %v: %s", row, m.Model)
	}
	for _, row := range refused {
		switch {
		case m.refusal(row) != "":
			m.counted.refused++
		case m.Bare:
			t.Errorf("scikit-learn refuses %v: %s", row, m.Model)
		default:
			m.counted.lax++
		}
	}
}

// report logs how much was compared, and fails if a kind of model was not among
// it or too many were refused.
func report(t *testing.T, version string, all []*model) {
	kinds := map[string]int{}
	var sum counts
	rows, trees, refused := 0, 0, 0
	for _, m := range all {
		if m.unsupported != "" {
			t.Logf("%s is not supported: %s", m.name, m.unsupported)
			refused++
			continue
		}
		rows += len(m.rows)
		sum.add(m.counted)
		if m.e != nil {
			trees += len(m.e.Trees)
		}
		for _, k := range append(m.Kinds, "pickle "+m.Pickle, "joblib "+m.Joblib) {
			kinds[k]++
		}
	}
	t.Logf("scikit-learn %s, seed %d: %d models, %d of them refused by name, %d trees, %d rows, %d values compared, %d of them equal within a bound and not by bits",
		version, *seed, len(all), refused, trees, rows, sum.values, sum.bounded)
	t.Logf("of the rows that scikit-learn refuses hew refuses %d and answers %d", sum.refused, sum.lax)
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		t.Logf("%5d %s", kinds[k], k)
	}
	require.LessOrEqual(t, refused*20, len(all), "refused models")
	if len(all) >= 200 && *pythonAt == "" && *kept == "" { // old versions do not have all of them
		for _, k := range wanted {
			require.NotZero(t, kinds[k], k)
		}
	}
}

// wanted are the kinds of models that must be among those that are compared.
var wanted = []string{
	"tree", "extra tree", "forest", "boosting", "hist", "adaboost", "isolation", "bagging", "voting", "stacking", "linear", "xgboost",
	"texts", "data frame", "float32 rows", "several outputs",
	"ColumnTransformer", "FeatureUnion", "SimpleImputer", "StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "OneHotEncoder",
	"OrdinalEncoder", "KBinsDiscretizer", "Binarizer", "PowerTransformer", "QuantileTransformer", "FunctionTransformer", "VarianceThreshold",
}
