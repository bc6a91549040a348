package quantize

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"hew/internal/lossy"
	"hew/interp"
	"hew/ir"
)

// MaxBounds16 is the largest number of distinct thresholds that Uint16 leaves to a
// feature: one rank less than there are numbers of the type, and one for missing.
const MaxBounds16 = 1<<16 - 2

// maxBounds returns how many thresholds f leaves to a feature; 0 is any number.
func (f Format) maxBounds() int {
	switch f {
	case Uint8:
		return MaxBounds
	case Uint16:
		return MaxBounds16
	}
	return 0
}

func thresholdDoc(f Format) string {
	if n := f.maxBounds(); n > 0 {
		return fmt.Sprintf("leave each feature at most %d thresholds, so that a rank among them is a %v", n, f)
	}
	return fmt.Sprintf("round thresholds to %v", f)
}

// narrowThresholds is the pass that Thresholds asks for.
//
// Uint8 and Uint16 count the thresholds of a feature together, whichever way their
// splits send a missing value. Rank has the feature in two columns if they disagree
// about that, with the same bounds: the limit is one byte for a feature whose missing
// values all go one way, and two for others.
func (o Options) narrowThresholds(e *ir.Ensemble, d *lossy.Data) (lossy.Change, error) {
	if err := checkThresholds(e, o.Thresholds); err != nil {
		return lossy.Change{}, err
	}
	from := thresholds(e)
	if o.Thresholds.maxBounds() > 0 {
		return move(e, from, choose(e, d, from, o.Thresholds.maxBounds())), nil
	}
	to := make([][]float64, len(from))
	for j, all := range from {
		for _, t := range all {
			to[j] = append(to[j], roundThreshold(o.Thresholds, t))
		}
	}
	return move(e, from, to), nil
}

// roundThreshold returns the threshold of format f that is nearest to t. A positive
// threshold stays positive: zeros, which many rows have, stay on its left side.
func roundThreshold(f Format, t float64) float64 {
	round, least := toF16, 0x1p-24
	if f == BF16 {
		round, least = toBF16, 0x1p-133
	}
	if r := round(t); r != 0 || t <= 0 {
		return positiveZero(r)
	}
	return least
}

// checkThresholds reports the first threshold that f cannot hold.
func checkThresholds(e *ir.Ensemble, f Format) error {
	if f != F16 && f != BF16 {
		return nil
	}
	for i := range e.Trees {
		for j, n := range e.Trees[i].Nodes {
			if n.IsLeaf() || n.Set != ir.NoSet || math.IsInf(n.Threshold, 0) {
				continue
			}
			if math.IsInf(roundThreshold(f, n.Threshold), 0) {
				return &ir.NodeError{Tree: i, Node: j, Err: fmt.Errorf("threshold %v is beyond the range of %v%s", n.Threshold, f, wider(f))}
			}
		}
	}
	return nil
}

// wider suggests the format that holds what f is too narrow for.
func wider(f Format) string {
	if f == F16 {
		return "; use bf16"
	}
	return ""
}

// choose returns, for the thresholds of each column, those of them that stand in
// their place: at most limit of each column.
//
// Moving a threshold costs what the flipped decisions may change: for each split that
// has it, the share of training rows that reach the split, times the widest change
// of side there, times the share of rows between the old threshold and the new.
func choose(e *ir.Ensemble, d *lossy.Data, from [][]float64, limit int) [][]float64 {
	to := slices.Clone(from)
	var weights [][]float64
	for j, all := range from {
		if len(all) <= limit {
			continue
		}
		if weights == nil {
			weights = splitWeights(e, from)
		}
		to[j] = make([]float64, len(all))
		for i, c := range cluster(positions(e, d, j, all), weights[j], limit) {
			to[j][i] = all[c]
		}
	}
	return to
}

// positions returns how many rows lie below each threshold of column j, up to a
// factor that they have in common.
//
// Without rows, those between two neighbours are taken to be as many everywhere, as
// trainers choose thresholds among quantiles; zeros are taken to be as many as all
// others, so that no threshold moves across zero as long as there are others to move.
// With rows, one more is spread evenly, so that the distance of two is never nothing.
func positions(e *ir.Ensemble, d *lossy.Data, j int, thresholds []float64) []float64 {
	n := len(thresholds)
	p := make([]float64, n)
	if d == nil || len(d.X) == 0 {
		for i, t := range thresholds {
			p[i] = float64(i)
			if t > 0 {
				p[i] += float64(n)
			}
		}
		return p
	}
	below := make([]float64, n+1) // weight of the rows in [thresholds[i-1], thresholds[i])
	for i := range len(d.X) / len(e.Features) {
		x := columnValue(e, d.X[i*len(e.Features):], j)
		if x != x {
			continue
		}
		at, _ := slices.BinarySearchFunc(thresholds, x, func(t, x float64) int {
			return cmp.Or(cmp.Compare(t, x), -1) // the first one above x
		})
		w := 1.0
		if d.Weight != nil {
			w = d.Weight[i]
		}
		below[at] += w
	}
	sum := 0.0
	for i := range p {
		sum += below[i]
		p[i] = sum + float64(i)/float64(n)
	}
	return p
}

// columnValue returns what splits on column j see of a row.
func columnValue(e *ir.Ensemble, row []float64, j int) float64 {
	x := 0.0
	if e.Columns == nil {
		x = row[j]
	} else {
		x = interp.Column(&e.Columns[j], row)
	}
	if e.Input == ir.Single {
		return float64(float32(x))
	}
	return x
}

// splitWeights returns, for each threshold, the sum over its splits of the share of
// training rows that reach them times the widest change of side there.
func splitWeights(e *ir.Ensemble, from [][]float64) [][]float64 {
	weights := make([][]float64, len(from))
	for j := range from {
		weights[j] = make([]float64, len(from[j]))
	}
	reach := make([][]float64, len(e.Trees))
	for t := range reach {
		reach[t] = shares(&e.Trees[t])
	}
	for k := range e.Outputs {
		eachTurn(e, k, func(t, i int, left, right span) {
			n := &e.Trees[t].Nodes[i]
			if n.Set != ir.NoSet {
				return
			}
			widest := max(left.high-right.low, right.high-left.low)
			if w := reach[t][i] * widest; w <= math.MaxFloat32 { // infinite leaves say nothing
				at, _ := slices.BinarySearch(from[n.Feature], n.Threshold)
				weights[n.Feature][at] += w
			}
		})
	}
	return weights
}

// shares returns, for each node of t, the share of training rows that reach it; where
// the cover does not tell, half of those that reach its parent.
func shares(t *ir.Tree) []float64 {
	s := make([]float64, len(t.Nodes))
	s[0] = 1
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.IsLeaf() {
			continue
		}
		left := 0.5
		if a, b := float64(t.Nodes[n.Left].Cover), float64(t.Nodes[n.Right].Cover); a > 0 && b > 0 {
			left = a / (a + b)
		}
		s[n.Left], s[n.Right] = s[i]*left, s[i]*(1-left)
	}
	return s
}
