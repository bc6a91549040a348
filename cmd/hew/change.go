package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"hew/bench"
	"hew/internal/lossy"
	"hew/interp"
	"hew/ir"
	"hew/metric"
	"hew/predict"
)

// A change compares a model with what lossy passes made of it, on the same rows.
type change struct {
	before, after *ir.Ensemble
	rows          *lossy.Data
	x             predict.Values
	m             [2]predict.Values // margins before and after
}

func newChange(before, after *ir.Ensemble, d *lossy.Data) *change {
	c := &change{before: before, after: after, rows: d, x: narrowed(d.X, before.Input)}
	for i, e := range []*ir.Ensemble{before, after} {
		margin := make([]float64, c.numRows()*e.Outputs)
		interp.New(e).Margin64(margin, d.X)
		c.m[i] = narrowed(margin, e.Sum)
	}
	return c
}

func (c *change) numRows() int { return len(c.rows.X) / len(c.before.Features) }

// print tells what became of margins, predictions, labels and, if there are labels to
// compare with, the metric of the objective.
func (c *change) print(w io.Writer) error {
	printLine(w, "measured", "on %s rows", bench.Group(c.numRows()))
	printLine(w, "margins", "%s", distance(c.m[0], c.m[1], c.before.Outputs))
	if width := c.before.Width(); !c.isLabel() {
		p := [2]predict.Values{}
		for i, e := range []*ir.Ensemble{c.before, c.after} {
			p[i] = predict.MakeValues(c.m[i].Type(), c.numRows()*width)
			interp.New(e).Typed().Predict(p[i], c.x)
		}
		printLine(w, "predictions", "%s", distance(p[0], p[1], width))
	}
	if metric.NumClasses(c.before) > 0 {
		old := metric.PredictedClasses(c.before, c.m[0], c.x)
		now := metric.PredictedClasses(c.after, c.m[1], c.x)
		others := 0
		for i := range old {
			if old[i] != now[i] {
				others++
			}
		}
		printLine(w, "labels", "%s of %s are others", bench.Group(others), bench.Group(len(old)))
	}
	return c.printMetric(w)
}

// isLabel reports whether what the model predicts is the index of a class.
func (c *change) isLabel() bool {
	e := c.before
	if len(e.Answers) > 0 {
		return e.Answers[0].Labels != nil
	}
	return e.Link == ir.Argmax || e.Link == ir.Step
}

// printMetric tells what became of the metric. Without labels, or a metric that fits the
// model, it tells nothing.
func (c *change) printMetric(w io.Writer) error {
	m, err := metric.For(c.before)
	if err != nil || c.rows.Y == nil || m.Ranks() && c.rows.Query == nil {
		return nil
	}
	var value [2]float64
	for i, e := range []*ir.Ensemble{c.before, c.after} {
		p, width := m.Predictions(e, c.m[i], c.x)
		s, err := m.Judge(&metric.Data{Label: c.rows.Y, Weight: c.rows.Weight, Query: c.rows.Query}, p, width)
		if err != nil {
			return err
		}
		value[i] = s.Value(nil)
	}
	old, now, more := m.Loss(value[0]), m.Loss(value[1]), 0.0
	if now != old { // also of 0, which is no share of anything
		more = (now - old) / math.Abs(old)
	}
	printLine(w, m.Name, "%.6g → %.6g, loss %+.2f%%", value[0], value[1], 100*more)
	return nil
}

// distance says how far numbers of several outputs moved, each by itself.
func distance(before, after predict.Values, outputs int) string {
	most, sum := make([]float64, outputs), 0.0
	for i := range before.Len() {
		a, b := before.At(i), after.At(i)
		if a == b || a != a && b != b {
			continue
		}
		most[i%outputs] = max(most[i%outputs], math.Abs(b-a))
		sum += math.Abs(b - a)
	}
	var each []string
	for _, d := range most {
		each = append(each, strconv.FormatFloat(d, 'g', 3, 64))
	}
	return fmt.Sprintf("moved by at most %s, %.3g in the mean", strings.Join(each, ", "), sum/float64(max(before.Len(), 1)))
}
