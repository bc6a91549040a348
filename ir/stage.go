package ir

import (
	"errors"
	"fmt"
)

// A Stage computes a vector of float64 numbers for a row from vectors that are
// known already: vector 0 holds the margins, vector i+1 what Post[i] gives. The
// arguments of a stage are vectors one after the other, Args in order; they make
// one vector x of the sum of their widths.
type Stage struct {
	Code  StageCode
	Args  []int32
	Width int // numbers that the stage gives

	A, B    float64
	Weights []float64
	Columns []Column // of StageDerive: read from the row; such a stage has no arguments
}

// A StageCode says what a Stage does with its arguments x, n numbers. A stage for
// which no width is told gives n numbers.
type StageCode uint8

// The stages.
const (
	StageConcat      StageCode = iota // x
	StageSelect                       // x[Weights[0]], x[Weights[1]], …: one for each weight
	StageDerive                       // Columns of the row, one number each
	StageDivide                       // x / A
	StageMultiply                     // x * A
	StageSubtract                     // x - A
	StageNegate                       // -x
	StageDifference                   // of two numbers: x[1] - x[0]; one number
	StageExpit                        // 1 / (1 + exp(-x)), with x multiplied by A before; A is 1 or 2
	StageExp                          // exp(x)
	StageSoftmax                      // exp(x - max), divided by their sum: from left to right or, if A is 1, as NumPy sums
	StageSoftmaxLog                   // exp(x - logsumexp(x)), as scikit-learn up to 1.3; A as for StageSoftmax
	StageComplement                   // of one number: 1 - x, x
	StageHalves                       // of one number: -x/2, x/2
	StageAnomaly                      // -(2 ** (-x / A)), IsolationForest's score
	StageAffine                       // Width sums: x·Weights[k*n:(k+1)*n] in order, then + Weights[Width*n+k]
	StageNormalize                    // x divided by its sum as NumPy sums, or by 1 if the sum is 0 and A is 1; if A is 2, 1/n each
	StageMean                         // of len(Weights) vectors of one width: their mean weighted by Weights, as numpy.average
	StageMeanAll                      // of A vectors of one width: their sum in order, divided by A
	StageMedian                       // weighted median of n numbers, as AdaBoostRegressor.predict; one number
	StageVotes                        // of n class numbers: for each of Width classes, the sum in order of the Weights that vote for it, and A times those that do not
	StageFirst                        // index of the first largest number; one number
	StagePositive                     // 1 if x > A, else 0
	StageNotNegative                  // 1 if x >= A, else 0
	StageClip                         // (min(max(x, -1), 1) + 1) / 2: probabilities of modified_huber
)

func (c StageCode) String() string {
	return name(c, "concat", "select", "derive", "divide", "multiply", "subtract", "negate", "difference", "expit",
		"exp", "softmax", "softmax-log", "complement", "halves", "anomaly", "affine", "normalize", "mean", "mean-all",
		"median", "votes", "first", "positive", "not-negative", "clip")
}

// An Answer is an output that a trainer's object gives: a vector by its name.
type Answer struct {
	// Name is what the output is called: predict for the value of a regressor,
	// proba, decision and score for what scikit-learn calls predict_proba,
	// decision_function and score_samples, label for the classes that predict
	// gives. Of several outputs with classes, proba_0, proba_1, … have one each.
	Name   string
	Vector int32 // 0 is the margins, i+1 is what Post[i] gives

	// Labels names the classes of a label, one list for each number of the
	// vector, which are indices into it.
	Labels []Labels
}

// Labels are the names of classes.
type Labels struct {
	Texts []string
	Type  LabelType // what they are for the trainer
}

// A LabelType is the trainer's type of class labels.
type LabelType uint8

// The types of labels.
const (
	TextLabel LabelType = iota
	IntLabel
	FloatLabel
	BoolLabel
)

func (t LabelType) String() string { return name(t, "text", "int", "float", "bool") }

// Answer returns the answer of the given name, or nil.
func (e *Ensemble) Answer(name string) *Answer {
	for i := range e.Answers {
		if e.Answers[i].Name == name {
			return &e.Answers[i]
		}
	}
	return nil
}

// VectorWidth returns the number of numbers in a vector: 0 is the margins, i+1
// is what Post[i] gives.
func (e *Ensemble) VectorWidth(vector int32) int {
	if vector == 0 {
		return e.Outputs
	}
	return e.Post[vector-1].Width
}

// Width returns the number of values that a prediction for a row has: those of
// the first answer, or of the link.
func (e *Ensemble) Width() int {
	if len(e.Answers) > 0 {
		return e.VectorWidth(e.Answers[0].Vector)
	}
	return e.Link.Width(e.Outputs)
}

// NeedsRow reports whether stages after the margins read the row.
func (e *Ensemble) NeedsRow() bool {
	for i := range e.Post {
		if e.Post[i].Code == StageDerive {
			return true
		}
	}
	return false
}

func (e *Ensemble) verifyPost() error {
	if len(e.Post) > 0 && len(e.Answers) == 0 {
		return errors.New("stages without answers")
	}
	for i := range e.Post {
		if err := e.verifyStage(i); err != nil {
			return fmt.Errorf("stage %d, %v: %w", i, e.Post[i].Code, err)
		}
	}
	names := map[string]bool{}
	for _, a := range e.Answers {
		if a.Name == "" || names[a.Name] {
			return fmt.Errorf("two answers named %q, or one without a name", a.Name)
		}
		names[a.Name] = true
		if a.Vector < 0 || int(a.Vector) > len(e.Post) {
			return fmt.Errorf("answer %s is vector %d of %d", a.Name, a.Vector, len(e.Post)+1)
		}
		if a.Labels != nil && len(a.Labels) != e.VectorWidth(a.Vector) {
			return fmt.Errorf("answer %s has %d lists of labels for %d numbers", a.Name, len(a.Labels), e.VectorWidth(a.Vector))
		}
	}
	return nil
}

func (e *Ensemble) verifyStage(i int) error {
	s := &e.Post[i]
	n := 0
	for _, a := range s.Args {
		if a < 0 || int(a) > i {
			return fmt.Errorf("argument %d is not a vector before it", a)
		}
		n += e.VectorWidth(a)
	}
	if (len(s.Args) == 0) != (s.Code == StageDerive) {
		return fmt.Errorf("%d arguments", len(s.Args))
	}
	for j := range s.Columns {
		if err := s.Columns[j].verify(len(e.Features)); err != nil {
			return fmt.Errorf("column %d: %w", j, err)
		}
	}
	want, err := s.width(e, n)
	if err == nil && (want != s.Width || s.Width < 1) {
		err = fmt.Errorf("width %d, want %d", s.Width, want)
	}
	return err
}

// width returns the width that s must have for n numbers, and reports arguments
// and constants that do not fit its code.
func (s *Stage) width(e *Ensemble, n int) (int, error) {
	weights := func(want int) error {
		if len(s.Weights) != want {
			return fmt.Errorf("%d weights, want %d", len(s.Weights), want)
		}
		for _, w := range s.Weights {
			if w != w {
				return errors.New("a weight is NaN")
			}
		}
		return nil
	}
	switch s.Code {
	case StageConcat, StageDivide, StageMultiply, StageSubtract, StageNegate, StageExpit, StageExp, StageSoftmax, StageSoftmaxLog, StageAnomaly, StageNormalize,
		StagePositive, StageNotNegative, StageClip:
		return n, nil
	case StageSelect:
		for _, w := range s.Weights {
			if !(w >= 0 && w < float64(n)) || w != float64(int(w)) {
				return 0, fmt.Errorf("index %v of %d numbers", w, n)
			}
		}
		return len(s.Weights), nil
	case StageDerive:
		return len(s.Columns), nil
	case StageDifference:
		return 1, exactly(n, 2)
	case StageComplement, StageHalves:
		return 2, exactly(n, 1)
	case StageAffine:
		return s.Width, weights(s.Width * (n + 1))
	case StageMean:
		return e.oneWidth(s, len(s.Weights))
	case StageMeanAll:
		return e.oneWidth(s, int(s.A))
	case StageMedian:
		return 1, weights(n)
	case StageVotes:
		return s.Width, weights(n)
	case StageFirst:
		return 1, nil
	}
	return 0, fmt.Errorf("unknown stage %d", s.Code)
}

func exactly(n, want int) error {
	if n != want {
		return fmt.Errorf("%d numbers, want %d", n, want)
	}
	return nil
}

// oneWidth returns the width that all arguments of s, count vectors, have.
func (e *Ensemble) oneWidth(s *Stage, count int) (int, error) {
	if len(s.Args) != count {
		return 0, fmt.Errorf("%d arguments, want %d", len(s.Args), count)
	}
	w := e.VectorWidth(s.Args[0])
	for _, a := range s.Args {
		if e.VectorWidth(a) != w {
			return 0, errors.New("arguments of different widths")
		}
	}
	return w, nil
}
