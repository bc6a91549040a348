// Package inspect describes an ensemble for people and machines.
package inspect

import (
	"math"
	"strconv"
	"strings"

	"hew/ir"
)

// A Model is what there is to say about an ensemble before it is compiled. Its
// JSON form is what hew inspect --json prints.
type Model struct {
	File      string `json:"file"`
	SHA256    string `json:"sha256"`
	Format    string `json:"format"` // trainer, version and container: "xgboost 3.2.0 json"
	Booster   string `json:"booster"`
	Objective string `json:"objective"`

	Input  string `json:"input"`  // type in which features are compared
	Output string `json:"output"` // type in which trees are summed

	Task       string   `json:"task"`
	Link       string   `json:"link"`
	Outputs    int      `json:"outputs"` // margins per row
	BaseMargin []Number `json:"base_margin"`
	Classes    []string `json:"classes,omitempty"`

	Trees     int  `json:"trees"`
	Rounds    int  `json:"rounds"`
	BestRound *int `json:"best_round,omitempty"` // of early stopping
	Nodes     int  `json:"nodes"`
	Leaves    int  `json:"leaves"`
	Depth     int  `json:"depth"` // splits on the longest path

	Pipeline *Pipeline `json:"pipeline,omitempty"` // what happens before the trees
	Stages   []string  `json:"stages,omitempty"`   // what happens after them
	Answers  []Answer  `json:"answers,omitempty"`  // what can be asked for

	VectorLeaves bool `json:"vector_leaves"`
	Sets         int  `json:"categorical_splits"`
	MissingLeft  int  `json:"missing_left"`  // splits that send a missing value left
	MissingRight int  `json:"missing_right"` // splits that send it right

	NumFeatures  int       `json:"num_features"`
	UsedFeatures int       `json:"used_features"` // tested by some split, or with a weight
	Features     []Feature `json:"features"`

	Plan     []string `json:"plan"` // what hew will do with the model
	Warnings []string `json:"warnings,omitempty"`

	Changes []string  `json:"changes,omitempty"` // the lossy passes that the model went through
	Bound   []float64 `json:"bound,omitempty"`   // of each output: how far a margin may be from the trainer's
}

// A Feature describes one column of a row.
type Feature struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	Categories []string `json:"categories,omitempty"`
	Open       bool     `json:"open,omitempty"` // whether other texts are allowed
	Splits     int      `json:"splits"`
	Thresholds int      `json:"thresholds"` // distinct values at which a test changes its answer

	Refuses []string `json:"refuses,omitempty"` // values for which the trainer reports an error
	Accepts []Number `json:"accepts,omitempty"` // all values that the trainer takes, if it is choosy
}

// A Number may be infinite: in JSON it is a number in its shortest form or, since
// JSON has no infinities, a string.
type Number struct {
	v    float64
	bits int // of its type
}

func (n Number) String() string { return strconv.FormatFloat(n.v, 'g', -1, n.bits) }

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsInf(n.v, 0) {
		return []byte(strconv.Quote(n.String())), nil
	}
	return []byte(n.String()), nil
}

// numbers returns values of type p.
func numbers(v []float64, p ir.Precision) []Number {
	bits := 32
	if p == ir.Double {
		bits = 64
	}
	n := make([]Number, len(v))
	for i := range v {
		n[i] = Number{v[i], bits}
	}
	return n
}

// Describe returns the description of e. The plan holds what the caller will do
// with it, a sentence each. Splits and thresholds are those of the features, as far
// as columns in front of the trees can be folded.
func Describe(e *ir.Ensemble, plan []string) *Model {
	m := &Model{
		File: e.Source.File, SHA256: e.Source.SHA256,
		Format:  strings.TrimSpace(e.Source.Trainer + " " + e.Source.Version + " " + e.Source.Container),
		Booster: e.Source.Booster, Objective: e.Source.Objective,
		Input: e.Input.String(), Output: e.Sum.String(),
		Task: e.Task.String(), Link: e.Link.String(), Outputs: e.Outputs, BaseMargin: numbers(e.BaseMargin, e.Sum), Classes: e.Classes,
		Trees: len(e.Trees), Rounds: e.NumRounds(), Nodes: e.NumNodes(),
		Stages: stages(e), Answers: answers(e),
		NumFeatures: len(e.Features), Plan: plan, Warnings: e.Source.Warnings,
		Changes: e.Source.Changes, Bound: e.Source.Bound,
	}
	if e.BestRound >= 0 {
		m.BestRound = &e.BestRound
	}
	folded := e
	if e.Columns != nil {
		m.Pipeline, folded = pipeline(e)
	}
	uses := usesOf(folded)
	m.countTrees(folded)
	for j := range e.Features {
		f := &e.Features[j]
		m.Features = append(m.Features, Feature{
			Name: f.Name, Type: f.Type.String(), Categories: f.Categories, Open: f.Open,
			Splits: uses[j].splits, Thresholds: uses[j].thresholds,
			Refuses: refusals(f.Refuses), Accepts: numbers(f.Accepts, e.Input),
		})
		if uses[j].used {
			m.UsedFeatures++
		}
	}
	return m
}

func refusals(r ir.Refusal) (names []string) {
	for i, name := range []string{"missing", "infinite", "too large"} {
		if r&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// countTrees fills in what a walk over all nodes tells.
func (m *Model) countTrees(e *ir.Ensemble) {
	for i := range e.Trees {
		t := &e.Trees[i]
		m.Depth = max(m.Depth, t.Depth())
		m.Leaves += t.NumLeaves()
		m.VectorLeaves = m.VectorLeaves || t.Vectors != nil
		for j := range t.Nodes {
			n := &t.Nodes[j]
			if n.IsLeaf() {
				continue
			}
			if n.Set != ir.NoSet {
				m.Sets++
			}
			if n.DefaultLeft {
				m.MissingLeft++
			} else {
				m.MissingRight++
			}
		}
	}
}

// A use says what a model does with a feature.
type use struct {
	splits, thresholds int
	used               bool // by some split, weight or stage
}

// usesOf returns the use of each feature.
func usesOf(e *ir.Ensemble) []use {
	uses := make([]use, len(e.Features))
	feature := func(column int) *use {
		if e.Columns != nil {
			column = int(e.Columns[column].Feature)
		}
		return &uses[column]
	}
	for i := range e.Trees {
		for _, n := range e.Trees[i].Nodes {
			if !n.IsLeaf() {
				u := feature(int(n.Feature))
				u.splits, u.used = u.splits+1, true
			}
		}
	}
	for j, bounds := range e.Bounds() {
		u := feature(j)
		u.thresholds += len(bounds)
		u.used = u.used || e.Linear != nil && weighs(e, j)
	}
	for i := range e.Post {
		for _, c := range e.Post[i].Columns {
			uses[c.Feature].used = true
		}
	}
	return uses
}

func weighs(e *ir.Ensemble, column int) bool {
	for _, w := range e.Linear.Weights[column*e.Outputs : (column+1)*e.Outputs] {
		if w != 0 {
			return true
		}
	}
	return false
}
