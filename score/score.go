// Package score answers what a trainer's own model object answers: the outputs
// by the trainer's names, in its shapes and types.
package score

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"hew/internal/nearest"
	"hew/interp"
	"hew/ir"
	"hew/rows"
)

// A Request asks for one output of a model over a table of rows.
type Request struct {
	// Output is predict, proba, margin, label or leaf. XGBoost's Booster has
	// predict, margin (output_margin) and leaf (pred_leaf); its XGBClassifier
	// has proba (predict_proba) and label (predict).
	Output string

	X    []float32 // rows × features
	Base []float32 // rows × margins, in place of the base margin; nil for that

	Engine Engine // of the ensemble; nil for the reference
}

// An Engine evaluates the trees of an ensemble. Its methods are called
// concurrently, with rows × features values in x.
type Engine interface {
	Margin(dst, x []float32)           // rows × margins sums before the link
	MarginFrom(dst, x, base []float32) // the same from base margins of each row
	Leaf(dst []int32, x []float32)     // rows × trees leaf numbers
}

// outputs are what a request can ask for; decision and contrib are names that
// other models and later versions have answers to.
var outputs = []string{"predict", "proba", "margin", "label", "leaf"}

// Outputs names the outputs that Run knows, for help texts.
func Outputs() string { return strings.Join(outputs, "|") }

// CheckOutput reports a name that is not one of an output.
func CheckOutput(name string) error {
	if slices.Contains(outputs, name) || name == "decision" || name == "contrib" {
		return nil
	}
	hint := nearest.Hint(name, outputs)
	if hint == "" {
		hint = "; there are " + strings.Join(outputs, ", ")
	}
	return fmt.Errorf("unknown output %q%s", name, hint)
}

// Run computes the requested output of e.
func Run(e *ir.Ensemble, r Request) (rows.Output, error) {
	n := len(r.X) / len(e.Features)
	if r.Base != nil && len(r.Base) != n*e.Outputs {
		return rows.Output{}, fmt.Errorf("base margin of %d values for %d rows × %d outputs", len(r.Base), n, e.Outputs)
	}
	s := scorer{interp.New(e), r.Engine, e, r, n}
	if s.trees == nil {
		s.trees = s.m
	}
	switch r.Output {
	case "predict":
		return shaped(s.predict(), n, columns(e, "predict", e.Link.Width(e.Outputs))), nil
	case "margin":
		return shaped(s.margin(), n, columns(e, "margin", e.Outputs)), nil
	case "leaf":
		return s.leaf()
	case "proba":
		return s.proba()
	case "label":
		return s.label()
	case "decision":
		return rows.Output{}, fmt.Errorf("%s models have no decision function; ask for margin", e.Source.Trainer)
	case "contrib":
		return rows.Output{}, fmt.Errorf("output contrib (SHAP values) is not supported yet")
	}
	return rows.Output{}, CheckOutput(r.Output)
}

type scorer struct {
	m     *interp.Engine // its link
	trees Engine
	e     *ir.Ensemble
	r     Request
	n     int // rows
}

// shaped returns values as a column, or as a matrix if they have several columns.
func shaped(values []float32, n int, names []string) rows.Output {
	out := rows.Output{Columns: names, Shape: []int{n, len(names)}, Float32: values}
	if len(names) == 1 {
		out.Shape = []int{n}
	}
	return out
}

// columns names the columns of an output: after the classes where each has one.
func columns(e *ir.Ensemble, output string, width int) []string {
	names := make([]string, width)
	for k := range names {
		switch {
		case width == 1:
			names[k] = output
		case len(e.Classes) == width:
			names[k] = output + "_" + e.Classes[k]
		default:
			names[k] = output + "_" + strconv.Itoa(k)
		}
	}
	return names
}

func (s *scorer) margin() []float32 {
	k := s.e.Outputs
	out := make([]float32, s.n*k)
	s.blocks(func(a, b int) { s.marginOf(out[a*k:b*k], a, b) })
	return out
}

// marginOf writes the margins of rows [a, b) to out.
func (s *scorer) marginOf(out []float32, a, b int) {
	x := s.r.X[a*len(s.e.Features) : b*len(s.e.Features)]
	if s.r.Base == nil {
		s.trees.Margin(out, x)
		return
	}
	s.trees.MarginFrom(out, x, s.r.Base[a*s.e.Outputs:b*s.e.Outputs])
}

func (s *scorer) predict() []float32 {
	k, w := s.e.Outputs, s.e.Link.Width(s.e.Outputs)
	margin, out := make([]float32, s.n*k), make([]float32, s.n*w)
	s.blocks(func(a, b int) {
		s.marginOf(margin[a*k:b*k], a, b)
		s.m.Transform(out[a*w:b*w], margin[a*k:b*k])
	})
	return out
}

// leaf returns leaf numbers as XGBoost does: as float32, and as a column if
// there is one tree (dmlc/xgboost:src/c_api/c_api_utils.h, CalcPredictShape).
func (s *scorer) leaf() (rows.Output, error) {
	t := len(s.e.Trees)
	if t == 0 {
		return rows.Output{}, fmt.Errorf("a %s model without trees has no leaves", s.e.Source.Booster)
	}
	leaves := make([]int32, s.n*t)
	s.blocks(func(a, b int) {
		s.trees.Leaf(leaves[a*t:b*t], s.r.X[a*len(s.e.Features):b*len(s.e.Features)])
	})
	values := make([]float32, len(leaves))
	for i, v := range leaves {
		if values[i] = float32(v); int32(values[i]) != v {
			return rows.Output{}, fmt.Errorf("leaf number %d is not a float32 number", v)
		}
	}
	names := make([]string, t)
	for i := range names {
		names[i] = "tree_" + strconv.Itoa(i)
	}
	return shaped(values, s.n, names), nil
}

// proba returns the probability of each class. For two classes, the first one
// is 1 − p in float32 (dmlc/xgboost:python-package/xgboost/sklearn.py,
// _cls_predict_proba).
func (s *scorer) proba() (rows.Output, error) {
	switch s.e.Link {
	case ir.Softmax:
		return shaped(s.predict(), s.n, columns(s.e, "proba", s.e.Outputs)), nil
	case ir.Sigmoid, ir.SigmoidClamped:
		p := s.predict()
		if s.e.Outputs > 1 { // several labels, each with its probability
			return shaped(p, s.n, columns(s.e, "proba", s.e.Outputs)), nil
		}
		both := make([]float32, 0, 2*len(p))
		for _, v := range p {
			both = append(both, 1-v, v)
		}
		return shaped(both, s.n, columns(s.e, "proba", 2)), nil
	}
	return rows.Output{}, fmt.Errorf("%s gives no probabilities; ask for predict", s.e.Source.Objective)
}

// label returns the class of each row, by its text if the model names classes,
// or 0 or 1 for each of several labels.
func (s *scorer) label() (rows.Output, error) {
	if s.e.Task != ir.Classification && s.e.Task != ir.MultiLabel {
		return rows.Output{}, fmt.Errorf("%s has no classes; ask for predict", s.e.Source.Objective)
	}
	w := s.m.LabelWidth()
	class := make([]int32, s.n*w)
	s.m.LabelOf(class, s.predict())
	out := rows.Output{Columns: columns(s.e, "label", w), Shape: []int{s.n}}
	if w > 1 {
		out.Shape = []int{s.n, w}
	}
	if w > 1 || len(s.e.Classes) == 0 {
		out.Int32 = class
		return out, nil
	}
	out.Text = make([]string, s.n)
	for i, c := range class {
		out.Text[i] = s.e.Classes[c]
	}
	return out, nil
}

// blockRows is the number of rows that a goroutine scores at a time.
const blockRows = 1024

// blocks calls f for consecutive ranges of rows, on all processors.
func (s *scorer) blocks(f func(begin, end int)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(runtime.GOMAXPROCS(0), (s.n+blockRows-1)/blockRows) {
		wg.Go(func() {
			for a := range next {
				f(a, min(a+blockRows, s.n))
			}
		})
	}
	for a := 0; a < s.n; a += blockRows {
		next <- a
	}
	close(next)
	wg.Wait()
}
