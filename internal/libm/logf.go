package libm

import "math"

// The algorithm and its constants are those of Arm's optimized routines,
// Copyright (c) 2017-2018, Arm Limited; SPDX-License-Identifier: MIT.

// Logf returns the natural logarithm of x as glibc's logf does.
//
// Source: ARM-software/optimized-routines:math/logf.c and math/logf_data.c,
// which glibc has had since 2.27 (sysdeps/ieee754/flt-32/e_logf.c).
func Logf(x float32) float32 {
	ix := math.Float32bits(x)
	switch {
	case x == 0:
		return float32(math.Inf(-1))
	case x < 0:
		return float32(math.NaN())
	case x != x || ix == 0x7f800000:
		return x + x
	case ix < 0x00800000: // subnormal
		ix = math.Float32bits(x*0x1p23) - 23<<23
	}

	// x = 2**k z with z in [logfOff, 2 logfOff), an interval in 16 parts of which
	// part i has a centre c near z.
	tmp := ix - logfOff
	t := &logfTable[tmp>>19%16]
	k := int32(tmp) >> 23
	z := float64(math.Float32frombits(ix - tmp&0xff800000))

	// log(x) = log1p(z/c-1) + log(c) + k ln2, the first by a polynomial. The
	// conversions keep products and sums apart: no target may fuse them.
	r := float64(z*t.invc) - 1
	y0 := t.logc + float64(float64(k)*logfLn2)
	r2 := float64(r * r)
	y := float64(logfA1*r) + logfA2
	y = float64(logfA0*r2) + y
	y = float64(y*r2) + (y0 + r)
	return float32(y)
}

const (
	logfOff = 0x3f330000
	logfLn2 = 0x1.62e42fefa39efp-1
	logfA0  = -0x1.00ea348b88334p-2
	logfA1  = 0x1.5575b0be00b6ap-2
	logfA2  = -0x1.ffffef20a4123p-2
)

var logfTable = [16]struct{ invc, logc float64 }{
	{0x1.661ec79f8f3bep+0, -0x1.57bf7808caadep-2},
	{0x1.571ed4aaf883dp+0, -0x1.2bef0a7c06ddbp-2},
	{0x1.49539f0f010bp+0, -0x1.01eae7f513a67p-2},
	{0x1.3c995b0b80385p+0, -0x1.b31d8a68224e9p-3},
	{0x1.30d190c8864a5p+0, -0x1.6574f0ac07758p-3},
	{0x1.25e227b0b8eap+0, -0x1.1aa2bc79c81p-3},
	{0x1.1bb4a4a1a343fp+0, -0x1.a4e76ce8c0e5ep-4},
	{0x1.12358f08ae5bap+0, -0x1.1973c5a611cccp-4},
	{0x1.0953f419900a7p+0, -0x1.252f438e10c1ep-5},
	{0x1p+0, 0x0p+0},
	{0x1.e608cfd9a47acp-1, 0x1.aa5aa5df25984p-5},
	{0x1.ca4b31f026aap-1, 0x1.c5e53aa362eb4p-4},
	{0x1.b2036576afce6p-1, 0x1.526e57720db08p-3},
	{0x1.9c2d163a1aa2dp-1, 0x1.bc2860d22477p-3},
	{0x1.886e6037841edp-1, 0x1.1058bc8a07ee1p-2},
	{0x1.767dcf5534862p-1, 0x1.4043057b6ee09p-2},
}
