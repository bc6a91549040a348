package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFormOf(t *testing.T) {
	negativeZero := math.Copysign(0, -1)
	for _, c := range []struct {
		values []float64
		form   numberForm
	}{
		{nil, asInt8},
		{[]float64{0, 0}, asInt8},
		{[]float64{127, -128}, asInt8},
		{[]float64{127.0 / 1024, -0.125}, asInt8},
		{[]float64{0x1p1000, -0x1p1006}, asInt8},
		{[]float64{0x1p-1074}, asInt8},
		{[]float64{128, 1}, asInt16},
		{[]float64{32767, -32768}, asInt16},
		{[]float64{0.125, 0.5 + 1.0/256}, asInt16},
		{[]float64{0x1p20, 1}, asBfloat16},
		{[]float64{1, negativeZero}, asBfloat16},
		{[]float64{0x1.fep127, -0x1p-126}, asBfloat16},
		{[]float64{math.Inf(1), 0.5}, asBfloat16},
		{[]float64{0x1.ffcp15, -0x1p-24}, asFloat16},
		{[]float64{0x1.ffcp15, 0x1p-24, negativeZero}, asFloat16},
		{[]float64{0x1.ffcp16, 0x1p-24}, asFloat32},
		{[]float64{0x1.ffcp15, 0x1p-25}, asFloat32},
		{[]float64{float64(float32(0.1))}, asFloat32},
		{[]float64{math.Inf(-1), 0.1}, asFloat64},
		{[]float64{0.1}, asFloat64},
		{[]float64{math.NaN()}, asFloat64},
	} {
		form, exponent := formOf(c.values)
		require.Equal(t, c.form, form, "%v", c.values)
		for _, v := range c.values {
			b := form.append(nil, v, exponent)
			require.Len(t, b, form.size())
			require.Equal(t, math.Float64bits(v), math.Float64bits(form.number(b, exponent)), "%v", c.values)
		}
		m := smallModel()
		if m.Trees[1].Vectors = c.values; len(c.values)%2 == 1 {
			m.Trees[1].Vectors = append(m.Trees[1].Vectors, c.values[0])
		}
		if len(c.values) > 0 && c.values[0] == c.values[0] {
			got, err := Decode(m.Encode())
			require.NoError(t, err)
			require.Equal(t, m, got)
		}
	}
}

func TestFloat16(t *testing.T) {
	for _, c := range []struct {
		h uint16
		v float64
	}{{0x3c00, 1}, {0xc000, -2}, {0x7bff, 65504}, {0x0400, 0x1p-14}, {0x03ff, 0x1p-14 - 0x1p-24}, {0x0001, 0x1p-24}} {
		require.Equal(t, c.v, float16(c.h))
	}
	for i := range 1 << 16 {
		if h := uint16(i); h>>10&31 != 31 {
			require.Equal(t, h, toFloat16(float16(h)))
			require.True(t, asFloat16.holds(float16(h), 0))
			require.False(t, asFloat16.holds(math.Nextafter(float16(h), 1e9), 0))
		}
	}
	for _, v := range []float64{65520, 1e9, math.Inf(-1), math.NaN(), 0x1p-25} {
		require.False(t, asFloat16.holds(v, 0))
	}
}
