// Package ir defines the tree ensemble that loaders produce, passes rewrite
// and engines evaluate.
//
// The form is normalised, so that passes and engines meet few cases: there is
// one numerical comparison (x < Threshold goes left), one membership test (x in
// a set of intervals goes left), and every split says where a missing value
// goes. Whatever a trainer did differently is undone by its loader, exactly.
//
// A trainer computes in float32 or float64, and each ensemble says in which. All
// values are held as float64, which represents those of both types exactly.
// Verify states when an ensemble is well formed.
package ir

// An Ensemble is a sum of trees, or a linear model, followed by a link.
//
// The margin of output k starts at BaseMargin[k] and takes one addition for each
// tree that adds to k, in the order of Trees. With BaseLast it starts at zero
// instead and BaseMargin[k] is added last. Each sum is rounded to the type that
// Sum names. The prediction is Link applied to the margins of the row.
type Ensemble struct {
	Input Precision // of features, and so of thresholds and sets
	Sum   Precision // of leaves, base margins and their sums

	Features []Feature // in column order

	// Columns, if not nil, are what splits and linear terms refer to in place of
	// Features: numbers computed from the row, of type Input.
	Columns []Column

	Trees      []Tree    // in the order the trainer added them
	Sets       []Set     // the sets that membership tests refer to
	Linear     *Linear   // a linear model in place of trees; nil for trees
	Outputs    int       // margins per row
	BaseMargin []float64 // one per output; the base score after the inverse link
	BaseLast   bool      // trees are summed from zero, the base margin comes last
	Link       Link
	Task       Task

	// Post computes vectors from the margins, and Answers names those that
	// somebody may ask for; the first one is the prediction. An ensemble has
	// either a Link or these.
	Post    []Stage
	Answers []Answer

	// Classes holds the label of each class, if the model file names them.
	Classes []string

	// Rounds delimits the boosting rounds: round r consists of
	// Trees[Rounds[r]:Rounds[r+1]]. It has one entry more than there are rounds.
	Rounds []int32

	// BestRound is the round with the best validation score that early stopping
	// recorded, or -1.
	BestRound int

	Source Source
}

// A Precision is a type of numbers that a trainer computes with.
type Precision uint8

// The precisions.
const (
	Single Precision = iota // float32
	Double                  // float64
)

func (p Precision) String() string { return name(p, "float32", "float64") }

// Holds reports whether v is a number of type p or an infinity; NaN is not.
func (p Precision) Holds(v float64) bool {
	return v == v && (p == Double || float64(float32(v)) == v)
}

// bits returns the size of type p.
func (p Precision) bits() int {
	if p == Double {
		return 64
	}
	return 32
}

// A Feature is one column of a row.
type Feature struct {
	Name string // unique; "f7" if the model file names none
	Type FeatureType

	// Categories holds the text of each category, indexed by its code. It is
	// nil if the model knows codes only.
	Categories []string

	// Open says that a text which is not among Categories is allowed; its code
	// is -1.
	Open bool

	// Refuses says for which values the trainer reports an error in place of a
	// prediction. Engines ignore it; what reads rows obeys. Package fold relies on
	// NoCode: such values do not occur.
	Refuses Refusal

	// Accepts, if not nil, holds in ascending order the only numbers that the
	// trainer takes.
	Accepts []float64
}

// A Refusal is a set of kinds of values.
type Refusal uint8

// What a trainer may refuse.
const (
	Missing  Refusal = 1 << iota // NaN
	Infinite                     // also what becomes infinite as a float32, with TooLarge
	TooLarge                     // beyond the range of float32
	NoCode                       // no code of a category, nor −1 if the feature is Open
)

// Codes returns the values of f, from low on up to but without end, that are not
// missing; ok is false if all numbers may occur.
func (f *Feature) Codes() (low, end int, ok bool) {
	if f.Open {
		low = -1
	}
	return low, len(f.Categories), f.Refuses&NoCode != 0
}

// A FeatureType is what the values of a feature mean.
type FeatureType uint8

// The feature types.
const (
	Float       FeatureType = iota // any number
	Int                            // an integer
	Bool                           // 0 or 1
	Categorical                    // the code of a category
)

func (t FeatureType) String() string {
	return name(t, "float", "int", "bool", "categorical")
}

// NoFeature in Node.Feature marks a leaf.
const NoFeature = -1

// NoSet in Node.Set marks a split that compares with Threshold.
const NoSet = -1

// A Tree is a binary decision tree. Nodes[0] is the root, and children stand
// after their parents.
type Tree struct {
	Nodes []Node

	// Output is the margin to which the tree's leaves add. A tree with vector
	// leaves adds to all of them; its Output is 0.
	Output int32

	// Vectors holds the leaf vectors of a tree with vector leaves, one row of
	// Ensemble.Outputs values after the other; it is nil for scalar leaves.
	Vectors []float64
}

// A Node is a split or, if Feature is NoFeature, a leaf.
//
// A row goes left if x[Feature] < Threshold or, if Set is not NoSet, if
// x[Feature] is in that set; otherwise it goes right. A row whose x[Feature] is
// NaN goes where DefaultLeft says.
type Node struct {
	Feature     int32   // column that is tested, or NoFeature
	Left, Right int32   // children of a split, indices into Tree.Nodes
	Set         int32   // index into Ensemble.Sets, or NoSet
	Vector      int32   // row of Tree.Vectors that a vector leaf adds
	ID          int32   // the trainer's number for the node
	Cover       float32 // training weight that reached the node; 0 if unknown
	DefaultLeft bool    // where a missing value goes
	Threshold   float64 // of a split without a set; not NaN
	Value       float64 // of a scalar leaf; not NaN
}

// GoesLeft reports whether a row that has x, in the column that split n tests, goes to
// its left child. A float64 holds each float32 exactly, so the answer is that of a
// float32 comparison.
func (e *Ensemble) GoesLeft(n *Node, x float64) bool {
	switch {
	case x != x:
		return n.DefaultLeft
	case n.Set != NoSet:
		return e.Sets[n.Set].Contains(x)
	default:
		return x < n.Threshold
	}
}

// LeafValues returns what leaf n of t adds: one value to the tree's output, or one to each.
func (e *Ensemble) LeafValues(t *Tree, n *Node) []float64 {
	if t.Vectors == nil {
		return []float64{n.Value}
	}
	return t.Vectors[int(n.Vector)*e.Outputs:][:e.Outputs]
}

// IsLeaf reports whether n is a leaf.
func (n *Node) IsLeaf() bool { return n.Feature == NoFeature }

// A Linear is a linear model with one weight per feature and output.
//
// The margin of output k starts at the sum Bias[k] + BaseMargin[k]; then, for
// each feature j that is not missing, in column order, the product
// x[j] * Weights[j*Outputs+k] is rounded and added. All of this happens in the
// type of sums.
type Linear struct {
	Weights []float64 // features × outputs
	Bias    []float64 // one per output
}

// A Task is what the predictions are for.
type Task uint8

// The tasks.
const (
	Regression     Task = iota
	Classification      // outputs are classes; one output means two classes
	MultiLabel          // each output is the answer to a yes-or-no question of its own
	Ranking
)

func (t Task) String() string {
	return name(t, "regression", "classification", "multilabel", "ranking")
}

// A Link maps the margins of a row to its prediction. All arithmetic is
// float32 and follows glibc's expf and log1pf unless a comment says otherwise.
// Of margins that are float64 only Identity is defined; they have Stages.
type Link uint8

// The links. SEMANTICS.md gives the source of each.
const (
	Identity       Link = iota
	Sigmoid             // 1 / (1 + exp(-x))
	SigmoidClamped      // 1 / (exp(min(-x, 88.7)) + 1)
	Exp                 // exp(x)
	Step                // 1 if x > 0, else 0
	Softmax             // over the outputs of a row; the sum is float64, rounded before the division
	Argmax              // index of the first largest output, one value per row
	Sort                // the outputs of a row in ascending order
	Gaps                // running sum of the first output and 1e-6 + softplus(x) of each further one
)

func (l Link) String() string {
	return name(l, "identity", "sigmoid", "sigmoid-clamped", "exp", "step", "softmax", "argmax", "sort", "gaps")
}

// Width returns the number of predicted values for a row of the given number
// of margins.
func (l Link) Width(outputs int) int {
	if l == Argmax {
		return 1
	}
	return outputs
}

// A Source tells where an ensemble comes from. Engines ignore it.
type Source struct {
	File      string   // base name of the model file; empty for standard input
	SHA256    string   // of the model file, in hex
	Trainer   string   // "xgboost"
	Version   string   // of the trainer, "3.2.0"
	Container string   // "json" or "ubjson"
	Booster   string   // the trainer's name for the kind of model, "gbtree"
	Objective string   // the trainer's name for the objective, "binary:logistic"
	Warnings  []string // what a user should know about the file; it did load

	// Changes names the lossy passes that the trained model went through, in order,
	// and Bound says for each output how far a margin may be from the trainer's in
	// consequence. Both are nil for what the trainer made.
	Changes []string
	Bound   []float64
}

// NumColumns returns the number of values that splits and linear terms can refer
// to.
func (e *Ensemble) NumColumns() int {
	if e.Columns != nil {
		return len(e.Columns)
	}
	return len(e.Features)
}

// NumNodes returns the number of nodes of all trees.
func (e *Ensemble) NumNodes() int {
	n := 0
	for i := range e.Trees {
		n += len(e.Trees[i].Nodes)
	}
	return n
}

// NumRounds returns the number of boosting rounds.
func (e *Ensemble) NumRounds() int { return max(len(e.Rounds)-1, 0) }

func name[E ~uint8](e E, names ...string) string {
	if int(e) < len(names) {
		return names[e]
	}
	return "unknown"
}
