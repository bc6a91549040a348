// Package form is hew's own JSON form of an ensemble: the types that encoding/json
// reads and writes.
//
// The form holds everything that package ir does, for ensembles of any trainer. It is
// one object:
//
//	{"hew":1,                    the version of the form
//	 "input":"float32",          the type of features, thresholds and sets
//	 "sum":"float64",            the type of leaves, base margins and weights
//	 "source":{…},               the model file that the ensemble was made of
//	 "features":[{"name":"age","type":"float"},…],
//	 "columns":[{"feature":0,"ops":[{"op":"sub","a":38.5},…]},…],
//	 "sets":[[2,4,7],…],         the union of [2, 4) and [7, ∞)
//	 "outputs":1,"base_margin":[0.5],"base_last":true,
//	 "link":"identity","task":"regression",
//	 "post":[{"stage":"expit","args":[0],"width":1,"a":1},…],
//	 "answers":[{"name":"proba","vector":1,"labels":[{"type":"int","texts":["0","1"]}]},…],
//	 "classes":["no","yes"],
//	 "rounds":[0,1,2],"best_round":1,
//	 "linear":{"weights":[…],"bias":[…]},
//	 "trees":[{…},…]}
//
// The keys stand in this order: the first three say how the others are to be read. A key
// whose value is nothing (no columns, 0, false) is left out. best_round is left out if
// there is none.
//
// A tree is arrays with one entry for each node, children after their parents, and what
// they mean is told at ir.Node:
//
//	{"output":0,
//	 "feature":[3,-1,-1],        column that is tested; -1 for a leaf
//	 "left":[1,-1,-1],"right":[2,-1,-1],
//	 "default_left":[1,0,0],     where a missing value goes
//	 "threshold":[0.5,0,0],      a row goes left if its value is less
//	 "set":[-1,-1,-1],           index of the set whose values go left, -1 for a threshold
//	 "value":[0,-0.25,1],        of leaves
//	 "vector":[0,0,1],           row of vectors that a leaf adds
//	 "vectors":[…],              rows of as many values as there are outputs
//	 "id":[0,1,2],               the trainer's number of the node
//	 "cover":[100,60,40]}        training weight that reached it
//
// An array is left out if every entry is 0, or in set −1, or in id the index.
//
// A number is the shortest decimal that its type reads back, rounded once; −0 is -0.0; NaN
// and infinities are the strings "NaN", "Infinity" and "-Infinity". The types are those that input and sum
// name, float32 for cover, and float64 for all others. What is one of several kinds has
// the name that package ir prints.
package form

import "hew/ir"

// Version is the version of the form.
const Version = 1

// An Ensemble is an ensemble without its trees.
type Ensemble struct {
	Hew        int       `json:"hew"`
	Input      string    `json:"input"`
	Sum        string    `json:"sum"`
	Source     Source    `json:"source,omitzero"`
	Features   []Feature `json:"features"`
	Columns    []Column  `json:"columns,omitzero"`
	Sets       Lists     `json:"sets,omitzero"`
	Outputs    int       `json:"outputs"`
	BaseMargin Numbers   `json:"base_margin"`
	BaseLast   bool      `json:"base_last,omitzero"`
	Link       string    `json:"link"`
	Task       string    `json:"task"`
	Post       []Stage   `json:"post,omitzero"`
	Answers    []Answer  `json:"answers,omitzero"`
	Classes    []string  `json:"classes,omitzero"`
	Rounds     Ints      `json:"rounds,omitzero"`
	BestRound  *int      `json:"best_round,omitzero"`
	Linear     *Linear   `json:"linear,omitzero"`
}

// A Source is where the ensemble came from before it was written: ir.Source. File and
// SHA256 are of the trainer's file, Container is its container.
type Source struct {
	File      string   `json:"file,omitzero"`
	SHA256    string   `json:"sha256,omitzero"`
	Trainer   string   `json:"trainer,omitzero"`
	Version   string   `json:"version,omitzero"`
	Container string   `json:"container,omitzero"`
	Booster   string   `json:"booster,omitzero"`
	Objective string   `json:"objective,omitzero"`
	Warnings  []string `json:"warnings,omitzero"`
	Changes   []string `json:"changes,omitzero"`
	Bound     Numbers  `json:"bound,omitzero"`
}

// IsZero reports whether s tells nothing.
func (s Source) IsZero() bool {
	return s.File == "" && s.SHA256 == "" && s.Trainer == "" && s.Version == "" && s.Container == "" &&
		s.Booster == "" && s.Objective == "" && s.Warnings == nil && s.Changes == nil && s.Bound.IsZero()
}

// A Feature is an ir.Feature.
type Feature struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	Categories []string `json:"categories,omitzero"`
	Open       bool     `json:"open,omitzero"`
	Refuses    []string `json:"refuses,omitzero"`
	Accepts    Numbers  `json:"accepts,omitzero"`
}

// A Column is an ir.Column.
type Column struct {
	Feature int32 `json:"feature"`
	Ops     []Op  `json:"ops,omitzero"`
}

// An Op is an ir.Op. Function is the name of the ir.Func whose number is A.
type Op struct {
	Op       string  `json:"op"`
	Function string  `json:"function,omitzero"`
	A        Number  `json:"a,omitzero"`
	B        Number  `json:"b,omitzero"`
	Keys     Numbers `json:"keys,omitzero"`
	Values   Numbers `json:"values,omitzero"`
}

// A Stage is an ir.Stage.
type Stage struct {
	Stage   string   `json:"stage"`
	Args    Ints     `json:"args,omitzero"`
	Width   int      `json:"width"`
	A       Number   `json:"a,omitzero"`
	B       Number   `json:"b,omitzero"`
	Weights Numbers  `json:"weights,omitzero"`
	Columns []Column `json:"columns,omitzero"`
}

// An Answer is an ir.Answer.
type Answer struct {
	Name   string   `json:"name"`
	Vector int32    `json:"vector"`
	Labels []Labels `json:"labels,omitzero"`
}

// Labels are ir.Labels.
type Labels struct {
	Type  string   `json:"type"`
	Texts []string `json:"texts"`
}

// A Linear is an ir.Linear.
type Linear struct {
	Weights Numbers `json:"weights"`
	Bias    Numbers `json:"bias"`
}

// A Tree is an ir.Tree.
type Tree struct {
	Output      int32   `json:"output"`
	Feature     Ints    `json:"feature"`
	Left        Ints    `json:"left"`
	Right       Ints    `json:"right"`
	DefaultLeft Ints    `json:"default_left,omitzero"`
	Threshold   Numbers `json:"threshold,omitzero"`
	Set         Ints    `json:"set,omitzero"`
	Value       Numbers `json:"value,omitzero"`
	Vector      Ints    `json:"vector,omitzero"`
	Vectors     Numbers `json:"vectors,omitzero"`
	ID          Ints    `json:"id,omitzero"`
	Cover       Numbers `json:"cover,omitzero"`
}

// Refusals are the names of the bits of an ir.Refusal.
var Refusals = []struct {
	Name string
	Bit  ir.Refusal
}{
	{"missing", ir.Missing}, {"infinite", ir.Infinite}, {"too-large", ir.TooLarge}, {"no-code", ir.NoCode},
}

// Named returns the value of a kind that prints as the given name.
func Named[E interface {
	~uint8
	String() string
}](name string) (E, bool) {
	for v := E(0); ; v++ {
		switch text := v.String(); {
		case text == "unknown":
			return 0, false
		case text == name:
			return v, true
		}
	}
}
