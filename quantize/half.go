package quantize

import (
	"math"

	"github.com/x448/float16"
)

// toF16 returns the nearest IEEE binary16 number, of two the even one.
func toF16(v float64) float64 {
	return float64(float16.Fromfloat32(odd(v)).Float32())
}

// toBF16 returns the nearest bfloat16 number, of two the even one: those are the
// float32 numbers whose lower 16 bits are zero.
func toBF16(v float64) float64 {
	if v != v || math.IsInf(v, 0) {
		return v
	}
	bits := math.Float32bits(odd(v))
	bits += 0x7fff + bits>>16&1
	return float64(math.Float32frombits(bits &^ 0xffff))
}

// odd returns v as a float32. If v is between two of them it is the one with an odd
// last bit: that one is no middle of two numbers of a narrower type, so that rounding
// it gives what rounding v itself would.
func odd(v float64) float32 {
	f := float32(v)
	if float64(f) == v || v != v {
		return f
	}
	if math.Abs(float64(f)) > math.Abs(v) {
		f = math.Nextafter32(f, 0)
	}
	return math.Float32frombits(math.Float32bits(f) | 1)
}
