package hew

import (
	"hew/internal/form"
	"hew/ir"
	"hew/load/internal/fault"
)

// ensemble returns what has been read.
func (d *reader) ensemble() (*ir.Ensemble, error) {
	h := &d.head
	if h.Hew != form.Version {
		return nil, fault.Formatf("no version of the form")
	}
	e := &ir.Ensemble{
		Input: d.input, Sum: d.sum, Trees: d.trees, Outputs: h.Outputs, BaseMargin: h.BaseMargin.Values, BaseLast: h.BaseLast,
		Classes: h.Classes, Rounds: h.Rounds, BestRound: -1, Source: sourceOf(&h.Source),
	}
	if h.BestRound != nil {
		e.BestRound = *h.BestRound
	}
	if h.Linear != nil {
		e.Linear = &ir.Linear{Weights: h.Linear.Weights.Values, Bias: h.Linear.Bias.Values}
	}
	e.Sets = mapped(h.Sets.Lists, func(_ int, s *[]float64) ir.Set { return *s })
	var l lookup
	e.Link = named[ir.Link](&l, "link", h.Link)
	e.Task = named[ir.Task](&l, "task", h.Task)
	e.Features = mapped(h.Features, func(i int, f *form.Feature) ir.Feature { return l.feature(f) })
	e.Columns = l.columns(h.Columns)
	e.Post = mapped(h.Post, func(i int, s *form.Stage) ir.Stage { return l.stage(s) })
	e.Answers = mapped(h.Answers, func(i int, a *form.Answer) ir.Answer { return l.answer(a) })
	if l.err != nil {
		return nil, l.err
	}
	if err := checkSizes(e); err != nil {
		return nil, err
	}
	return e, checkSource(e)
}

// checkSource reports a bound that cannot be one of each output.
func checkSource(e *ir.Ensemble) error {
	s := &e.Source
	if s.Bound != nil && len(s.Bound) != e.Outputs {
		return fault.Formatf("source: %d bounds for %d outputs", len(s.Bound), e.Outputs)
	}
	for _, b := range s.Bound {
		if !(b >= 0) {
			return fault.Formatf("source: bound %v", b)
		}
	}
	return nil
}

// checkSizes reports sizes that would have engines allocate what the file does not hold.
func checkSizes(e *ir.Ensemble) error {
	if e.Outputs > maxOutputs {
		return fault.Unsupportedf("%d outputs, at most %d are supported", e.Outputs, maxOutputs)
	}
	total := 0
	for i := range e.Post {
		w := e.Post[i].Width
		if w > maxWidths || total+max(w, 0) > maxWidths {
			return fault.Unsupportedf("stages that give more than %d numbers for a row", maxWidths)
		}
		total += max(w, 0)
	}
	return nil
}

func sourceOf(s *form.Source) ir.Source {
	return ir.Source{
		File: s.File, SHA256: s.SHA256, Trainer: s.Trainer, Version: s.Version, Container: "hew", Booster: s.Booster,
		Objective: s.Objective, Warnings: s.Warnings, Changes: s.Changes, Bound: s.Bound.Values,
	}
}

// mapped returns what f makes of each element; nil of nil.
func mapped[T, U any](list []T, f func(i int, element *T) U) []U {
	if list == nil {
		return nil
	}
	out := make([]U, len(list))
	for i := range list {
		out[i] = f(i, &list[i])
	}
	return out
}

// A lookup finds what names stand for, and keeps the first error.
type lookup struct{ err error }

func (l *lookup) fail(what, name string) {
	if l.err == nil {
		l.err = fault.Formatf("unknown %s %.40q", what, name)
	}
}

func named[E interface {
	~uint8
	String() string
}](l *lookup, what, name string) E {
	v, ok := form.Named[E](name)
	if !ok {
		l.fail(what, name)
	}
	return v
}

func (l *lookup) feature(f *form.Feature) ir.Feature {
	out := ir.Feature{
		Name: f.Name, Type: named[ir.FeatureType](l, "feature type", f.Type), Categories: f.Categories, Open: f.Open, Accepts: f.Accepts.Values,
	}
	for _, name := range f.Refuses {
		known := false
		for _, r := range form.Refusals {
			if r.Name == name {
				out.Refuses |= r.Bit
				known = true
			}
		}
		if !known {
			l.fail("refusal", name)
		}
	}
	return out
}

func (l *lookup) columns(columns []form.Column) []ir.Column {
	return mapped(columns, func(_ int, c *form.Column) ir.Column {
		return ir.Column{Feature: c.Feature, Ops: mapped(c.Ops, func(_ int, o *form.Op) ir.Op { return l.op(o) })}
	})
}

func (l *lookup) op(o *form.Op) ir.Op {
	out := ir.Op{Code: named[ir.OpCode](l, "operation", o.Op), A: float64(o.A), B: float64(o.B), Keys: o.Keys.Values, Values: o.Values.Values}
	if out.Code == ir.OpCall {
		out.A = float64(named[ir.Func](l, "function", o.Function))
	}
	return out
}

func (l *lookup) stage(s *form.Stage) ir.Stage {
	return ir.Stage{
		Code: named[ir.StageCode](l, "stage", s.Stage), Args: s.Args, Width: s.Width, A: float64(s.A), B: float64(s.B),
		Weights: s.Weights.Values, Columns: l.columns(s.Columns),
	}
}

func (l *lookup) answer(a *form.Answer) ir.Answer {
	return ir.Answer{Name: a.Name, Vector: a.Vector, Labels: mapped(a.Labels, func(_ int, s *form.Labels) ir.Labels {
		return ir.Labels{Texts: s.Texts, Type: named[ir.LabelType](l, "type of labels", s.Type)}
	})}
}

// treeOf returns the tree of its arrays. Whether it is well formed is Verify's question.
func treeOf(f *form.Tree) (ir.Tree, error) {
	n := len(f.Feature)
	t := ir.Tree{Nodes: make([]ir.Node, n), Output: f.Output, Vectors: f.Vectors.Values}
	for _, a := range []struct {
		key    string
		size   int
		absent bool
	}{
		{"left", len(f.Left), false}, {"right", len(f.Right), false}, {"default_left", len(f.DefaultLeft), f.DefaultLeft == nil},
		{"threshold", len(f.Threshold.Values), f.Threshold.IsZero()}, {"set", len(f.Set), f.Set == nil},
		{"value", len(f.Value.Values), f.Value.IsZero()}, {"vector", len(f.Vector), f.Vector == nil},
		{"id", len(f.ID), f.ID == nil}, {"cover", len(f.Cover.Values), f.Cover.IsZero()},
	} {
		if a.size != n && !a.absent {
			return t, fault.Formatf("%d entries of %q for %d nodes", a.size, a.key, n)
		}
	}
	for i := range t.Nodes {
		node := &t.Nodes[i]
		*node = ir.Node{Feature: f.Feature[i], Left: f.Left[i], Right: f.Right[i], Set: ir.NoSet, ID: int32(i)}
		if f.DefaultLeft != nil {
			if d := f.DefaultLeft[i]; d != 0 && d != 1 {
				return t, fault.InNode(-1, i, fault.Formatf("default_left is %d", d))
			}
			node.DefaultLeft = f.DefaultLeft[i] == 1
		}
		if f.Set != nil {
			node.Set = f.Set[i]
		}
		if f.Vector != nil {
			node.Vector = f.Vector[i]
		}
		if f.ID != nil {
			node.ID = f.ID[i]
		}
		node.Threshold, node.Value = at(f.Threshold, i), at(f.Value, i)
		node.Cover = float32(at(f.Cover, i))
	}
	return t, nil
}

func at(n form.Numbers, i int) float64 {
	if n.Values == nil {
		return 0
	}
	return n.Values[i]
}
