// Package predict is the contract between a predictor and what runs it.
//
// Engines (the reference evaluator, generated code, kernels) fill in a
// Predictor; servers, benchmarks and differential tests use one. Neither side
// knows the other, and this package imports nothing of ours.
package predict

// A Predictor scores rows. Its functions are safe for concurrent use.
//
// Every function takes x as rows × NumFeatures values, row-major; NaN is a
// missing value, a categorical feature is its code. The number of rows is
// len(x)/NumFeatures. They panic if len(x) or len(dst) does not fit the shape.
type Predictor struct {
	Info

	// Predict writes rows × NumOutputs values: what the trainer's predict gives.
	Predict func(dst, x []float32)

	// Margin writes rows × NumMargins values: the sums before the link.
	Margin func(dst, x []float32)

	// Leaf writes rows × NumTrees leaf numbers in the trainer's numbering.
	// It is nil for a predictor that has no trees to walk.
	Leaf func(dst []int32, x []float32)
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
