// Package compile runs the passes that turn an ensemble into source files, and
// reports what each did.
//
// The pass table in passes.go is the pipeline. The driver runs a copy of the
// ensemble through it, verifies the form after each pass and hands the result to
// package codegen, together with rows that the generated test replays: their
// expected values come from the reference evaluator and the ensemble as it was
// loaded, so that the test of a generated package covers the passes too.
package compile

import (
	"fmt"

	"hew/codegen"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
)

// Package returns the files of a Go package that predicts as e does. It leaves e
// as it is.
func Package(e *ir.Ensemble, o Options) ([]codegen.File, *Report, error) {
	if err := o.check(); err != nil {
		return nil, nil, err
	}
	p := e.Clone()
	r, err := run(p, passes, o)
	if err != nil {
		return nil, nil, err
	}
	c, err := choose(p, o.Strategy, o.MaxMemory)
	if err != nil {
		return nil, nil, fmt.Errorf("strategy %s: %w; use branch or auto", o.Strategy, err)
	}
	g := codegen.Options{
		Package:   o.Package,
		Version:   o.Version,
		Passes:    r.Passes(),
		Exact:     r.Exact,
		MaxMemory: o.MaxMemory,
		Golden:    goldenRows(e),
	}
	if r.merged {
		g.Leaves = e
	}
	memory := c.memory(p, g)
	if o.MaxMemory > 0 && memory > o.MaxMemory {
		return nil, nil, fmt.Errorf("strategy %s: compiling %d trees of %d nodes takes about %s of memory, more than the %s allowed; raise the limit",
			c.strategy, r.After.Trees, r.After.Nodes, FormatBytes(memory), FormatBytes(o.MaxMemory))
	}
	files, err := c.print(p, g)
	if err != nil {
		return nil, nil, err
	}
	r.Strategy, r.Source.CompileMemory = c.strategy, memory
	r.Source.Files = len(files)
	for _, f := range files {
		r.Source.Bytes += int64(len(f.Data))
	}
	return files, r, nil
}

const (
	maxGoldenRows   = 64
	maxGoldenValues = 24_000 // of 4 bytes each: the file of golden rows stays below 100 kB
	goldenSeed      = 1
)

// goldenRows returns the rows that the generated test replays: at least one, and
// fewer for an ensemble with many features or trees.
func goldenRows(e *ir.Ensemble) codegen.Golden {
	width := e.Link.Width(e.Outputs)
	n := maxGoldenValues / (len(e.Features) + e.Outputs + width + len(e.Trees))
	n = min(max(n, 1), maxGoldenRows)
	m := interp.New(e)
	g := codegen.Golden{
		X:       nodiff.Rows(e, n, goldenSeed),
		Margin:  make([]float32, n*e.Outputs),
		Predict: make([]float32, n*width),
		Leaf:    make([]int32, n*len(e.Trees)),
	}
	m.Margin(g.Margin, g.X)
	m.Predict(g.Predict, g.X)
	m.Leaf(g.Leaf, g.X)
	return g
}
