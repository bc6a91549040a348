package sklearn

import (
	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// standardScaler subtracts and then divides, in the type of the column.
//
// Source: sklearn/preprocessing/_data.py, StandardScaler.transform. Since 1.8 the
// numbers become float32 first for float32 rows; before, each step was computed in
// float64 and rounded.
func (r *reader) standardScaler(o *record.Object, in []column) ([]column, error) {
	mean, err := perColumn(o, "mean_", in)
	if err != nil {
		return nil, err
	}
	scale, err := perColumn(o, "scale_", in)
	if err != nil {
		return nil, err
	}
	if !truthOf(o, "with_mean", true) {
		mean = nil
	}
	if !truthOf(o, "with_std", true) {
		scale = nil
	}
	r.refuse(in, ir.Infinite)
	return scaled(o, in, mean, scale, versionOf(o, r.version) >= 108), nil
}

// robustScaler is like standardScaler.
func (r *reader) robustScaler(o *record.Object, in []column) ([]column, error) {
	center, err := perColumn(o, "center_", in)
	if err != nil {
		return nil, err
	}
	scale, err := perColumn(o, "scale_", in)
	if err != nil {
		return nil, err
	}
	if !truthOf(o, "with_centering", true) {
		center = nil
	}
	if !truthOf(o, "with_scaling", true) {
		scale = nil
	}
	r.refuse(in, ir.Infinite)
	return scaled(o, in, center, scale, false), nil
}

// scaled returns columns less a number and divided by another; rounded says that
// float32 columns take the numbers as float32. Sparse columns are multiplied by the
// reciprocal instead, which has the type of scale_.
func scaled(o *record.Object, in []column, less, by []float64, rounded bool) []column {
	a, _ := attr(o, "scale_").(*record.Array)
	inverse := func(v float64) float64 {
		if a != nil && a.DType.Kind == 'f' && a.DType.Size == 4 {
			return float64(1 / float32(v))
		}
		return 1 / v
	}
	out := make([]column, len(in))
	for j, c := range in {
		number := func(v float64) float64 {
			if c.single && rounded {
				return float64(float32(v))
			}
			return v
		}
		if less != nil {
			c = c.then(ir.Op{Code: ir.OpSub, A: number(less[j])})
		}
		if by != nil && c.sparse {
			c = c.then(ir.Op{Code: ir.OpMul, A: inverse(by[j])})
		} else if by != nil {
			c = c.then(ir.Op{Code: ir.OpDiv, A: number(by[j])})
		}
		out[j] = c
	}
	return out
}

// minMaxScaler multiplies, adds and perhaps clips.
//
// Source: sklearn/preprocessing/_data.py, MinMaxScaler.transform.
func (r *reader) minMaxScaler(o *record.Object, in []column) ([]column, error) {
	scale, err := numbers(o, "scale_")
	if err != nil {
		return nil, err
	}
	least, err := numbers(o, "min_")
	if err != nil {
		return nil, err
	}
	if len(scale) != len(in) || len(least) != len(in) {
		return nil, attrError(o, "scale_", "%d and %d numbers for %d columns", len(scale), len(least), len(in))
	}
	r.refuse(in, ir.Infinite)
	out := make([]column, len(in))
	for j, c := range in {
		out[j] = c.then(ir.Op{Code: ir.OpMul, A: scale[j]}, ir.Op{Code: ir.OpAdd, A: least[j]})
	}
	if !truthOf(o, "clip", false) {
		return out, nil
	}
	bounds, err := numbers(o, "feature_range")
	if err != nil || len(bounds) != 2 {
		return nil, attrError(o, "feature_range", "is not a pair of numbers")
	}
	return clipped(out, bounds[0], bounds[1]), nil
}

func clipped(in []column, low, high float64) []column {
	out := make([]column, len(in))
	for j, c := range in {
		a, b := low, high
		if c.single {
			a, b = float64(float32(a)), float64(float32(b))
		}
		out[j] = c.then(ir.Op{Code: ir.OpClip, A: a, B: b})
	}
	return out
}

// maxAbsScaler divides, and since 1.8 perhaps clips.
func (r *reader) maxAbsScaler(o *record.Object, in []column) ([]column, error) {
	scale, err := perColumn(o, "scale_", in)
	if err != nil {
		return nil, err
	}
	if scale == nil {
		return nil, fault.Formatf("MaxAbsScaler is not fitted")
	}
	r.refuse(in, ir.Infinite)
	out := scaled(o, in, nil, scale, false)
	if truthOf(o, "clip", false) {
		out = clipped(out, -1, 1)
	}
	return out, nil
}
