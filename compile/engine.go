package compile

import (
	"errors"
	"fmt"
	"sync"

	"hew/interp"
	"hew/ir"
	"hew/kernel"
	"hew/predict"
)

// Engines names what evaluates an ensemble in this process: interp is the
// reference, table and simd are package kernel without and with vector
// instructions, auto takes the best that there is.
var Engines = []string{"auto", "interp", "table", "simd"}

// CheckEngine reports a name that is not one of Engines, and simd where cpu has
// nothing for it.
func CheckEngine(name string, cpu kernel.CPU) error {
	if name == "simd" && cpu == kernel.Generic {
		return optionf("engine simd needs AVX2 or AVX-512, which this processor lacks or HEW_CPU withholds; use table or auto")
	}
	return checkName("engine", name, Engines)
}

// Levels returns the levels that cpu can be held to: the generic one, of which auto
// makes engine table, and those of engine simd.
func Levels(cpu kernel.CPU) []kernel.CPU {
	levels := []kernel.CPU{kernel.Generic}
	if cpu.AVX512 {
		levels = append(levels, kernel.CPU{AVX2: true})
	}
	if cpu.AVX2 {
		levels = append(levels, cpu)
	}
	return levels
}

// EnginePlan says in a line each what engine auto does with e on cpu.
func EnginePlan(e *ir.Ensemble, cpu kernel.CPU) ([]string, error) {
	g, err := NewEngine(e, "auto", cpu)
	if err != nil {
		return nil, err
	}
	lines := []string{fmt.Sprintf("engine %s: %s", g.Name, g.Why)}
	if g.tables != nil {
		lines = append(lines, fmt.Sprintf("tables of %d byte columns for %d features, %s",
			len(g.tables.Columns), len(e.Features), FormatBytes(int64(len(g.tables.Encode())))))
	}
	return lines, nil
}

// Strategies returns the strategies that there are for e.
func Strategies(e *ir.Ensemble) []string {
	if _, err := tablesOf(e); err != nil {
		return []string{"branch"}
	}
	return []string{"branch", "table", "simd"}
}

// An Engine evaluates one ensemble in this process. Its methods are safe for
// concurrent use, and panic if the length of an argument does not fit the shape.
type Engine struct {
	// Name says what evaluates: interp, table, or simd with the processor's
	// level, as in "simd avx512".
	Name string

	// Why tells what evaluates single rows and batches, or what is in the way
	// of a faster engine.
	Why string

	sums    sums
	leaves  func() sums // what knows the trainer's leaf numbers
	link    *interp.Engine
	tables  *kernel.Model // nil for interp
	e       *ir.Ensemble
	scratch sync.Pool // of *[]float32: margins that do not fit where predictions go
}

// sums are the trees of an ensemble, without the link.
type sums interface {
	Margin(dst, x []float32)
	MarginFrom(dst, x, base []float32)
	Leaf(dst []int32, x []float32)
}

// NewEngine returns the named engine for e, with the instructions of cpu. Engine
// auto evaluates with interp what package kernel cannot; the other names mean what
// they say or fail. e must be well formed and must not change while the engine is
// in use.
func NewEngine(e *ir.Ensemble, name string, cpu kernel.CPU) (*Engine, error) {
	if err := CheckEngine(name, cpu); err != nil {
		return nil, err
	}
	if e.Input != ir.Single || e.Sum != ir.Single {
		return nil, errors.New("there are no predictors for float64 yet")
	}
	switch name {
	case "interp":
		return interpreted(e, "asked for"), nil
	case "table":
		cpu = kernel.Generic
	}
	g, err := tabled(e, cpu)
	switch {
	case err == nil:
		return g, nil
	case name == "auto":
		return interpreted(e, err.Error()), nil
	}
	return nil, fmt.Errorf("engine %s: %w; use interp, or auto", name, err)
}

func interpreted(e *ir.Ensemble, why string) *Engine {
	m := interp.New(e)
	return &Engine{Name: "interp", Why: why, sums: m, leaves: func() sums { return m }, link: m, e: e}
}

// tabled evaluates e with package kernel. The passes may merge leaves: the tables
// that leaf numbers come from are then those of e itself, made when they are
// first needed.
func tabled(e *ir.Ensemble, cpu kernel.CPU) (*Engine, error) {
	p := e.Clone()
	r, err := Run(p, Options{})
	if err != nil {
		return nil, err
	}
	m, err := tablesOf(p)
	if err != nil {
		return nil, err
	}
	k, err := kernel.New[float32, float32](m, cpu)
	if err != nil {
		return nil, err
	}
	g := &Engine{Name: "table", Why: k.Describe(), sums: k, leaves: func() sums { return k }, link: interp.New(e), tables: m, e: e}
	if cpu != kernel.Generic {
		g.Name = "simd " + cpu.String()
	}
	if r.merged {
		g.leaves = sync.OnceValue(func() sums { return leafNumbers(e, cpu) })
	}
	return g, nil
}

// leafNumbers returns what knows the leaf numbers of e.
func leafNumbers(e *ir.Ensemble, cpu kernel.CPU) sums {
	if m, err := tablesOf(e); err == nil {
		if k, err := kernel.New[float32, float32](m, cpu); err == nil {
			return k
		}
	}
	return interp.New(e) // no passes, so perhaps too large
}

// Margin writes rows × margins sums before the link.
func (g *Engine) Margin(dst, x []float32) { g.sums.Margin(dst, x) }

// MarginFrom is Margin with base margins given for each row, rows × margins
// values, in place of the ensemble's own.
func (g *Engine) MarginFrom(dst, x, base []float32) { g.sums.MarginFrom(dst, x, base) }

// Leaf writes rows × trees numbers: for each tree, the trainer's number of the
// leaf that the row reaches.
func (g *Engine) Leaf(dst []int32, x []float32) { g.leaves().Leaf(dst, x) }

// Predict writes, for each row, the link's values.
func (g *Engine) Predict(dst, x []float32) {
	k := g.e.Outputs
	if g.e.Link.Width(k) == k {
		g.sums.Margin(dst, x)
		g.link.Transform(dst, dst)
		return
	}
	rows := len(x) / len(g.e.Features)
	margins := g.margins(rows * k)
	g.sums.Margin(*margins, x)
	g.link.Transform(dst, *margins)
	g.scratch.Put(margins)
}

// margins returns n values of scratch.
func (g *Engine) margins(n int) *[]float32 {
	s, _ := g.scratch.Get().(*[]float32)
	if s == nil {
		s = new([]float32)
	}
	if cap(*s) < n {
		*s = make([]float32, n)
	}
	*s = (*s)[:n]
	return s
}

// Predictor returns g as a predictor of the given name.
func (g *Engine) Predictor(name string) predict.Predictor {
	p := predict.Predictor{Info: Info(g.e, name), Predict: g.Predict, Margin: g.Margin}
	if len(g.e.Trees) > 0 {
		p.Leaf = g.Leaf
	}
	p.Source.Engine = g.Name
	p.Source.Exact = true
	return p
}
