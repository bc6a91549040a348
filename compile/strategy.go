package compile

import (
	"errors"
	"fmt"
	"math"

	"hew/codegen"
	"hew/ir"
	"hew/kernel"
)

// strategies are the names of the ways to print an ensemble.
var strategies = []string{"auto", "branch", "table", "simd"}

// A choice is how to print an ensemble, and why.
type choice struct {
	strategy   string // branch, table or simd
	why        string // for the header
	tables     *kernel.Model
	branchRows int // calls of at most that many rows run branch code
}

// fastest is a processor with all that kernels know. The header tells what the
// package does there, wherever it was made.
var fastest = kernel.CPU{AVX2: true, AVX512: true, VBMI: true, GFNI: true}

// choose resolves strategy "auto" for e, and finds out whether another one can do
// it. limit bounds the memory that compiling may take, if it is not 0.
func choose(e *ir.Ensemble, strategy string, limit int64) (choice, error) {
	switch strategy {
	case "branch":
		return choice{strategy: strategy}, nil
	case "table":
		return tableChoice(e, strategy, kernel.Generic)
	case "simd":
		return tableChoice(e, strategy, fastest)
	}
	c, err := tableChoice(e, "simd", fastest)
	switch {
	case err != nil:
		return choice{strategy: "branch", why: err.Error()}, nil
	case len(c.tables.Columns) == 0:
		return choice{strategy: "branch", why: "there are no splits"}, nil
	}
	return c.within(e, limit), nil
}

// BranchRows returns up to how many rows a call of the package that o asks for runs branch
// code, and ranks nothing; MaxInt if all do.
func BranchRows(e *ir.Ensemble, o Options) (int, error) {
	p := e.Clone()
	if _, err := run(p, o.passes(), Options{}); err != nil {
		return 0, err
	}
	c, err := choose(p, o.Strategy, o.MaxMemory)
	return c.upTo(), err
}

// upTo returns up to how many rows a call runs branch code; MaxInt if all do.
func (c choice) upTo() int {
	if c.strategy == "branch" {
		return math.MaxInt
	}
	return c.branchRows
}

// within returns c with branch code for few rows where that is faster, or less than
// c if the limit asks for it. Branch code that takes more memory to compile than the
// engine is not worth it: it spells out huge sets.
func (c choice) within(e *ir.Ensemble, limit int64) choice {
	o := codegen.Options{Package: "p", MaxMemory: limit}
	fits := func(c choice) bool { return limit == 0 || c.memory(e, o) <= limit }
	if few := c.withBranch(e); few.branchRows > 0 && few.memory(e, o) <= 2*c.memory(e, o) && fits(few) {
		return few
	}
	branch := choice{strategy: "branch", why: "compiling an engine takes more memory than " + FormatBytes(limit)}
	if !fits(c) && fits(branch) {
		return branch
	}
	return c
}

// withBranch returns c with branch code for as many rows as that is faster for.
func (c choice) withBranch(e *ir.Ensemble) choice {
	branch, engine := codegen.EstimateTime(e, codegen.Options{Package: "p"}), engineTime(c.tables)
	if c.branchRows = branchRows(branch, engine); c.branchRows > 0 {
		rows := "one row"
		if c.branchRows > 1 {
			rows = fmt.Sprintf("up to %d rows", c.branchRows)
		}
		c.why = fmt.Sprintf("%s: branch, which takes about %.0f ns for a row, the engine %.0f; more: %s", rows, branch, engine, c.why)
	}
	return c
}

// branchRows returns the number of rows up to which a call should run branch code,
// given what it takes for a row that comes alone and what an engine takes.
func branchRows(branch, engine float64) int {
	const (
		first = 20 // nanoseconds that an engine takes more for the first row of a call
		few   = 16 // up to here and somewhat beyond, it scores rows one by one
	)
	switch slower := branch - (engine - first); {
	case slower >= first:
		return 0
	case slower <= first/few:
		return few
	default:
		return int(first / slower)
	}
}

// engineTime returns about how many nanoseconds an engine with AVX-512 takes for a
// row that comes alone. Fitted, like codegen.EstimateTime, to what
// BenchmarkStrategies measures; the two have to be right where they are equal,
// which is at some hundred nanoseconds.
func engineTime(m *kernel.Model) float64 {
	const call, column, tree = 60, 0.65, 0.8
	return call + column*float64(len(m.Columns)) + tree*float64(len(m.Trees))
}

// tableChoice returns the choice of an engine that reads tables, if there is one.
func tableChoice(e *ir.Ensemble, strategy string, cpu kernel.CPU) (choice, error) {
	m, err := tablesOf(e)
	if err != nil {
		return choice{}, err
	}
	_, why, err := kernelSums(e, m, cpu)
	if err != nil {
		return choice{}, err
	}
	return choice{strategy: strategy, why: why, tables: m}, nil
}

// tablesOf returns the tables of e, if it has trees.
func tablesOf(e *ir.Ensemble) (*kernel.Model, error) {
	if e.Linear == nil && len(e.Trees) == 0 {
		return nil, errors.New("there are no trees")
	}
	return Tables(e)
}

// kernel returns what codegen needs to print tables.
func (c *choice) kernel() codegen.Kernel {
	return codegen.Kernel{
		Model:      c.tables.Encode(),
		Sources:    kernel.Source(),
		Portable:   c.strategy == "table",
		BranchRows: c.branchRows,
	}
}

// memory returns what compiling the package will take, in bytes.
func (c *choice) memory(e *ir.Ensemble, o codegen.Options) int64 {
	if c.strategy == "branch" {
		return codegen.EstimateMemory(e, o)
	}
	return codegen.EstimateTableMemory(e, o, codegen.Kernel{Portable: c.strategy == "table", BranchRows: c.branchRows})
}

// print returns the files of the package.
func (c *choice) print(e *ir.Ensemble, o codegen.Options) (files []codegen.File, err error) {
	o.Why = c.why
	if c.strategy == "branch" {
		files, err = codegen.Branch(e, o)
	} else {
		files, err = codegen.Table(e, o, c.kernel())
	}
	if err != nil {
		return nil, fmt.Errorf("strategy %s: %w", c.strategy, err)
	}
	return files, nil
}
