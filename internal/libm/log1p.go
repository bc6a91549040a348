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

// Log1p returns the natural logarithm of 1+x as glibc's log1p does on a CPU with
// fused multiply-add.
//
// Source: glibc sysdeps/ieee754/dbl-64/s_log1p.c, which descends from
// FreeBSD:lib/msun/src/s_log1p.c. FMA stands for each product that the compiler
// of glibc fused; the conversions keep the others apart.
func Log1p(x float64) float64 {
	switch {
	case x == -1:
		return math.Inf(-1)
	case x < -1:
		return math.NaN()
	case !(x < math.Inf(1)): // +Inf, NaN
		return x + x
	}
	hx := int32(math.Float64bits(x) >> 32)
	switch ax := hx & 0x7fffffff; {
	case ax < 0x3c900000: // |x| < 2**-54
		return x
	case ax < 0x3e200000: // |x| < 2**-29
		return math.FMA(float64(x*x), -0.5, x)
	}
	if hx < 0x3fda827a && (hx > 0 || hx <= -0x402d413d) { // -0.2929 < x < 0.41422
		return log1pReduced(x, 1, 0, 0)
	}

	// 1+x = 2**k (1+f); c corrects the rounding of the sum.
	u, c := x, 0.0
	if hx < 0x43400000 {
		u = 1 + x
		if math.Float64bits(u)>>52 > 1023 {
			c = 1 - (u - x)
		} else {
			c = x - (u - 1)
		}
		c /= u
	}
	bits := math.Float64bits(u)
	hu := int32(bits >> 32)
	k := hu>>20 - 1023
	hu &= 0x000fffff
	high := uint64(hu) | 0x3ff00000
	if hu >= 0x6a09e {
		k++
		high = uint64(hu) | 0x3fe00000
		hu = (0x00100000 - hu) >> 2
	}
	u = math.Float64frombits(high<<32 | bits&0xffffffff)
	return log1pReduced(u-1, hu, float64(k), c)
}

// log1pReduced returns log(1+f) + k ln2 + c, where hu is 0 if f is tiny.
func log1pReduced(f float64, hu int32, k, c float64) float64 {
	lo := math.FMA(k, log1pLn2Lo, c)
	hfsq := float64(float64(0.5*f) * f)
	if hu == 0 { // |f| < 2**-20
		if f == 0 {
			return math.FMA(k, log1pLn2Hi, lo)
		}
		r := float64(hfsq * math.FMA(-0.66666666666666666, f, 1))
		if k == 0 {
			return f - r
		}
		return math.FMA(k, log1pLn2Hi, -((r - lo) - f))
	}
	s := f / (2 + f)
	z := float64(s * s)
	z2 := float64(z * z)
	z4 := float64(z2 * z2)
	z6 := float64(z4 * z2)
	r := math.FMA(z, log1pC1, float64(z2*math.FMA(z, log1pC3, log1pC2)))
	r = math.FMA(z4, math.FMA(z, log1pC5, log1pC4), r)
	r = math.FMA(z6, math.FMA(z, log1pC7, log1pC6), r)
	if k == 0 {
		return f - (hfsq - float64(s*(hfsq+r)))
	}
	return math.FMA(k, log1pLn2Hi, -((hfsq - (float64(s*(hfsq+r)) + lo)) - f))
}

const (
	log1pLn2Hi = 6.93147180369123816490e-01
	log1pLn2Lo = 1.90821492927058770002e-10
	log1pC1    = 6.666666666666735130e-01
	log1pC2    = 3.999999999940941908e-01
	log1pC3    = 2.857142874366239149e-01
	log1pC4    = 2.222219843214978396e-01
	log1pC5    = 1.818357216161805012e-01
	log1pC6    = 1.531383769920937332e-01
	log1pC7    = 1.479819860511658591e-01
)
