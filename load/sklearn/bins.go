package sklearn

import (
	"fmt"
	"math"
	"slices"

	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// binsDiscretizer returns the number of the bin, or a column for each bin.
//
// Source: sklearn/preprocessing/_discretization.py, KBinsDiscretizer.transform:
// numpy.searchsorted among the inner edges, from the right.
func (r *reader) binsDiscretizer(o *record.Object, in []column) ([]column, error) {
	if versionOf(o, r.version) < 102 {
		return nil, fault.Unsupportedf("KBinsDiscretizer of scikit-learn before 1.2 is not supported; fit it again with a newer version")
	}
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
		c = c.plus(ir.Op{Code: ir.OpBin, Keys: e[1 : len(e)-1]})
		c.single = r.single
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
			out = append(out, hot)
		}
	}
	return out, nil
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
