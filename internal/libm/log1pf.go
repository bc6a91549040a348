package libm

import "math"

// ====================================================
// Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
//
// Developed at SunPro, a Sun Microsystems, Inc. business.
// Permission to use, copy, modify, and distribute this
// software is freely granted, provided that this notice
// is preserved.
// ====================================================

// Log1pf returns the natural logarithm of 1+x as glibc's log1pf does.
//
// Source: glibc 2.36 sysdeps/ieee754/flt-32/s_log1pf.c, which descends from
// FreeBSD:lib/msun/src/s_log1pf.c. All arithmetic is float32;
// the conversions keep products and sums apart.
func Log1pf(x float32) float32 {
	switch {
	case x == -1:
		return float32(math.Inf(-1))
	case x < -1:
		return float32(math.NaN())
	case !(x < float32(math.Inf(1))): // +Inf, NaN
		return x + x
	}
	hx := int32(math.Float32bits(x))
	switch ax := hx & 0x7fffffff; {
	case ax < 0x24800000: // |x| < 2**-54
		return x
	case ax < 0x31000000: // |x| < 2**-29
		return x - float32(float32(x*x)*0.5)
	}
	if hx < 0x3ed413d7 && (hx > 0 || hx <= -0x416a09e1) { // -0.2929 < x < 0.41422
		return log1pfReduced(x, 1, 0, 0)
	}

	// 1+x = 2**k (1+f); c corrects the rounding of the sum.
	u, c := x, float32(0)
	if hx < 0x5a000000 {
		u = 1 + x
		if math.Float32bits(u)>>23 > 127 {
			c = 1 - (u - x)
		} else {
			c = x - (u - 1)
		}
		c /= u
	}
	hu := int32(math.Float32bits(u))
	k := hu>>23 - 127
	hu &= 0x007fffff
	if hu < 0x3504f7 {
		u = math.Float32frombits(uint32(hu) | 0x3f800000)
	} else {
		k++
		u = math.Float32frombits(uint32(hu) | 0x3f000000)
		hu = (0x00800000 - hu) >> 2
	}
	return log1pfReduced(u-1, hu, float32(k), c)
}

// log1pfReduced returns log(1+f) + k ln2 + c, where hu is 0 if f is tiny.
func log1pfReduced(f float32, hu int32, k, c float32) float32 {
	hi, lo := float32(k*log1pfLn2Hi), float32(k*log1pfLn2Lo)+c
	hfsq := float32(float32(0.5*f) * f)
	if hu == 0 { // |f| < 2**-20
		if f == 0 {
			return hi + lo
		}
		r := float32(hfsq * (1 - float32(log1pfTwoThirds*f)))
		if k == 0 {
			return f - r
		}
		return hi - ((r - lo) - f)
	}
	s := f / (2 + f)
	z := float32(s * s)
	r := float32(log1pfC7)
	for _, l := range [...]float32{log1pfC6, log1pfC5, log1pfC4, log1pfC3, log1pfC2, log1pfC1} {
		r = l + float32(z*r)
	}
	r = float32(z * r)
	if k == 0 {
		return f - (hfsq - float32(s*(hfsq+r)))
	}
	return hi - ((hfsq - (float32(s*(hfsq+r)) + lo)) - f)
}

const (
	log1pfLn2Hi     = 0x1.62e3p-1
	log1pfLn2Lo     = 0x1.2fefa2p-17
	log1pfTwoThirds = 0x1.555556p-1
	log1pfC1        = 0x1.555556p-1
	log1pfC2        = 0x1.99999ap-2
	log1pfC3        = 0x1.24924ap-2
	log1pfC4        = 0x1.c71c52p-3
	log1pfC5        = 0x1.74664ap-3
	log1pfC6        = 0x1.39a09ep-3
	log1pfC7        = 0x1.2f112ep-3
)
