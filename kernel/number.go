package kernel

import (
	"encoding/binary"
	"math"
)

// A numberForm is how the encoded form of a tree holds its leaf values: in the fewest
// bytes that hold all of them.
type numberForm uint8

const (
	asInt8 numberForm = iota // times a power of two, stated for the tree
	asInt16
	asBfloat16 // the upper half of a float32
	asFloat16  // of IEEE 754: binary16
	asFloat32
	asFloat64
	numberForms
)

// size returns the number of bytes of a number.
func (f numberForm) size() int { return [...]int{1, 2, 2, 2, 4, 8}[f] }

// scaled reports whether numbers are multiples of a power of two.
func (f numberForm) scaled() bool { return f <= asInt16 }

// number reads a number from the beginning of b. The exponent is that of the power of
// two of which scaled numbers are multiples.
func (f numberForm) number(b []byte, exponent int) float64 {
	switch f {
	case asInt8:
		return math.Ldexp(float64(int8(b[0])), exponent)
	case asInt16:
		return math.Ldexp(float64(int16(binary.LittleEndian.Uint16(b))), exponent)
	case asBfloat16:
		return float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16))
	case asFloat16:
		return float16(binary.LittleEndian.Uint16(b))
	case asFloat32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

// float16 returns the finite number that h encodes.
func float16(h uint16) float64 {
	exponent, fraction := int(h>>10&31), float64(h&(1<<10-1))
	if exponent == 0 {
		exponent++
	} else {
		fraction += 1 << 10
	}
	v := math.Ldexp(fraction, exponent-25)
	if h>>15 != 0 {
		return -v
	}
	return v
}
