// Package score answers what a trainer's own model object answers: the outputs
// by the trainer's names, in its shapes and types.
package score

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"hew/internal/nearest"
	"hew/interp"
	"hew/ir"
	"hew/predict"
	"hew/rows"
)

// A Request asks for one output of a model over a table of rows.
type Request struct {
	// Output is predict, proba, decision, score, label, margin or leaf, or the name
	// of an answer. predict is what the predict of scikit-learn's object gives, and
	// that of XGBoost's Booster, which also has margin (output_margin) and leaf
	// (pred_leaf); its XGBClassifier has proba (predict_proba) and label (predict).
	Output string

	X    predict.Values // rows × features, of the ensemble's type Input
	Base predict.Values // rows × margins, in place of the base margin; empty for that

	Engine Engine // of the ensemble; nil for the reference
}

// An Engine evaluates an ensemble. Its methods are called concurrently, with
// rows × features values in x.
type Engine interface {
	Margin(dst, x predict.Values)           // rows × margins sums of the trees
	MarginFrom(dst, x, base predict.Values) // the same from base margins of each row
	Leaf(dst []int32, x predict.Values)     // rows × trees leaf numbers

	// Answer writes the values of answer i or, without answers, those of the link.
	Answer(i int, dst, margins, x predict.Values)
}

// outputs are what a request can ask for, but for answers of other names; contrib
// is one that later versions have an answer to.
var outputs = []string{"predict", "proba", "decision", "score", "label", "margin", "leaf"}

// Outputs names the outputs that Run knows, for help texts.
func Outputs() string { return strings.Join(outputs, "|") }

// CheckOutput reports a name that is not one of an output.
func CheckOutput(name string) error {
	if slices.Contains(outputs, name) || name == "contrib" || oneOfProba(name) {
		return nil
	}
	hint := nearest.Hint(name, outputs)
	if hint == "" {
		hint = "; there are " + strings.Join(outputs, ", ")
	}
	return fmt.Errorf("unknown output %q%s", name, hint)
}

// oneOfProba reports whether a name is proba_0, proba_1, …: the probabilities of
// one of several outputs.
func oneOfProba(name string) bool {
	number, ok := strings.CutPrefix(name, "proba_")
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
}

// Run computes the requested output of e.
func Run(e *ir.Ensemble, r Request) (rows.Output, error) {
	n := r.X.Len() / len(e.Features)
	s := scorer{trees: r.Engine, e: e, r: r, n: n}
	if s.trees == nil {
		s.trees = interp.New(e).Typed()
	}
	if err := s.checkBase(); err != nil {
		return rows.Output{}, err
	}
	switch {
	case r.Output == "contrib":
		return rows.Output{}, fmt.Errorf("output contrib (SHAP values) is not supported yet")
	case CheckOutput(r.Output) != nil:
		return rows.Output{}, CheckOutput(r.Output)
	case len(e.Answers) > 0:
		return s.answered()
	}
	return s.linked()
}

type scorer struct {
	trees Engine
	e     *ir.Ensemble
	r     Request
	n     int // rows
}

func (s *scorer) checkBase() error {
	switch n := s.r.Base.Len(); {
	case s.r.Base.F32 == nil && s.r.Base.F64 == nil:
		return nil
	case len(s.e.Answers) > 0:
		return fmt.Errorf("%s models take no base margin", s.e.Source.Trainer)
	case n != s.n*s.e.Outputs:
		return fmt.Errorf("base margin of %d values for %d rows × %d outputs", n, s.n, s.e.Outputs)
	}
	return nil
}

// margin returns the sums of the trees.
func (s *scorer) margin() predict.Values {
	k := s.e.Outputs
	out := s.values(k)
	s.blocks(func(a, b int) { s.marginOf(out.Slice(a*k, b*k), a, b) })
	return out
}

// marginOf writes the margins of rows [a, b) to out.
func (s *scorer) marginOf(out predict.Values, a, b int) {
	if s.r.Base.Len() == 0 {
		s.trees.Margin(out, s.rows(a, b))
		return
	}
	s.trees.MarginFrom(out, s.rows(a, b), s.r.Base.Slice(a*s.e.Outputs, b*s.e.Outputs))
}

// answer returns the values, w for each row, of answer i or of the link.
func (s *scorer) answer(i, w int) predict.Values {
	k := s.e.Outputs
	out := s.values(w)
	s.blocks(func(a, b int) {
		margins := predict.MakeValues(out.Type(), (b-a)*k)
		s.marginOf(margins, a, b)
		s.trees.Answer(i, out.Slice(a*w, b*w), margins, s.rows(a, b))
	})
	return out
}

// leaves returns rows × trees leaf numbers.
func (s *scorer) leaves() ([]int32, error) {
	t := len(s.e.Trees)
	if t == 0 {
		return nil, fmt.Errorf("a %s model without trees has no leaves", s.e.Source.Booster)
	}
	leaves := make([]int32, s.n*t)
	s.blocks(func(a, b int) { s.trees.Leaf(leaves[a*t:b*t], s.rows(a, b)) })
	return leaves, nil
}

// rows returns rows [a, b).
func (s *scorer) rows(a, b int) predict.Values {
	return s.r.X.Slice(a*len(s.e.Features), b*len(s.e.Features))
}

// values returns room for w results of each row.
func (s *scorer) values(w int) predict.Values {
	return predict.MakeValues(predict.Type(s.e.Sum.String()), s.n*w)
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
