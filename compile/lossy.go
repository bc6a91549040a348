package compile

import (
	"fmt"
	"math"
	"slices"
	"time"

	"hew/internal/lossy"
	"hew/interp"
	"hew/ir"
	"hew/predict"
	"hew/prune"
	"hew/quantize"
)

// Settings are the lossy passes that somebody asks for. The zero value is none.
type Settings struct {
	Prune    prune.Options
	Quantize quantize.Options

	// Rows are rows × features values, NaN is missing. Transform measures on them
	// what passes do; nothing if nil.
	Rows []float64
}

// ParseSettings reads the values of the flags --prune and --quantize.
func ParseSettings(pruneText, quantizeText string) (s Settings, err error) {
	if s.Prune, err = prune.Parse(pruneText); err != nil {
		return s, OptionError{fmt.Errorf("--prune: %w", err)}
	}
	if s.Quantize, err = quantize.Parse(quantizeText); err != nil {
		return s, OptionError{fmt.Errorf("--quantize: %w", err)}
	}
	return s, nil
}

// Passes returns the passes that s asks for, in the order in which they run.
func (s Settings) Passes() []lossy.Pass {
	return slices.Concat(s.Prune.Passes(), s.Quantize.Passes())
}

// changes says in words what s does.
func (s Settings) changes() []string {
	var all []string
	if text := s.Prune.String(); text != "" {
		all = append(all, "prune "+text)
	}
	if text := s.Quantize.String(); text != "" {
		all = append(all, "quantize "+text)
	}
	return all
}

// Transform rewrites e by the passes that s asks for, in place: first the exact ones
// that they build on, then each of them, then the exact ones that clean up behind
// them. The result is a model of its own; its Source says what was done to it. Without
// rows, d is nil.
//
// The report has the certified bound of each lossy pass and of all together: how far a
// margin may be from that of e before, on any row.
func (s Settings) Transform(e *ir.Ensemble, d *lossy.Data) (*Report, error) {
	r := &Report{Before: SizeOf(e), After: SizeOf(e), rows: s.Rows}
	if err := r.exact(e, "fold", "dead"); err != nil {
		return nil, err
	}
	if err := s.Prune.Check(e, d != nil); err != nil {
		return nil, fmt.Errorf("prune: %w", err)
	}
	if err := s.Quantize.Check(e, d != nil); err != nil {
		return nil, fmt.Errorf("quantize: %w", err)
	}
	before, all := e.Clone(), lossy.None(e.Outputs)
	if s.Rows != nil {
		r.margins = r.marginsOf(e)
	}
	first := r.margins
	for _, p := range s.Passes() {
		change, err := r.lossyStep(e, p, d)
		if err != nil {
			return nil, err
		}
		all = all.Plus(change)
	}
	if err := r.exact(e, "dead", "collapse"); err != nil {
		return nil, err
	}
	if len(s.Passes()) == 0 {
		r.Exact = true
		return r, nil
	}
	r.Bound = lossy.Certified(before, e, all)
	if s.Rows != nil {
		r.Moved = Moved(first, r.margins, e.Outputs) // the last passes are exact
	}
	for k, before := range e.Source.Bound { // of what was done to the file before
		if sum := r.Bound[k] + before; r.Bound[k] > 0 && before > 0 {
			r.Bound[k] = math.Nextafter(sum, math.Inf(1))
		} else {
			r.Bound[k] = sum
		}
	}
	e.Source.Changes = slices.Concat(e.Source.Changes, s.changes())
	e.Source.Bound = r.Bound
	return r, nil
}

// exact runs passes of the table by their names.
func (r *Report) exact(e *ir.Ensemble, names ...string) error {
	for _, name := range names {
		p := passes[slices.IndexFunc(passes, func(p pass) bool { return p.name == name })]
		if p.applies != nil && !p.applies(e) {
			continue
		}
		if err := r.step(e, p); err != nil {
			return err
		}
	}
	return nil
}

// lossyStep runs a lossy pass and reports what it did.
func (r *Report) lossyStep(e *ir.Ensemble, p lossy.Pass, d *lossy.Data) (lossy.Change, error) {
	s := Step{Pass: p.Name, Doc: p.Doc, Before: r.After}
	before, start := e.Clone(), time.Now()
	change, err := p.Run(e, d)
	if err != nil {
		return change, fmt.Errorf("pass %s: %w", p.Name, err)
	}
	s.Time = time.Since(start)
	s.Bound = lossy.Certified(before, e, change)
	if r.rows == nil {
		return change, r.finish(e, s)
	}
	now := r.marginsOf(e)
	s.Moved, r.margins = Moved(r.margins, now, e.Outputs), now
	if p.Name == "merge" || p.Name == "thresholds" {
		flips, err := quantize.CountFlips(before, e, r.rows)
		if err != nil {
			return change, fmt.Errorf("pass %s: %w", p.Name, err)
		}
		s.Flips = &flips
	}
	return change, r.finish(e, s)
}

// marginsOf returns the margins of e on the rows that passes are measured on.
func (r *Report) marginsOf(e *ir.Ensemble) predict.Values {
	m := make([]float64, len(r.rows)/len(e.Features)*e.Outputs)
	interp.New(e).Margin64(m, r.rows)
	return predict.ValuesOf(m)
}

// Moved returns, for each output, the largest change of a margin between rows × outputs
// margins before and after. One that is no number any more, or was none, moved
// infinitely far.
func Moved(before, after predict.Values, outputs int) []float64 {
	most := make([]float64, outputs)
	for i := range before.Len() {
		most[i%outputs] = max(most[i%outputs], distance(before.At(i), after.At(i)))
	}
	return most
}

// distance is that of two margins: 0 if neither is a number, and infinite if one is not.
func distance(a, b float64) float64 {
	switch d := math.Abs(b - a); {
	case a == b || a != a && b != b:
		return 0
	case d != d:
		return math.Inf(1)
	default:
		return d
	}
}
