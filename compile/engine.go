package compile

import (
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
	if e.Columns != nil { // folded, it may need more tables or fewer
		p := e.Clone()
		if _, err := run(p, passes, Options{}); err == nil {
			e = p
		}
	}
	if _, err := tablesOf(e); err != nil {
		return []string{"branch"}
	}
	return []string{"branch", "table", "simd"}
}

// An Engine evaluates one ensemble in this process, for values of the types that it
// names. Its methods are safe for concurrent use, and panic if the length or type of
// an argument does not fit.
type Engine struct {
	// Name says what evaluates: interp, table, or simd with the processor's
	// level, as in "simd avx512".
	Name string

	// Why tells what evaluates single rows and batches, or what is in the way
	// of a faster engine.
	Why string

	sums    sums
	leaves  func() sums // what knows the trainer's leaf numbers
	stages  *stages     // nil where the reference answers
	link    *interp.Engine
	tables  *kernel.Model // nil for interp
	e       *ir.Ensemble
	scratch sync.Pool // of *predict.Values: margins

	// The engine of sums, where margins may stand in the memory of predictions: what
	// XGBoost's and scikit-learn's single rows cost apart from it is to be little.
	float32s *kernel.Engine[float32, float32]
	float64s *kernel.Engine[float64, float64]
}

// sums are the trees of an ensemble, without the link.
type sums interface {
	Margin(dst, x predict.Values)
	MarginFrom(dst, x, base predict.Values)
	Leaf(dst []int32, x predict.Values)
}

// NewEngine returns the named engine for e, with the instructions of cpu. Engine
// auto evaluates with interp what package kernel cannot; the other names mean what
// they say or fail. Passes named in without do not run. e must be well formed and must
// not change while the engine is in use.
func NewEngine(e *ir.Ensemble, name string, cpu kernel.CPU, without ...string) (*Engine, error) {
	if err := CheckEngine(name, cpu); err != nil {
		return nil, err
	}
	switch name {
	case "interp":
		return interpreted(e, "asked for"), nil
	case "table":
		cpu = kernel.Generic
	}
	g, err := tabled(e, cpu, without)
	switch {
	case err == nil:
		return g, nil
	case name == "auto":
		g := interpreted(e, err.Error())
		g.stages = stagesOf(e)
		return g, nil
	}
	return nil, fmt.Errorf("engine %s: %w; use interp, or auto", name, err)
}

func interpreted(e *ir.Ensemble, why string) *Engine {
	m := interp.New(e)
	return &Engine{Name: "interp", Why: why, sums: m.Typed(), leaves: func() sums { return m.Typed() }, link: m, e: e}
}

// tabled evaluates e with package kernel. The passes may merge leaves: the tables
// that leaf numbers come from are then those of the ensemble before, made when they
// are first needed.
func tabled(e *ir.Ensemble, cpu kernel.CPU, without []string) (*Engine, error) {
	p := e.Clone()
	r, err := run(p, but(passes, without), Options{})
	if err != nil {
		return nil, err
	}
	m, err := tablesOf(p)
	if err != nil {
		return nil, err
	}
	k, why, err := kernelSums(p, m, cpu)
	if err != nil {
		return nil, err
	}
	g := &Engine{
		Name: "table", Why: why, sums: k, leaves: func() sums { return k },
		stages: stagesOf(e), link: interp.New(e), tables: m, e: e,
	}
	g.setDirect()
	if cpu != kernel.Generic {
		g.Name = "simd " + cpu.String()
	}
	if r.merged {
		before := r.unmerged(e)
		g.leaves = sync.OnceValue(func() sums { return leafNumbers(before, cpu) })
	}
	return g, nil
}

// leafNumbers returns what knows the leaf numbers of e.
func leafNumbers(e *ir.Ensemble, cpu kernel.CPU) sums {
	if m, err := tablesOf(e); err == nil {
		if k, _, err := kernelSums(e, m, cpu); err == nil {
			return k
		}
	}
	return interp.New(e).Typed() // no passes, so perhaps too large
}

// Margin writes rows × margins sums before the link.
func (g *Engine) Margin(dst, x predict.Values) { g.sums.Margin(dst, x) }

// MarginFrom is Margin with base margins given for each row, rows × margins
// values, in place of the ensemble's own.
func (g *Engine) MarginFrom(dst, x, base predict.Values) { g.sums.MarginFrom(dst, x, base) }

// Ranks returns what does of Margin only the ranking of the features, or nil if the
// engine ranks none, or computes columns in front of it.
func (g *Engine) Ranks() func(x predict.Values) {
	if s, ok := g.sums.(interface{ Rank(x predict.Values) }); ok {
		return s.Rank
	}
	return nil
}

// Leaf writes rows × trees numbers: for each tree, the trainer's number of the
// leaf that the row reaches.
func (g *Engine) Leaf(dst []int32, x predict.Values) { g.leaves().Leaf(dst, x) }

// Answer writes the values of answer i, or of the link without answers, for rows
// whose margins are known. x may be empty unless a stage needs the row.
func (g *Engine) Answer(i int, dst, margins, x predict.Values) {
	if g.stages == nil {
		g.link.Typed().Answer(i, dst, margins, x)
		return
	}
	rows, k := margins.Len(), g.e.Outputs
	if k > 1 {
		rows /= k
	}
	w := g.stages.way(i)
	if margins.Len() != rows*k || dst.Len() != rows*w.width {
		panic(fmt.Sprintf("compile: %d values, %d per row, for %d margins of %d outputs", dst.Len(), w.width, margins.Len(), k))
	}
	g.stages.answer(w, dst, margins, x, rows)
}

// Predict writes, for each row, the values of the link or of the first answer.
func (g *Engine) Predict(dst, x predict.Values) {
	switch {
	case g.float32s != nil:
		g.float32s.Margin(dst.F32, x.F32)
		g.link.Transform(dst.F32, dst.F32)
	case g.float64s != nil:
		w := g.stages.way(0)
		rows := len(dst.F64) / w.width
		g.float64s.Margin(dst.F64[:rows*g.e.Outputs], x.F64)
		g.stages.chained(w, dst.F64, dst.F64[:rows*g.e.Outputs], rows)
	default:
		g.predict(dst, x)
	}
}

// predict is Predict for all ensembles.
func (g *Engine) predict(dst, x predict.Values) {
	margins, _ := g.scratch.Get().(*predict.Values)
	if margins == nil {
		margins = new(predict.Values)
	}
	*margins = margins.Resize(dst.Type(), x.Len()/len(g.e.Features)*g.e.Outputs)
	g.sums.Margin(*margins, x)
	g.Answer(0, dst, *margins, x)
	g.scratch.Put(margins)
}

// setDirect finds out whether predictions can do without memory for margins.
func (g *Engine) setDirect() {
	switch s := g.sums.(type) {
	case tableSums[float32, float32]:
		if g.stages == nil && g.e.Link.Width(g.e.Outputs) == g.e.Outputs {
			g.float32s = s.k
		}
	case tableSums[float64, float64]:
		if g.stages != nil && g.stages.way(0).chain {
			g.float64s = s.k
		}
	}
}

// Predictor returns g as a predictor of the given name.
func (g *Engine) Predictor(name string) predict.Predictor {
	p := predict.Predictor{Info: Info(g.e, name), Predict: g.Predict, Margin: g.Margin}
	if len(g.e.Answers) > 0 {
		p.Answer = g.Answer
	}
	if len(g.e.Trees) > 0 {
		p.Leaf = g.Leaf
	}
	p.Source.Engine = g.Name
	p.Source.Exact = g.e.Source.Changes == nil
	return p
}
