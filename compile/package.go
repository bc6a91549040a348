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
	"slices"

	"hew/codegen"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/predict"
)

// Package returns the files of a Go package that predicts as e does. It leaves e
// as it is.
func Package(e *ir.Ensemble, o Options) ([]codegen.File, *Report, error) {
	if err := o.check(); err != nil {
		return nil, nil, err
	}
	p := e.Clone()
	r, err := run(p, o.passes(), o)
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
		Passes:    append(slices.Clone(e.Source.Changes), r.Passes()...),
		Exact:     r.Exact && e.Source.Changes == nil,
		MaxMemory: o.MaxMemory,
		Golden:    goldenRows(e),
	}
	if r.merged {
		g.Leaves = r.unmerged(e)
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
	r.Strategy, r.BranchRows, r.Source.CompileMemory = c.strategy, c.upTo(), memory
	r.Source.Files = len(files)
	for _, f := range files {
		r.Source.Bytes += int64(len(f.Data))
	}
	return files, r, nil
}

const (
	maxGoldenRows  = 64
	maxGoldenBytes = 96_000
	goldenSeed     = 1
)

// goldenRows returns the rows that the generated test replays: at least one, and
// fewer for an ensemble with many features or trees.
func goldenRows(e *ir.Ensemble) codegen.Golden {
	info := Info(e, "golden")
	widths := []int{info.NumOutputs}
	if len(info.Answers) > 0 {
		widths = widths[:0]
		for _, a := range info.Answers {
			widths = append(widths, a.Width)
		}
	}
	values := e.Outputs
	for _, w := range widths {
		values += w
	}
	n := maxGoldenBytes / (size(e.Input)*len(e.Features) + size(e.Sum)*values + 4*len(e.Trees))
	n = min(max(n, 1), maxGoldenRows)
	m := interp.New(e).Typed()
	g := codegen.Golden{
		X:      nodiff.Rows(e, n, goldenSeed),
		Margin: predict.MakeValues(info.Output, n*e.Outputs),
		Leaf:   make([]int32, n*len(e.Trees)),
	}
	m.Margin(g.Margin, g.X)
	for i, w := range widths {
		g.Answers = append(g.Answers, predict.MakeValues(info.Output, n*w))
		m.Answer(i, g.Answers[i], g.Margin, g.X)
	}
	m.Leaf(g.Leaf, g.X)
	return g
}

// size returns the bytes of a number of type p.
func size(p ir.Precision) int {
	if p == ir.Double {
		return 8
	}
	return 4
}
