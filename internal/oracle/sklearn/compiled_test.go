//go:build oracle

package sklearn_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/bench/worker"
	"hew/build"
	"hew/compile"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/kernel"
	"hew/predict"
)

// compiledEvery is how many models there are for one that is compiled: the compiler
// takes longer than all the rest.
const compiledEvery = 5

// checkCompiled generates a package of some of the models, in each strategy by
// turns, builds one program of them and compares its answers with the reference
// evaluator's.
func checkCompiled(t *testing.T, all []*model) {
	var packages []build.Model
	var printed []*model
	for i, m := range all {
		if m.e == nil || i%compiledEvery != 0 {
			continue
		}
		strategies := compile.Strategies(m.e)
		strategy := strategies[i/compiledEvery%len(strategies)]
		files, _, err := compile.Package(m.e, compile.Options{Package: m.name, Strategy: strategy})
		if err != nil {
			t.Errorf("%s: %v\nmodel: %s", m.name, err, m.Model)
			continue
		}
		printed = append(printed, m)
		packages = append(packages, build.Model{Package: m.name, Files: files, Info: compile.Info(m.e, m.name)})
	}
	project, err := build.NewProject("oracle", build.Worker, packages)
	require.NoError(t, err)
	dir := t.TempDir()
	src, exe := filepath.Join(dir, "src"), filepath.Join(dir, "worker")
	require.NoError(t, project.Write(src))
	_, err = build.Compile(t.Context(), src, exe, build.Target{})
	require.NoError(t, err)
	w, err := worker.Start(exe)
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	for i, m := range printed {
		t.Run(m.name, func(t *testing.T) {
			require.NoError(t, w.Use(i, func(p predict.Predictor) { m.compareEngine(t, p) }))
		})
	}
}

// checkEngine compares the engine of this process with the reference evaluator.
func (m *model) checkEngine(t *testing.T) {
	p, err := compile.Predictor(m.e, m.name, "auto", kernel.ThisCPU())
	require.NoError(t, err)
	m.compareEngine(t, p)
}

func (m *model) compareEngine(t *testing.T, p predict.Predictor) {
	t.Helper()
	diff := nodiff.Compare(interp.New(m.e), p, m.values())
	require.True(t, diff.OK(), "%v\nmodel: %s", diff, m.Model)
}

// values returns the rows in the type of the model's inputs.
func (m *model) values() predict.Values {
	x := slices.Concat(m.rows...)
	v := predict.MakeValues(compile.Info(m.e, m.name).Input, len(x))
	for i, x := range x {
		v.Set(i, x)
	}
	return v
}
