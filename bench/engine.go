package bench

import (
	"errors"
	"fmt"
	"time"

	"hew/bench/measure"
	"hew/bench/worker"
	"hew/predict"
)

// An Engine is one way to score the rows of a run. It holds the rows, in the
// form in which it takes them.
type Engine struct {
	Name string

	// Foreign marks somebody else's engine. It owes nobody the trainer's bits:
	// its largest difference stands beside its time. Engines of our own whose
	// bits differ are given no speedup.
	Foreign bool

	// Measure scores the rows again and again for about d, as measure.Loop does.
	Measure func(s measure.Spec, d time.Duration) (measure.Sample, error)

	// Score scores the rows once.
	Score func() (Outputs, error)

	Build *Build // nil if nothing was compiled
}

// Outputs are what an engine answers for the rows of a run, row-major. A foreign
// engine may give margins or predictions alone, in numbers of another type, and no
// answers. Leaf is nil if there are no trees.
type Outputs struct {
	Margin, Predict predict.Values
	Answers         []predict.Values // those of the predictor, each computed from the margins
	Leaf            []int32
}

// Local returns the engine p, which scores the rows in x in this process.
func Local(name string, p predict.Predictor, x predict.Values) Engine {
	return Engine{
		Name: name,
		Measure: func(s measure.Spec, d time.Duration) (measure.Sample, error) {
			return measure.Slice(p, x, s, d)
		},
		Score: func() (Outputs, error) { return score(p, x), nil },
	}
}

// Remote returns a model of a worker as an engine. It gives the rows in x to
// the worker, which measures inside its own process.
func Remote(name string, c *worker.Client, model int, x predict.Values) (Engine, error) {
	if err := c.SetRows(model, x); err != nil {
		return Engine{}, err
	}
	return Engine{
		Name: name,
		Measure: func(s measure.Spec, d time.Duration) (measure.Sample, error) {
			return c.Measure(model, s, d)
		},
		Score: func() (o Outputs, err error) {
			err = c.Use(model, func(p predict.Predictor) { o = score(p, x) })
			return o, err
		},
	}, nil
}

func score(p predict.Predictor, x predict.Values) Outputs {
	rows := x.Len() / p.NumFeatures
	gives := func(width int) predict.Values { return predict.MakeValues(p.Output, rows*width) }
	o := Outputs{Margin: gives(p.NumMargins), Predict: gives(p.NumOutputs)}
	p.Margin(o.Margin, x)
	p.Predict(o.Predict, x)
	for i, a := range p.Answers {
		o.Answers = append(o.Answers, gives(a.Width))
		p.Answer(i, o.Answers[i], o.Margin, x)
	}
	if p.Leaf != nil {
		o.Leaf = make([]int32, rows*p.NumTrees)
		p.Leaf(o.Leaf, x)
	}
	return o
}

// checkShape reports outputs of a shape that o, the reference's, cannot be
// compared with.
func (o Outputs) checkShape(got Outputs, foreign bool) error {
	if foreign {
		if got.Margin.Len() == 0 && got.Predict.Len() == 0 {
			return errors.New("neither margins nor predictions")
		}
		o = o.without(got)
	}
	if err := checkValues("margins", o.Margin, got.Margin, foreign); err != nil {
		return err
	}
	if err := checkValues("predictions", o.Predict, got.Predict, foreign); err != nil {
		return err
	}
	if len(o.Answers) != len(got.Answers) {
		return fmt.Errorf("%d answers where the reference gives %d", len(got.Answers), len(o.Answers))
	}
	for i := range o.Answers {
		if err := checkValues(fmt.Sprintf("values of answer %d", i), o.Answers[i], got.Answers[i], foreign); err != nil {
			return err
		}
	}
	if len(o.Leaf) != len(got.Leaf) {
		return fmt.Errorf("%d leaf numbers where the reference gives %d", len(got.Leaf), len(o.Leaf))
	}
	return nil
}

// without returns o without what a foreign engine does not give.
func (o Outputs) without(got Outputs) Outputs {
	if got.Margin.Len() == 0 {
		o.Margin = predict.Values{}
	}
	if got.Predict.Len() == 0 {
		o.Predict = predict.Values{}
	}
	if got.Answers == nil {
		o.Answers = nil
	}
	if got.Leaf == nil {
		o.Leaf = nil
	}
	return o
}

func checkValues(what string, want, got predict.Values, foreign bool) error {
	if want.Len() != got.Len() {
		return fmt.Errorf("%d %s where the reference gives %d", got.Len(), what, want.Len())
	}
	if !foreign && got.Len() > 0 && want.Type() != got.Type() {
		return fmt.Errorf("%s of %s where the reference gives %s", what, got.Type(), want.Type())
	}
	return nil
}
