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
	case ir.OpCall:
		return call(ir.Func(o.A), x)
	}
	panic("interp: unknown operation " + o.Code.String())
}

func call(f ir.Func, x float64) float64 {
	switch f {
	case ir.FuncLog:
		return libm.Log(x)
	case ir.FuncLog1p:
		return libm.Log1p(x)
	case ir.FuncExp:
		return libm.Exp(x)
	case ir.FuncSqrt:
		return math.Sqrt(x)
	case ir.FuncSquare:
		return float64(x * x)
	case ir.FuncAbs:
		return math.Abs(x)
	}
	panic("interp: unknown function " + f.String())
}
