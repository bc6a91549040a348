package save

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"unicode/utf8"

	"hew/internal/form"
	"hew/ir"
)

// JSON writes e in hew's own form, which package form describes and load/hew reads:
// everything that there is about the ensemble, of any trainer, numbers exactly. The same
// ensemble gives the same bytes, one line for each tree.
func JSON(w io.Writer, e *ir.Ensemble) error {
	if err := e.Verify(); err != nil {
		return err
	}
	head, err := headOf(e)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 64<<10)
	text, err := marshal(head)
	if err != nil {
		return err
	}
	out.Write(text[:len(text)-1]) // without the brace
	if e.Trees != nil {
		out.WriteString(",\n\"trees\":[")
		for i := range e.Trees {
			text, err := marshal(treeOf(e, &e.Trees[i]))
			if err != nil {
				return fmt.Errorf("tree %d: %w", i, err)
			}
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteByte('\n')
			out.Write(text)
		}
		out.WriteByte(']')
	}
	out.WriteString("}\n")
	return out.Flush()
}

// marshal returns v as JSON, on one line.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// headOf returns everything but the trees.
func headOf(e *ir.Ensemble) (*form.Ensemble, error) {
	s := e.Source
	f := &form.Ensemble{
		Hew: form.Version, Input: e.Input.String(), Sum: e.Sum.String(),
		Source: form.Source{
			File: s.File, SHA256: s.SHA256, Trainer: s.Trainer, Version: s.Version, Container: s.Container, Booster: s.Booster,
			Objective: s.Objective, Warnings: s.Warnings, Changes: s.Changes, Bound: form.Of(ir.Double, s.Bound),
		},
		Features: featuresOf(e.Features), Columns: columnsOf(e.Columns), Sets: setsOf(e),
		Outputs: e.Outputs, BaseMargin: form.Of(e.Sum, e.BaseMargin), BaseLast: e.BaseLast,
		Link: e.Link.String(), Task: e.Task.String(),
		Post: stagesOf(e.Post), Answers: answersOf(e.Answers),
		Classes: e.Classes, Rounds: e.Rounds,
	}
	if e.BestRound >= 0 {
		f.BestRound = &e.BestRound
	}
	if l := e.Linear; l != nil {
		f.Linear = &form.Linear{Weights: form.Of(e.Sum, l.Weights), Bias: form.Of(e.Sum, l.Bias)}
	}
	return f, checkTexts(f)
}

// mapped returns what f makes of each element; nil of nil.
func mapped[T, U any](list []T, f func(*T) U) []U {
	if list == nil {
		return nil
	}
	out := make([]U, len(list))
	for i := range list {
		out[i] = f(&list[i])
	}
	return out
}

func featuresOf(features []ir.Feature) []form.Feature {
	return mapped(features, func(f *ir.Feature) form.Feature {
		out := form.Feature{Name: f.Name, Type: f.Type.String(), Categories: f.Categories, Open: f.Open, Accepts: form.Of(ir.Double, f.Accepts)}
		for _, r := range form.Refusals {
			if f.Refuses&r.Bit != 0 {
				out.Refuses = append(out.Refuses, r.Name)
			}
		}
		return out
	})
}

func columnsOf(columns []ir.Column) []form.Column {
	return mapped(columns, func(c *ir.Column) form.Column {
		return form.Column{Feature: c.Feature, Ops: mapped(c.Ops, opOf)}
	})
}

func opOf(o *ir.Op) form.Op {
	out := form.Op{Op: o.Code.String(), A: form.Number(o.A), B: form.Number(o.B), Keys: form.Of(ir.Double, o.Keys), Values: form.Of(ir.Double, o.Values)}
	if o.Code == ir.OpCall {
		out.Function, out.A = ir.Func(o.A).String(), 0
	}
	return out
}

func setsOf(e *ir.Ensemble) form.Lists {
	return form.Lists{Lists: mapped(e.Sets, func(s *ir.Set) []float64 { return *s }), Single: e.Input == ir.Single}
}

func stagesOf(stages []ir.Stage) []form.Stage {
	return mapped(stages, func(s *ir.Stage) form.Stage {
		return form.Stage{
			Stage: s.Code.String(), Args: s.Args, Width: s.Width, A: form.Number(s.A), B: form.Number(s.B),
			Weights: form.Of(ir.Double, s.Weights), Columns: columnsOf(s.Columns),
		}
	})
}

func answersOf(answers []ir.Answer) []form.Answer {
	return mapped(answers, func(a *ir.Answer) form.Answer {
		return form.Answer{Name: a.Name, Vector: a.Vector, Labels: mapped(a.Labels, func(l *ir.Labels) form.Labels {
			return form.Labels{Type: l.Type.String(), Texts: l.Texts}
		})}
	})
}

// treeOf returns a tree; arrays in which nothing stands are left out.
func treeOf(e *ir.Ensemble, t *ir.Tree) *form.Tree {
	ints := func(nothing func(i int) int32, of func(n *ir.Node) int32) form.Ints {
		list, told := make(form.Ints, len(t.Nodes)), false
		for i := range t.Nodes {
			list[i] = of(&t.Nodes[i])
			told = told || list[i] != nothing(i)
		}
		if !told {
			return nil
		}
		return list
	}
	numbers := func(p ir.Precision, of func(n *ir.Node) float64) form.Numbers {
		list, told := make([]float64, len(t.Nodes)), false
		for i := range t.Nodes {
			list[i] = of(&t.Nodes[i])
			told = told || math.Float64bits(list[i]) != 0
		}
		if !told {
			return form.Numbers{}
		}
		return form.Of(p, list)
	}
	zero := func(int) int32 { return 0 }
	always := func(int) int32 { return math.MinInt32 }
	return &form.Tree{
		Output:  t.Output,
		Feature: ints(always, func(n *ir.Node) int32 { return n.Feature }),
		Left:    ints(always, func(n *ir.Node) int32 { return n.Left }),
		Right:   ints(always, func(n *ir.Node) int32 { return n.Right }),
		DefaultLeft: ints(zero, func(n *ir.Node) int32 {
			if n.DefaultLeft {
				return 1
			}
			return 0
		}),
		Threshold: numbers(e.Input, func(n *ir.Node) float64 { return n.Threshold }),
		Set:       ints(func(int) int32 { return ir.NoSet }, func(n *ir.Node) int32 { return n.Set }),
		Value:     numbers(e.Sum, func(n *ir.Node) float64 { return n.Value }),
		Vector:    ints(zero, func(n *ir.Node) int32 { return n.Vector }),
		Vectors:   form.Of(e.Sum, t.Vectors),
		ID:        ints(func(i int) int32 { return int32(i) }, func(n *ir.Node) int32 { return n.ID }),
		Cover:     numbers(ir.Single, func(n *ir.Node) float64 { return float64(n.Cover) }),
	}
}

// checkTexts reports a text that JSON cannot hold.
func checkTexts(f *form.Ensemble) error {
	var err error
	check := func(what string, texts ...string) {
		for _, text := range texts {
			if !utf8.ValidString(text) && err == nil {
				err = fmt.Errorf("%s %q is not UTF-8, which JSON cannot hold", what, text)
			}
		}
	}
	for i := range f.Features {
		check("the feature name", f.Features[i].Name)
		check("the category", f.Features[i].Categories...)
	}
	check("the class", f.Classes...)
	for _, a := range f.Answers {
		check("the answer", a.Name)
		for _, l := range a.Labels {
			check("the label", l.Texts...)
		}
	}
	s := &f.Source
	check("the source", s.File, s.SHA256, s.Trainer, s.Version, s.Container, s.Booster, s.Objective)
	check("the warning", append(s.Warnings[:len(s.Warnings):len(s.Warnings)], s.Changes...)...)
	return err
}
