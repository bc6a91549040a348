package fold

import (
	"math"

	"hew/ir"
)

// breaks returns the values of x at which an operation may turn around, jump or
// begin or end to be NaN, in ascending order: between two of them, from the first
// up to but without the second, it ascends, descends or is NaN throughout. Two
// zeros are one value.
func breaks(o *ir.Op) []float64 {
	switch o.Code {
	case ir.OpAdd, ir.OpSub, ir.OpMul:
		if o.A == 0 || math.IsInf(o.A, 0) {
			return edges
		}
	case ir.OpDiv:
		if o.A == 0 || math.IsInf(o.A, 0) {
			return []float64{-math.MaxFloat64, 0, math.SmallestNonzeroFloat64, math.Inf(1)}
		}
	case ir.OpReplace, ir.OpEqual:
		return around(o.A)
	case ir.OpIn, ir.OpLookup:
		return around(o.Keys...)
	case ir.OpInterp, ir.OpQuantile:
		return around(o.Keys...)
	case ir.OpYeoJohnson:
		return []float64{-math.MaxFloat64, 0, math.Inf(1)}
	case ir.OpBoxCox:
		return []float64{0, math.SmallestNonzeroFloat64, math.Inf(1)}
	case ir.OpCall:
		return breaksOf[ir.Func(o.A)]
	}
	return nil
}

// edges set the infinities apart.
var edges = []float64{-math.MaxFloat64, math.Inf(1)}

var breaksOf = map[ir.Func][]float64{
	ir.FuncLog:        {0},
	ir.FuncLog2:       {0},
	ir.FuncLog10:      {0},
	ir.FuncLog1p:      {-1},
	ir.FuncSqrt:       {0},
	ir.FuncSquare:     {0},
	ir.FuncAbs:        {0},
	ir.FuncReciprocal: {0, math.SmallestNonzeroFloat64},
}

// around returns each key and the value above it.
func around(keys ...float64) []float64 {
	var b []float64
	for _, k := range keys {
		b = append(b, k+0, math.Nextafter(k, math.Inf(1))) // -0 becomes 0
	}
	return b
}

// rough reports whether an operation is only nearly monotone between its breaks.
func rough(o *ir.Op) bool {
	switch o.Code {
	case ir.OpQuantile:
		return o.A != 0
	case ir.OpYeoJohnson, ir.OpBoxCox:
		return true
	case ir.OpCall:
		switch ir.Func(o.A) {
		case ir.FuncLog, ir.FuncLog1p, ir.FuncLog2, ir.FuncLog10, ir.FuncExp, ir.FuncExpm1, ir.FuncCbrt, ir.FuncTanh:
			return true
		}
	}
	return false
}
