package nodiff

import (
	"math"
	"math/rand/v2"

	"hew/ir"
)

// float is a type in which an ensemble compares.
type float interface{ float32 | float64 }

// nextAfter is math.Nextafter in type F.
func nextAfter[F float](x, y F) F {
	switch x := any(x).(type) {
	case float32:
		return F(math.Nextafter32(x, float32(y)))
	default:
		return F(math.Nextafter(x.(float64), float64(y)))
	}
}

// beside returns v and its neighbours.
func beside[F float](v F) []F {
	inf := F(math.Inf(1))
	return []F{nextAfter(v, -inf), v, nextAfter(v, inf)}
}

func nan[F float]() F { return F(math.NaN()) }

// nans returns NaNs that differ in sign and payload: x86 makes negative ones.
func nans[F float]() []F {
	var v F
	switch any(v).(type) {
	case float32:
		return any([]float32{nan[float32](), math.Float32frombits(0xffc00000), math.Float32frombits(0xff800001)}).([]F)
	default:
		return any([]float64{nan[float64](), math.Float64frombits(0xfff8 << 48), math.Float64frombits(0xfff0<<48 | 1)}).([]F)
	}
}

// edges returns the numbers at the ends of the type; of float64 also some that
// float32 does not tell apart from one of them.
func edges[F float]() []F {
	inf, zero := F(math.Inf(1)), F(0)
	smallest, largest := nextAfter(zero, inf), nextAfter(inf, zero)
	values := []F{0, F(math.Copysign(0, -1)), inf, -inf, smallest, -smallest, largest, -largest}
	if _, ok := any(zero).(float64); ok {
		float32s := []float64{math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, math.MaxFloat32, -math.MaxFloat32}
		for _, v := range float32s {
			values = append(values, F(v), nextAfter(F(v), 0))
		}
	}
	return values
}

// anyBits returns a value of random bits.
func anyBits[F float](r *rand.Rand) F {
	var v F
	switch any(v).(type) {
	case float32:
		return any(math.Float32frombits(r.Uint32())).(F)
	default:
		return any(math.Float64frombits(r.Uint64())).(F)
	}
}

// round returns the value of type p that is nearest to v.
func round(p ir.Precision, v float64) float64 {
	if p == ir.Double {
		return v
	}
	return float64(float32(v))
}

// above returns the next value of type p above v.
func above(p ir.Precision, v float64) float64 {
	if p == ir.Double {
		return math.Nextafter(v, math.Inf(1))
	}
	return float64(math.Nextafter32(float32(v), float32(math.Inf(1))))
}

// largest returns the largest number of type p.
func largest(p ir.Precision) float64 {
	if p == ir.Double {
		return math.MaxFloat64
	}
	return math.MaxFloat32
}

// draw returns one of the values.
func draw[T any](r *rand.Rand, values []T) T { return values[r.IntN(len(values))] }

// ordinal numbers the values of the type in ascending order.
func ordinal[F float](x F) int64 {
	switch x := any(x).(type) {
	case float32:
		if b := int64(math.Float32bits(x)); b < 1<<31 {
			return b
		} else {
			return 1<<31 - b - 1
		}
	case float64:
		if b := math.Float64bits(x); b < 1<<63 {
			return int64(b)
		} else {
			return -int64(b-1<<63) - 1
		}
	}
	panic("nodiff: a type of its own")
}

// number returns the value of the type that ordinal numbers so.
func number[F float](i int64) F {
	negative := i < 0
	if negative {
		i = -i - 1
	}
	var x F
	switch any(x).(type) {
	case float32:
		x = F(math.Float32frombits(uint32(i)))
	case float64:
		x = F(math.Float64frombits(uint64(i)))
	}
	if negative {
		x = -x
	}
	return x
}
