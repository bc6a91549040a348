package inspect

import (
	"fmt"
	"strings"

	"hew/fold"
	"hew/ir"
)

// A Pipeline is what happens to a row before the trees or the linear model: columns
// are computed from its features. Those that can be folded into the splits behind them
// cost nothing.
type Pipeline struct {
	Columns []string `json:"columns"`        // a feature and what is done to it, "age: fill 38, sub 38.2, div 12.9"
	Stay    []string `json:"stay,omitempty"` // those of them that are computed for each row

	Before Tests `json:"before"` // of columns
	After  Tests `json:"after"`  // of features, as far as columns are folded
}

// Tests counts what splits test.
type Tests struct {
	Thresholds int `json:"thresholds"` // different ones
	Sets       int `json:"sets"`       // splits that look whether a value is in a set
}

// pipeline returns the pipeline of e, and e with its columns folded.
func pipeline(e *ir.Ensemble) (*Pipeline, *ir.Ensemble) {
	folded := e.Clone()
	if fold.Fold(folded) != nil {
		folded = e
	}
	p := &Pipeline{Before: testsOf(e), After: testsOf(folded)}
	for i := range e.Columns {
		p.Columns = append(p.Columns, columnText(e, &e.Columns[i]))
	}
	for i := range folded.Columns {
		if c := &folded.Columns[i]; len(c.Ops) > 0 {
			p.Stay = append(p.Stay, columnText(e, c))
		}
	}
	return p, folded
}

func testsOf(e *ir.Ensemble) (t Tests) {
	for _, bounds := range e.Bounds() {
		t.Thresholds += len(bounds)
	}
	for i := range e.Trees {
		for _, n := range e.Trees[i].Nodes {
			if !n.IsLeaf() && n.Set != ir.NoSet {
				t.Sets++
			}
		}
	}
	return t
}

// columnText returns a column with the name of its feature.
func columnText(e *ir.Ensemble, c *ir.Column) string {
	name := e.Features[c.Feature].Name
	if len(c.Ops) == 0 {
		return name
	}
	_, ops, _ := strings.Cut(c.String(), ", ")
	return name + ": " + ops
}

// An Answer is an output that can be asked for by name. The first one is the
// prediction.
type Answer struct {
	Name   string   `json:"name"`
	Width  int      `json:"width"`            // values per row
	Labels []Labels `json:"labels,omitempty"` // one list for each value, which is an index into it
}

// Labels are the names of classes.
type Labels struct {
	Type  string   `json:"type"` // what they are for the trainer
	Texts []string `json:"texts"`
}

func answers(e *ir.Ensemble) []Answer {
	var list []Answer
	for _, a := range e.Answers {
		named := Answer{Name: a.Name, Width: e.VectorWidth(a.Vector)}
		for _, l := range a.Labels {
			named.Labels = append(named.Labels, Labels{l.Type.String(), l.Texts})
		}
		list = append(list, named)
	}
	return list
}

// stages returns what computes each vector after the margins, v0.
func stages(e *ir.Ensemble) []string {
	var list []string
	for i := range e.Post {
		list = append(list, fmt.Sprintf("v%d = %v", i+1, &e.Post[i]))
	}
	return list
}
