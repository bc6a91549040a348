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
// engine may give margins or predictions alone, and Leaf is nil if there are no
// trees.
type Outputs struct {
	Margin, Predict []float32
	Leaf            []int32
}

// Local returns the engine p, which scores the rows in x in this process.
func Local(name string, p predict.Predictor, x []float32) Engine {
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
func Remote(name string, c *worker.Client, model int, x []float32) (Engine, error) {
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

func score(p predict.Predictor, x []float32) Outputs {
	rows := len(x) / p.NumFeatures
	o := Outputs{Margin: make([]float32, rows*p.NumMargins), Predict: make([]float32, rows*p.NumOutputs)}
	p.Margin(o.Margin, x)
	p.Predict(o.Predict, x)
	if p.Leaf != nil {
		o.Leaf = make([]int32, rows*p.NumTrees)
		p.Leaf(o.Leaf, x)
	}
	return o
}

// checkShape reports outputs of a shape that o, the reference's, cannot be
// compared with.
func (o Outputs) checkShape(got Outputs, foreign bool) error {
	switch {
	case foreign && got.Margin == nil && got.Predict == nil:
		return errors.New("neither margins nor predictions")
	case foreign && got.Margin == nil:
		o.Margin = nil
	case foreign && got.Predict == nil:
		o.Predict = nil
	}
	if foreign && got.Leaf == nil {
		o.Leaf = nil
	}
	for _, c := range []struct {
		what      string
		want, got int
	}{
		{"margins", len(o.Margin), len(got.Margin)},
		{"predictions", len(o.Predict), len(got.Predict)},
		{"leaf numbers", len(o.Leaf), len(got.Leaf)},
	} {
		if c.want != c.got {
			return fmt.Errorf("%d %s where the reference gives %d", c.got, c.what, c.want)
		}
	}
	return nil
}
