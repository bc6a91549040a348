// Package predict is the contract between a predictor and what runs it.
//
// Engines (the reference evaluator, generated code, kernels) fill in a
// Predictor; servers, benchmarks and differential tests use one. Neither side
// knows the other, and this package imports nothing of ours.
package predict

// A Predictor scores rows. Its functions are safe for concurrent use.
//
// Every function takes x as rows × NumFeatures values of type Input, row-major; NaN
// is a missing value, a categorical feature is its code, and -1 the code of a text
// that is none of its categories. The number of rows is x.Len()/NumFeatures. What
// they write is of type Output. They panic if a length or type does not fit.
type Predictor struct {
	Info

	// Predict writes rows × NumOutputs values: what the trainer's predict gives, or
	// the first of Answers.
	Predict func(dst, x Values)

	// Margin writes rows × NumMargins values: the sums before the link.
	Margin func(dst, x Values)

	// Answer writes rows × Width values, those of Answers[i], for rows whose margins
	// are known. It is nil if Answers is empty.
	Answer func(i int, dst, margins, x Values)

	// Leaf writes rows × NumTrees leaf numbers in the trainer's numbering.
	// It is nil for a predictor that has no trees to walk.
	Leaf func(dst []int32, x Values)
}

// Info describes a predictor: its shape, its schema and where it comes from.
// It is plain data with a stable JSON form; a built server embeds it.
type Info struct {
	Name    string `json:"name"`    // in URLs and metadata; not empty
	Version string `json:"version"` // of the model as served; "1" unless told otherwise

	NumFeatures int `json:"num_features"` // values in a row
	NumOutputs  int `json:"num_outputs"`  // values of Predict per row
	NumMargins  int `json:"num_margins"`  // values of Margin per row
	NumTrees    int `json:"num_trees"`

	Input  Type `json:"input"`  // of features
	Output Type `json:"output"` // of predictions and margins

	// Answers are the outputs that the trainer's object has by name. It is empty
	// if there is nothing but the prediction and what follows from it.
	Answers []Answer `json:"answers,omitempty"`

	Features []Feature `json:"features"` // NumFeatures, in column order
	Task     string    `json:"task"`     // regression, classification, multilabel or ranking
	Classes  []string  `json:"classes,omitempty"`

	Source Source `json:"source"`
}

// A Feature is one column of a row.
type Feature struct {
	Name string `json:"name"` // unique and not empty
	Type string `json:"type"` // float, int, bool or categorical

	// Categories holds the text of each category, indexed by its code. It is
	// nil if the model knows codes only, or the feature is not categorical.
	Categories []string `json:"categories,omitempty"`

	// Open says that a text which is not among Categories is allowed.
	Open bool `json:"open,omitempty"`

	// For which values the trainer reports an error in place of a prediction:
	// missing ones, infinite ones, those beyond the range of float32, and all but
	// those of Accepts if it is not empty. Predictors do not look at this; what
	// reads rows does.
	RefusesMissing  bool      `json:"refuses_missing,omitempty"`
	RefusesInfinite bool      `json:"refuses_infinite,omitempty"`
	RefusesTooLarge bool      `json:"refuses_too_large,omitempty"`
	RefusesNoCode   bool      `json:"refuses_no_code,omitempty"` // but codes of Categories, and −1 if Open
	Accepts         []float64 `json:"accepts,omitempty"`         // in ascending order
}

// An Answer is an output by the name that hew gives it: predict, proba, decision,
// score or label; see package ir.
type Answer struct {
	Name  string `json:"name"`
	Width int    `json:"width"` // values per row

	// Labels names the classes of a label, one list for each value, which are
	// indices into it.
	Labels []Labels `json:"labels,omitempty"`
}

// Labels are the names of classes.
type Labels struct {
	Texts []string `json:"texts"`
	Type  string   `json:"type"` // text, int, float or bool
}

// Source tells what a predictor was made from and how.
type Source struct {
	File      string `json:"file"`      // base name of the model file
	SHA256    string `json:"sha256"`    // of the model file, in hex
	Format    string `json:"format"`    // as in "xgboost 3.2.0 ubjson"
	Objective string `json:"objective"` // the trainer's name for it
	Engine    string `json:"engine"`    // what scores: interp, branch, …
	Exact     bool   `json:"exact"`     // whether only exact passes ran
	Hew       string `json:"hew"`       // version of hew that made it
}
