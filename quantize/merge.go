package quantize

import (
	"math"

	"hew/internal/lossy"
	"hew/ir"
)

// merge is the pass that Merge asks for. From the smallest threshold of a feature
// upwards, those within Merge times the range of its finite thresholds form a group, and
// the one of them in the middle of the group's weight, which is what flips at its splits
// may change, stands for all. None is moved across zero.
func (o Options) merge(e *ir.Ensemble, _ *lossy.Data) (lossy.Change, error) {
	from := thresholds(e)
	weights := splitWeights(e, from)
	to := make([][]float64, len(from))
	for j, all := range from {
		to[j] = make([]float64, len(all))
		width := o.Merge * halfRange(all)
		for first := 0; first < len(all); {
			end := first + 1
			for end < len(all) && together(all[first], all[end], width) {
				end++
			}
			middle := first + median(weights[j][first:end])
			for i := first; i < end; i++ {
				to[j][i] = all[middle]
			}
			first = end
		}
	}
	return move(e, from, to), nil
}

// together reports whether thresholds a < b are in one group; width is half of what
// may lie between them, since the whole may be infinite.
func together(a, b, width float64) bool {
	return !math.IsInf(a, 0) && !math.IsInf(b, 0) && (a > 0) == (b > 0) && b/2-a/2 <= width
}

// halfRange returns half the distance between the smallest and the largest finite
// number of an ascending list.
func halfRange(all []float64) float64 {
	for len(all) > 0 && math.IsInf(all[0], 0) {
		all = all[1:]
	}
	for len(all) > 0 && math.IsInf(all[len(all)-1], 0) {
		all = all[:len(all)-1]
	}
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1]/2 - all[0]/2
}

// median returns the first index at which at least half of the weight is reached.
func median(weights []float64) int {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	sum := 0.0
	for i, w := range weights {
		if sum += w; sum >= total/2 {
			return i
		}
	}
	return 0 // weights that are not numbers
}
