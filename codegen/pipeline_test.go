package codegen_test

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/internal/nodiff"
	"hew/ir"
)

// Packages of every strategy for every pair of types, with columns and answers, pass
// vet and their own tests, which compare all answers with the reference evaluator's.
func TestPipelines(t *testing.T) {
	if testing.Short() {
		t.Skip("builds packages")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module pipelines\n\ngo 1.26\n"), 0o644))
	types := []ir.Precision{ir.Single, ir.Double}
	for seed := range uint64(24) {
		s := nodiff.Shape{Trees: 12, Depth: 5, Input: types[seed%2], Sum: types[seed/2%2], Columns: seed%3 > 0, Answers: seed%5 > 0}
		e := s.Ensemble(seed)
		o := compile.Options{Package: "sample", NoFold: seed/4%2 == 0}
		strategies := []string{"branch"}
		if s := map[uint64]string{2: "auto", 7: "simd", 8: "table", 17: "auto", 19: "auto"}[seed]; s != "" { // each pair, 7 with fold
			require.NotEmpty(t, e.Trees)
			strategies = append(strategies, s)
		}
		for _, o.Strategy = range strategies {
			files, _, err := compile.Package(e, o)
			require.NoError(t, err, "seed %d", seed)
			writeFiles(t, filepath.Join(dir, fmt.Sprint(o.Strategy, seed)), files)
		}
	}
	for name, e := range map[string]*ir.Ensemble{"many": manyColumns(), "bare": onlyStages(), "every": everyFunction()} {
		files, _, err := compile.Package(e, compile.Options{Package: "sample", NoFold: true, Strategy: "branch"})
		require.NoError(t, err, name)
		writeFiles(t, filepath.Join(dir, name), files)
	}
	for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
}

// manyColumns returns an ensemble whose columns are too many for the stack.
func manyColumns() *ir.Ensemble {
	e := doubles("(f2<0.5 1 (f1<-1 2 3))")
	for i := range 4200 {
		e.Columns = append(e.Columns, ir.Column{Feature: int32(i % 3)})
	}
	e.Columns[2].Ops = []ir.Op{{Code: ir.OpSub, A: 0.1}}
	return e
}

// onlyStages returns an ensemble that has neither trees nor a linear model, whose
// stages sum so many numbers that the order of NumPy's sums shows.
func onlyStages() *ir.Ensemble {
	const wide = 150
	e := doubles("(f2<0.5 1 2)")
	e.Trees, e.Rounds = nil, nil
	columns := []ir.Column{{Feature: 2, Ops: []ir.Op{{Code: ir.OpClip, A: -3, B: 3}}}, {Feature: 0, Ops: []ir.Op{{Code: ir.OpCall, A: float64(ir.FuncTanh)}}}}
	var weights []float64
	for i := range 3 * wide {
		weights = append(weights, math.Sin(float64(i)))
	}
	e.Post = []ir.Stage{
		{Code: ir.StageDerive, Columns: columns, Width: 2},
		{Code: ir.StageAffine, Args: []int32{1}, Weights: weights, Width: wide},
		{Code: ir.StageSoftmax, Args: []int32{2}, A: 1, Width: wide},
		{Code: ir.StageSoftmaxLog, Args: []int32{2}, A: 1, Width: wide},
		{Code: ir.StageSoftmaxLog, Args: []int32{2}, Width: wide},
		{Code: ir.StageNormalize, Args: []int32{2}, Width: wide},
	}
	for i := range e.Post {
		e.Answers = append(e.Answers, ir.Answer{Name: fmt.Sprintf("answer_%d", i), Vector: int32(i + 1)})
	}
	return e
}

// everyFunction returns an ensemble with each function of one number.
func everyFunction() *ir.Ensemble {
	e := doubles("(f2<0.5 1 2)")
	e.Trees, e.Rounds = nil, nil
	e.Linear = &ir.Linear{Bias: []float64{1}}
	add := func(o ir.Op) {
		e.Columns = append(e.Columns, ir.Column{Feature: int32(len(e.Columns) % 3), Ops: []ir.Op{o}})
		e.Linear.Weights = append(e.Linear.Weights, 0.1)
	}
	for f := ir.FuncLog; f <= ir.FuncTanh; f++ {
		add(ir.Op{Code: ir.OpCall, A: float64(f)})
	}
	for _, stable := range []float64{0, 1} {
		add(ir.Op{Code: ir.OpYeoJohnson, A: 0.3, B: stable})
	}
	add(ir.Op{Code: ir.OpBoxCox, A: 0.3})
	add(ir.Op{Code: ir.OpQuantile, A: 1, Keys: []float64{-1, 0, 0, 2}, Values: []float64{0, 0.3, 0.6, 1}})
	return e
}
