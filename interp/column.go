package interp

import (
	"fmt"
	"sort"

	"hew/ir"
)

// Column returns the value of c for a row whose features have the values in x.
func Column[In float](c *ir.Column, x []In) float64 {
	return Apply(c.Ops, float64(x[c.Feature]))
}

// Apply returns what the operations make of x.
func Apply(ops []ir.Op, x float64) float64 {
	for i := range ops {
		x = apply(&ops[i], x)
	}
	return x
}

// apply is one operation. Conversions keep products and sums apart.
func apply(o *ir.Op, x float64) float64 {
	switch o.Code {
	case ir.OpRound:
		return float64(float32(x))
	case ir.OpAdd:
		return x + o.A
	case ir.OpSub:
		return x - o.A
	case ir.OpMul:
		return float64(x * o.A)
	case ir.OpDiv:
		return x / o.A
	case ir.OpClip:
		return clip(x, o.A, o.B)
	case ir.OpFill:
		if x != x {
			return o.A
		}
		return x
	case ir.OpReplace:
		if x == o.A {
			return o.B
		}
		return x
	case ir.OpIsMissing:
		return truth(x != x)
	case ir.OpEqual:
		return truth(x == o.A)
	case ir.OpIn:
		_, ok := find(o.Keys, x)
		return truth(ok)
	case ir.OpLookup:
		return lookup(o, x)
	}
	return curve(o, x)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// clip is numpy.clip: a NaN stays.
func clip(x, low, high float64) float64 {
	switch {
	case x < low:
		return low
	case x > high:
		return high
	}
	return x
}

// find returns the index of x in keys, which ascend.
func find(keys []float64, x float64) (int, bool) {
	i := sort.SearchFloat64s(keys, x)
	return i, i < len(keys) && keys[i] == x
}

func lookup(o *ir.Op, x float64) float64 {
	if x != x {
		return o.B
	}
	if i, ok := find(o.Keys, x); ok {
		return o.Values[i]
	}
	return o.A
}

// columns returns the row that splits refer to: the columns of x, or x itself.
// scratch is memory that it may use.
func columns[In float](e *ir.Ensemble, x, scratch []In) []In {
	if e.Columns == nil {
		return x
	}
	for j := range e.Columns {
		v := Column(&e.Columns[j], x)
		if e.Input == ir.Single { // In may be float64 all the same
			v = float64(float32(v))
		}
		scratch[j] = In(v)
	}
	return scratch[:len(e.Columns)]
}

// Columns64 writes rows × columns values, those that splits refer to, for an
// ensemble that has Columns.
func (m *Engine) Columns64(dst, x []float64) {
	n, k := len(m.e.Features), len(m.e.Columns)
	if k == 0 {
		panic("interp: Columns64 of an ensemble without columns")
	}
	if rows := len(x) / n; len(x) != rows*n || len(dst) != rows*k {
		panic(fmt.Sprintf("interp: %d columns for %d values in rows of %d", len(dst), len(x), n))
	}
	for i := range len(x) / n {
		columns(m.e, x[i*n:(i+1)*n], dst[i*k:(i+1)*k])
	}
}
