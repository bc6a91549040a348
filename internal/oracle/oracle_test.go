//go:build oracle

// Package oracle_test asks XGBoost itself.
//
// XGBoost trains random models of all kinds; hew makes rows around their
// thresholds; XGBoost scores the rows; and the reference evaluator and the
// generated code must give XGBoost's bits. It shows that the recorded golden
// cases are not all that hew gets right. It needs Python 3.11 or later with pip,
// and the first time a package index:
//
//	go test -tags oracle ./internal/oracle -v
//
// A model that fails is reported with its recipe; its files are kept.
package oracle_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/bench/worker"
	"hew/build"
	"hew/compile"
	"hew/internal/nodiff"
	"hew/internal/npy"
	"hew/internal/oracle/python"
	"hew/interp"
	"hew/ir"
	"hew/load"
	"hew/predict"
)

var (
	models   = flag.Int("models", 300, "number of random models")
	seed     = flag.Uint64("seed", 1, "of the random models and rows")
	pythonAt = flag.String("python", "", "a Python that has another XGBoost, to ask in place of the pinned one")
)

func TestOracle(t *testing.T) {
	exe := *pythonAt
	if exe == "" {
		exe = python.Environment(t, "requirements.txt")
	}
	dir := python.WorkDir(t)
	python.Run(t, exe, "-I", "train.py", dir, strconv.Itoa(*models), strconv.FormatUint(*seed, 10))
	trainer, all := readModels(t, dir)
	t.Run("load", func(t *testing.T) {
		for _, m := range all {
			t.Run(m.name, m.prepare)
		}
	})
	python.Run(t, exe, "-I", "answer.py", dir)

	all = slices.DeleteFunc(all, func(m *model) bool { return m.e == nil }) // refused
	t.Run("interp", func(t *testing.T) {
		for _, m := range all {
			t.Run(m.name, m.checkReference)
		}
	})
	t.Run("compiled", func(t *testing.T) { checkCompiled(t, dir, all) })
	report(t, trainer, all)
}

// A trainer is an XGBoost.
type trainer struct {
	Version string
	CUDA    bool // built with it
}

func (x trainer) String() string {
	if x.CUDA {
		return x.Version
	}
	return x.Version + " without CUDA"
}

// A model is one that XGBoost trained. Its files are those of train.py and
// answer.py.
type model struct {
	Recipe json.RawMessage // what it was made of
	Names  []string        // of its features; nil if it was given none
	Part   [2]int          // rounds to score apart

	// Diverged says that training ended in leaves or weights that are NaN. XGBoost
	// saves such a model; hew may refuse it.
	Diverged bool

	name, prefix string
	trainer      trainer

	e        *ir.Ensemble
	x, base  []float32
	rows     int
	compared int // values
	nearly   int // of them one ulp apart
}

func readModels(t *testing.T, dir string) (trainer, []*model) {
	data, err := os.ReadFile(filepath.Join(dir, "models.json"))
	require.NoError(t, err)
	var told struct {
		trainer
		Models []*model
	}
	require.NoError(t, json.Unmarshal(data, &told))
	require.Len(t, told.Models, *models)
	for i, m := range told.Models {
		m.name = fmt.Sprintf("m%03d", i)
		m.prefix = filepath.Join(dir, strconv.Itoa(i))
		m.trainer = told.trainer
	}
	return told.trainer, told.Models
}

const numRows = 1000

// prepare loads the model and writes rows for it.
func (m *model) prepare(t *testing.T) {
	e, err := load.File(m.prefix + ".ubj")
	if m.Diverged && err != nil {
		require.ErrorContains(t, err, "NaN")
		return
	}
	require.NoError(t, err, "%s", m.Recipe)
	other, err := load.File(m.prefix + ".json")
	require.NoError(t, err, "%s", m.Recipe)
	require.NoError(t, e.Verify())
	source := e.Source
	e.Source, other.Source = ir.Source{}, ir.Source{}
	require.True(t, reflect.DeepEqual(e, other), "the UBJSON and the JSON form differ: %s", m.Recipe)
	e.Source = source
	for j, name := range m.Names {
		require.Equal(t, name, e.Features[j].Name)
	}

	m.e, m.rows = e, numRows
	m.x = oneInfinity(nodiff.Rows(e, m.rows, *seed).F32, len(e.Features))
	m.base = baseMargins(m.rows*e.Outputs, *seed)
	m.write(t, "rows", m.x)
	m.write(t, "base", m.base)
}

func (m *model) write(t *testing.T, what string, values []float32) {
	f, err := os.Create(m.prefix + "." + what + ".npy")
	require.NoError(t, err)
	require.NoError(t, npy.Write(f, []int{m.rows, len(values) / m.rows}, values))
	require.NoError(t, f.Close())
}

// answered reports whether XGBoost gave such an answer.
func (m *model) answered(what string) bool {
	_, err := os.Stat(m.prefix + "." + what + ".npy")
	return err == nil
}

// require compares values with XGBoost's answer.
func (m *model) require(t *testing.T, what string, got []float32) {
	t.Helper()
	f, err := os.Open(m.prefix + "." + what + ".npy")
	require.NoError(t, err)
	defer f.Close()
	want, err := npy.Read(f)
	require.NoError(t, err)
	part, err := nodiff.CompareValues(predict.ValuesOf(got), predict.ValuesOf(want.Float32s()), m.rows)
	require.NoError(t, err, "%s of %s", what, m.Recipe)
	m.compared += part.Compared
	m.nearly += part.Compared - part.Equal
	if part.MaxULP > m.slack(what) {
		row := m.x[part.First.Row*len(m.e.Features):][:len(m.e.Features)]
		t.Errorf("%s: %v\nrow: %v\nmodel: %s", what, part, row, m.Recipe)
	}
}

// slack returns the distance at which an answer is as good as equal.
//
// XGBoost's builds disagree on survival:aft: its exp (src/objective/aft_obj.cu) is
// that of float32 where nvcc compiled it, as in the package xgboost, and that of
// float64 where a C++ compiler did, as in xgboost-cpu. A model file does not tell;
// hew has that of float32.
func (m *model) slack(what string) uint64 {
	if m.e.Source.Objective == "survival:aft" && strings.HasPrefix(what, "predict") && !m.trainer.CUDA {
		return 1
	}
	return 0
}

// checkReference compares all that the reference evaluator can be asked.
func (m *model) checkReference(t *testing.T) {
	m.checkPredictor(t, compile.Interp(m.e, m.name))
	engine := interp.New(m.e)
	margin := make([]float32, m.rows*m.e.Outputs)
	if m.answered("margin-inplace") {
		engine.Margin(margin, m.x)
		m.require(t, "margin-inplace", margin)
	}
	engine.MarginFrom(margin, m.x, m.base)
	m.require(t, "margin-from-base", margin)
	predicted := make([]float32, m.rows*m.e.Link.Width(m.e.Outputs))
	engine.Transform(predicted, margin)
	m.require(t, "predict-from-base", predicted)
	if len(m.e.Trees) > 0 {
		part, err := m.e.Slice(m.Part[0], m.Part[1])
		require.NoError(t, err)
		interp.New(part).Margin(margin, m.x)
		m.require(t, "margin-of-part", margin)
	}
}

// checkPredictor compares what any predictor can be asked.
func (m *model) checkPredictor(t *testing.T, p predict.Predictor) {
	x := predict.ValuesOf(m.x)
	margin := make([]float32, m.rows*p.NumMargins)
	p.Margin(predict.ValuesOf(margin), x)
	m.require(t, "margin", margin)
	predicted := make([]float32, m.rows*p.NumOutputs)
	p.Predict(predict.ValuesOf(predicted), x)
	m.require(t, "predict", predicted)
	if len(m.e.Trees) > 0 {
		leaf := make([]int32, m.rows*p.NumTrees)
		p.Leaf(leaf, x)
		numbers := make([]float32, len(leaf)) // as XGBoost returns them
		for i, n := range leaf {
			numbers[i] = float32(n)
		}
		m.require(t, "leaf", numbers)
	}
}

// checkCompiled generates a package of each model, in each strategy by turns, builds
// one program of them and compares what it says: all rows in a batch with XGBoost's answers, batches
// of other sizes with the reference evaluator.
func checkCompiled(t *testing.T, dir string, all []*model) {
	var packages []build.Model
	for i, m := range all {
		strategies := compile.Strategies(m.e)
		files, _, err := compile.Package(m.e, compile.Options{Package: m.name, Strategy: strategies[i%len(strategies)]})
		require.NoError(t, err, "%s", m.Recipe)
		packages = append(packages, build.Model{Package: m.name, Files: files, Info: compile.Info(m.e, m.name)})
	}
	project, err := build.NewProject("oracle", build.Worker, packages)
	require.NoError(t, err)
	src, exe := filepath.Join(dir, "src"), filepath.Join(dir, "worker")
	require.NoError(t, project.Write(src))
	_, err = build.Compile(t.Context(), src, exe, build.Target{})
	require.NoError(t, err)
	w, err := worker.Start(exe)
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	for i, m := range all {
		t.Run(m.name, func(t *testing.T) {
			require.NoError(t, w.Use(i, func(p predict.Predictor) {
				m.checkPredictor(t, p)
				diff := nodiff.Compare(interp.New(m.e), p, predict.ValuesOf(m.x))
				require.True(t, diff.OK(), "%v\nmodel: %s", diff, m.Recipe)
			}))
		})
	}
}

// report logs how much was compared, and fails if a kind of model was not among
// it.
func report(t *testing.T, x trainer, all []*model) {
	kinds := map[string]int{}
	rows, trees, values, nearly := 0, 0, 0, 0
	for _, m := range all {
		rows += m.rows
		trees += len(m.e.Trees)
		values += m.compared
		nearly += m.nearly
		for _, k := range m.kinds(t) {
			kinds[k]++
		}
	}
	t.Logf("XGBoost %s, seed %d: %d models, %d trees, %d rows, %d values compared by bits, %d of them within the slack", x, *seed, len(all), trees, rows, values, nearly)
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		t.Logf("%5d %s", kinds[k], k)
	}
	if *models >= 200 && *pythonAt == "" { // old versions do not have all of them
		for _, k := range []string{"gbtree", "dart", "gblinear", "vector leaves", "several outputs", "category sets", "no trees"} {
			require.NotZero(t, kinds[k], k)
		}
	}
}

func (m *model) kinds(t *testing.T) []string {
	var recipe struct{ Objective, Booster string }
	require.NoError(t, json.Unmarshal(m.Recipe, &recipe))
	kinds := []string{recipe.Objective, recipe.Booster}
	for kind, is := range map[string]bool{
		"several outputs": m.e.Outputs > 1,
		"vector leaves":   len(m.e.Trees) > 0 && m.e.Trees[0].Vectors != nil,
		"category sets":   len(m.e.Sets) > 0,
		"no trees":        len(m.e.Trees) == 0 && m.e.Linear == nil,
	} {
		if is {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}
