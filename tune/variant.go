package tune

import (
	"hew/compile"
	"hew/internal/lossy"
	"hew/ir"
	"hew/kernel"
	"hew/predict"
)

// A Variant is a model that was made smaller, ready to score.
type Variant struct {
	Ensemble  *ir.Ensemble
	Predictor predict.Predictor // of the ensemble
	Bound     []float64         // certified: how far a margin may be from the unpruned one, for each output

	// What it takes, after the exact passes.
	Trees, Nodes, Columns int
	Bytes                 int64 // of the tables
}

// A Maker makes the variant that a candidate describes. Passes may look at the rows
// in d. It is called concurrently; a candidate that cannot be made is an error that
// says why.
type Maker func(c Candidate, d *lossy.Data) (*Variant, error)

// MakerFor returns what makes variants of e, to be evaluated with the instructions of
// cpu and but for the exact passes named in without. e must not change meanwhile.
func MakerFor(e *ir.Ensemble, name string, cpu kernel.CPU, without ...string) Maker {
	return func(c Candidate, d *lossy.Data) (*Variant, error) {
		v := &Variant{Ensemble: e.Clone()}
		if c != (Candidate{}) {
			s, err := compile.ParseSettings(c.Prune, c.Quantize)
			if err != nil {
				return nil, err
			}
			r, err := s.Transform(v.Ensemble, d)
			if err != nil {
				return nil, err
			}
			v.Bound = r.Bound
		}
		g, err := compile.NewEngine(v.Ensemble, "auto", cpu, without...)
		if err != nil {
			return nil, err
		}
		size, columns := g.Tables()
		v.Predictor, v.Trees, v.Nodes, v.Columns, v.Bytes = g.Predictor(name), size.Trees, size.Nodes, columns, size.Bytes
		return v, nil
	}
}
