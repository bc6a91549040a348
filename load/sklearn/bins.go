package sklearn

import (
	"fmt"
	"math"
	"slices"

	"hew/ir"
	"hew/load/sklearn/internal/record"
)

// binsDiscretizer returns the number of the bin, or a column for each bin.
//
// Source: sklearn/preprocessing/_discretization.py, KBinsDiscretizer.transform:
// numpy.searchsorted among the inner edges, from the right.
func (r *reader) binsDiscretizer(o *record.Object, in []column) ([]column, error) {
	edges, ok := itemsOf(attr(o, "bin_edges_"))
	if !ok || len(edges) != len(in) {
		return nil, attrError(o, "bin_edges_", "is not an array of %d arrays", len(in))
	}
	bins, err := perColumn(o, "n_bins_", in)
	if err != nil || bins == nil {
		return nil, attrError(o, "n_bins_", "is missing")
	}
	r.refuse(in, ir.Missing|ir.Infinite)
	var out []column
	for j, c := range in {
		e, err := numbersOf(edges[j])
		if err != nil || len(e) < 2 || !slices.IsSorted(e) {
			return nil, attrError(o, "bin_edges_", "entry %d does not ascend", j)
		}
		if c.typed(o).single && !c.single {
			r.refuse([]column{c}, ir.TooLarge)
			c = c.plus(ir.Op{Code: ir.OpRound})
		}
		c = c.typed(o)
		inner := e[1 : len(e)-1]
		if versionOf(o, r.version) < 101 {
			inner = widened(inner, c.single)
		}
		c = c.plus(ir.Op{Code: ir.OpBin, Keys: inner})
		if text(o, "encode") == "ordinal" {
			out = append(out, c)
			continue
		}
		if !(bins[j] >= 1 && bins[j] < float64(len(e))) {
			return nil, attrError(o, "n_bins_", "%v bins for %d edges", bins[j], len(e))
		}
		for k := range int(bins[j]) {
			hot := c.plus(ir.Op{Code: ir.OpEqual, A: float64(k)})
			hot.name = fmt.Sprintf("%s_%d.0", c.name, k)
			hot.sparse = text(o, "encode") == "onehot"
			out = append(out, hot)
		}
	}
	return out, nil
}

// widened returns the edges that numbers have to reach, given those that they reach when
// a hundred-thousandth is added to them, as scikit-learn did before 1.1.
func widened(edges []float64, single bool) []float64 {
	out := make([]float64, len(edges))
	for i, e := range edges {
		out[i] = smallest(single, func(x float64) bool {
			if single {
				x := float32(x)
				eps := float32(1e-8) + float32(float32(1e-5)*float32(math.Abs(float64(x))))
				return float64(x+eps) >= e
			}
			return x+(1e-8+float64(1e-5*math.Abs(x))) >= e
		})
	}
	return out
}

// smallest returns the smallest number, of float32 or float64, for which reached is
// true, and which it is for all larger ones.
func smallest(single bool, reached func(float64) bool) float64 {
	number := func(i int64) float64 { // in the order of the numbers, from -Inf on
		if i < 0 {
			i = math.MinInt64 - i
		}
		return math.Float64frombits(uint64(i))
	}
	low, high := int64(math.MinInt64)-int64(math.Float64bits(math.Inf(-1))), int64(math.Float64bits(math.Inf(1)))
	if single {
		number = func(i int64) float64 {
			if i < 0 {
				return float64(-math.Float32frombits(uint32(-i)))
			}
			return float64(math.Float32frombits(uint32(i)))
		}
		high = int64(math.Float32bits(float32(math.Inf(1))))
		low = -high
	}
	for low < high {
		if mid := low + int64(uint64(high-low)/2); reached(number(mid)) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return number(low)
}

// binarizer tells what is above a threshold.
func (r *reader) binarizer(o *record.Object, in []column) ([]column, error) {
	threshold, err := number(o, "threshold")
	if err != nil {
		return nil, err
	}
	r.refuse(in, ir.Missing|ir.Infinite)
	out := make([]column, len(in))
	for j, c := range in {
		t := threshold
		if c.single {
			t = float64(float32(t))
		}
		out[j] = c.plus(ir.Op{Code: ir.OpBin, Keys: []float64{math.Nextafter(t, math.Inf(1))}})
	}
	return out, nil
}
