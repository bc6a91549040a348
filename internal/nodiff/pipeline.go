package nodiff

import (
	"fmt"
	"math"

	"hew/interp"
	"hew/ir"
)

// columns puts columns before the trees. Their thresholds are mostly values that
// they have.
func (g *grower) columns() {
	n := 1 + g.rand.IntN(2*len(g.e.Features)+2)
	g.pool, g.missing = nil, nil
	for range n {
		c := g.column()
		pool := g.thresholds()
		for i := range pool {
			if v := round(g.e.Input, interp.Apply(c.Ops, g.around(&c))); v == v && g.rand.IntN(4) > 0 {
				pool[i] = v
			}
		}
		g.e.Columns = append(g.e.Columns, c)
		g.pool = append(g.pool, pool)
		g.missing = append(g.missing, g.rand.IntN(8))
	}
}

func (g *grower) column() ir.Column {
	c := ir.Column{Feature: int32(g.rand.IntN(len(g.e.Features)))}
	for range g.rand.IntN(5) {
		c.Ops = append(c.Ops, g.op())
	}
	return c
}

// around returns a number, often one that c knows.
func (g *grower) around(c *ir.Column) float64 {
	if len(c.Ops) > 0 && g.rand.IntN(3) > 0 {
		if keys := keysOf(&c.Ops[0]); len(keys) > 0 {
			return draw(g.rand, keys)
		}
	}
	return g.rand.NormFloat64() * 3
}

// op returns an operation of any kind.
func (g *grower) op() ir.Op {
	r := g.rand
	o := ir.Op{Code: ir.OpCode(r.IntN(int(ir.OpCall) + 1)), A: g.number(), B: g.number()}
	switch o.Code {
	case ir.OpFill:
		if r.IntN(8) == 0 {
			o.A = math.NaN()
		}
	case ir.OpClip:
		o.A, o.B = min(o.A, o.B), max(o.A, o.B)
	case ir.OpIn, ir.OpBin:
		o.Keys = g.keys()
	case ir.OpLookup:
		o.Keys = g.keys()
		for range o.Keys {
			o.Values = append(o.Values, g.number())
		}
		if r.IntN(2) == 0 {
			o.B = math.NaN()
		}
	case ir.OpInterp, ir.OpQuantile:
		o.Keys, o.A = g.keys(), float64(r.IntN(2))
		for i := range o.Keys {
			o.Values = append(o.Values, (float64(i)+r.Float64())/float64(len(o.Keys)))
		}
	case ir.OpYeoJohnson, ir.OpBoxCox:
		o.A = draw(r, []float64{0, 1, 2, -0.7, 0.3, 1.6})
		o.B = float64(r.IntN(2))
	case ir.OpCall:
		o.A = float64(r.IntN(int(ir.FuncTanh) + 1))
	}
	return o
}

// number returns a constant of an operation.
func (g *grower) number() float64 {
	if g.rand.IntN(4) == 0 {
		return g.rand.NormFloat64()
	}
	return float64(g.rand.IntN(17)-8) / 4
}

// keys returns a few ascending numbers.
func (g *grower) keys() []float64 {
	k := []float64{g.number()}
	for range g.rand.IntN(6) {
		k = append(k, k[len(k)-1]+0.25*float64(1+g.rand.IntN(6)))
	}
	return k
}

// answers gives the ensemble stages after the margins, and names some of their
// vectors.
func (g *grower) answers() {
	for range g.rand.IntN(7) {
		g.stage()
	}
	names := []string{"predict", "proba", "decision", "score"}
	g.rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names[:1+g.rand.IntN(3)] {
		g.e.Answers = append(g.e.Answers, ir.Answer{Name: name, Vector: g.vectorNumber()})
	}
	if g.rand.IntN(2) == 0 {
		v := g.vectorNumber()
		label := ir.Answer{Name: "label", Vector: g.add(ir.Stage{Code: ir.StageFirst, Args: []int32{v}, Width: 1})}
		l := ir.Labels{Type: ir.LabelType(g.rand.IntN(3))}
		for i := range g.e.VectorWidth(v) {
			l.Texts = append(l.Texts, fmt.Sprint(i*10))
		}
		label.Labels = []ir.Labels{l}
		g.e.Answers = append(g.e.Answers, label)
	}
}

// vectorNumber returns the number of a vector that there is.
func (g *grower) vectorNumber() int32 { return int32(g.rand.IntN(len(g.e.Post) + 1)) }

// add appends a stage and returns the number of its vector.
func (g *grower) add(s ir.Stage) int32 {
	g.e.Post = append(g.e.Post, s)
	return int32(len(g.e.Post))
}

// stage appends a stage of any kind, and those that it needs.
func (g *grower) stage() {
	r := g.rand
	s := ir.Stage{Code: ir.StageCode(r.IntN(int(ir.StageClip) + 1)), A: g.number(), Args: []int32{g.vectorNumber()}}
	n := g.e.VectorWidth(s.Args[0])
	s.Width = n
	switch s.Code {
	case ir.StageConcat:
		for range r.IntN(3) {
			v := g.vectorNumber()
			s.Args, s.Width = append(s.Args, v), s.Width+g.e.VectorWidth(v)
		}
	case ir.StageDivide:
		s.A = float64(1 + r.IntN(300))
	case ir.StageExpit, ir.StageAnomaly:
		s.A = float64(1 + r.IntN(2))
	case ir.StageNormalize:
		s.A = float64(r.IntN(3))
	case ir.StageSelect:
		s.Width = 1 + r.IntN(3)
		for range s.Width {
			s.Weights = append(s.Weights, float64(r.IntN(n)))
		}
	case ir.StageDerive:
		s.Args, s.Width = nil, 1+r.IntN(3)
		for range s.Width {
			s.Columns = append(s.Columns, g.column())
		}
	case ir.StageAffine:
		s.Width = 1 + r.IntN(3)
		s.Weights = g.weights(s.Width * (n + 1))
	default:
		g.narrow(&s, n)
	}
	g.add(s)
}

// narrow completes stages that take a certain number of numbers or of vectors.
func (g *grower) narrow(s *ir.Stage, n int) {
	of := s.Args[0]
	item := func() int32 {
		return g.add(ir.Stage{Code: ir.StageSelect, Args: []int32{of}, Width: 1, Weights: []float64{float64(g.rand.IntN(n))}})
	}
	switch s.Code {
	case ir.StageDifference:
		s.Args, s.Width = []int32{item(), item()}, 1
	case ir.StageComplement, ir.StageHalves:
		s.Args, s.Width = []int32{item()}, 2
	case ir.StageMean, ir.StageMeanAll:
		for range g.rand.IntN(4) {
			s.Args = append(s.Args, g.add(ir.Stage{Code: ir.StageMultiply, Args: []int32{of}, A: g.number(), Width: n}))
		}
		if s.A = float64(len(s.Args)); s.Code == ir.StageMean {
			s.Weights = g.weights(len(s.Args))
		}
	case ir.StageMedian:
		s.Width, s.Weights = 1, g.weights(n)
	case ir.StageVotes:
		s.Args = nil
		for range 1 + g.rand.IntN(4) {
			s.Args = append(s.Args, g.add(ir.Stage{Code: ir.StageFirst, Args: []int32{of}, Width: 1}))
		}
		s.Weights = g.weights(len(s.Args))
	case ir.StageFirst:
		s.Width = 1
	}
}

func (g *grower) weights(n int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = math.Abs(g.number())
	}
	return w
}
