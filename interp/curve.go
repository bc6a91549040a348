package interp

import (
	"math"
	"sort"

	"hew/internal/libm"
	"hew/ir"
)

// curve is an operation that is a curve rather than arithmetic.
func curve(o *ir.Op, x float64) float64 {
	switch o.Code {
	case ir.OpBin:
		if x != x {
			return x
		}
		return float64(sort.Search(len(o.Keys), func(i int) bool { return o.Keys[i] > x }))
	case ir.OpInterp:
		return interpolate(x, o.Keys, o.Values, 1)
	case ir.OpQuantile:
		return quantile(o, x)
	case ir.OpYeoJohnson:
		return yeoJohnson(o.A, o.B != 0, x)
	case ir.OpBoxCox:
		return boxCox(o.A, x)
	case ir.OpCall:
		return call(ir.Func(o.A), x)
	}
	panic("interp: unknown operation " + o.Code.String())
}

// interpolate is numpy.interp or, with sign -1, that of -x among the negated and
// reversed keys and values, negated again.
//
// Source: numpy/numpy:numpy/_core/src/multiarray/compiled_base.c, arr_interp.
func interpolate(x float64, keys, values []float64, sign float64) float64 {
	n := len(keys)
	key := func(i int) float64 { return keys[i] }
	value := func(i int) float64 { return values[i] }
	if sign < 0 {
		x = -x
		key = func(i int) float64 { return -keys[n-1-i] }
		value = func(i int) float64 { return -values[n-1-i] }
	}
	j := sort.Search(n, func(i int) bool { return key(i) > x }) - 1
	switch {
	case x != x:
		return x
	case j < 0:
		return sign * value(0)
	case j == n-1:
		return sign * value(n-1)
	case key(j) == x:
		return sign * value(j)
	}
	slope := (value(j+1) - value(j)) / (key(j+1) - key(j))
	y := float64(slope*(x-key(j))) + value(j)
	if y != y {
		y = float64(slope*(x-key(j+1))) + value(j+1)
		if y != y && value(j) == value(j+1) {
			y = value(j)
		}
	}
	return sign * y
}

// quantile follows sklearn/preprocessing/_data.py, QuantileTransformer._transform_col.
func quantile(o *ir.Op, x float64) float64 {
	const threshold = 1e-7
	normal := o.A != 0
	low, high := o.Keys[0], o.Keys[len(o.Keys)-1]
	y := float64(0.5 * (interpolate(x, o.Keys, o.Values, 1) + interpolate(x, o.Keys, o.Values, -1)))
	switch {
	case normal && x-threshold < low, !normal && x == low:
		y = 0
	case normal && x+threshold > high, !normal && x == high:
		y = 1
	}
	if !normal {
		return y
	}
	return clip(libm.Ndtri(y), libm.Ndtri(threshold-0x1p-52), libm.Ndtri(1-(threshold-0x1p-52)))
}

// yeoJohnson follows sklearn/preprocessing/_data.py,
// PowerTransformer._yeo_johnson_transform or, if stable, scipy.stats.yeojohnson.
func yeoJohnson(lambda float64, stable bool, x float64) float64 {
	const eps = 0x1p-52
	power := func(x, l float64) float64 {
		if stable {
			return libm.Expm1(float64(l*libm.Log1p(x))) / l
		}
		return (libm.Pow(x+1, l) - 1) / l
	}
	switch {
	case x >= 0 && math.Abs(lambda) < eps:
		return libm.Log1p(x)
	case x >= 0:
		return power(x, lambda)
	case x != x:
		return x
	case math.Abs(lambda-2) > eps:
		return -power(-x, 2-lambda)
	default:
		return -libm.Log1p(-x)
	}
}

// boxCox follows scipy/scipy:scipy/special/_boxcox.pxd, boxcox.
func boxCox(lambda, x float64) float64 {
	if math.Abs(lambda) < 1e-19 {
		return libm.Log(x)
	}
	if product := float64(lambda * libm.Log(x)); product < 709.78 {
		return libm.Expm1(product) / lambda
	}
	return (libm.Pow(x, lambda) - 1) / lambda
}

func call(f ir.Func, x float64) float64 {
	switch f {
	case ir.FuncLog:
		return libm.Log(x)
	case ir.FuncLog1p:
		return libm.Log1p(x)
	case ir.FuncLog2:
		return libm.Log2(x)
	case ir.FuncLog10:
		return libm.Log10(x)
	case ir.FuncExp:
		return libm.Exp(x)
	case ir.FuncExpm1:
		return libm.Expm1(x)
	case ir.FuncSqrt:
		return math.Sqrt(x)
	case ir.FuncCbrt:
		return libm.Cbrt(x)
	case ir.FuncSquare:
		return float64(x * x)
	case ir.FuncAbs:
		return math.Abs(x)
	case ir.FuncNegative:
		return -x
	case ir.FuncReciprocal:
		return 1 / x
	case ir.FuncSign:
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return x + 0 // NaN stays, -0 becomes 0
	case ir.FuncFloor:
		return math.Floor(x)
	case ir.FuncCeil:
		return math.Ceil(x)
	case ir.FuncRint:
		return math.RoundToEven(x)
	case ir.FuncTanh:
		return libm.Tanh(x)
	}
	panic("interp: unknown function " + f.String())
}
