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

// Log10 returns the decimal logarithm of x as glibc's log10 does.
//
// Source: glibc 2.36 sysdeps/ieee754/dbl-64/e_log10.c, which descends from
// FreeBSD:lib/msun/src/e_log10.c.
func Log10(x float64) float64 {
	k := int64(0)
	if x < 0x1p-1022 {
		switch {
		case x == 0:
			return math.Inf(-1)
		case x < 0:
			return math.NaN()
		}
		k = -54
		x *= 0x1p54
	}
	if !(x < math.Inf(1)) { // +Inf, NaN
		return x + x
	}
	bits := math.Float64bits(x)
	k += int64(bits>>52) - 1023
	i := uint64(k) >> 63
	x = math.Float64frombits(bits&0x000fffffffffffff | (0x3ff-i)<<52)
	y := float64(k + int64(i))
	z := float64(y*log10Log2Lo) + float64(log10InvLn10*Log(x))
	return z + float64(y*log10Log2Hi)
}

const (
	log10InvLn10 = 4.34294481903251816668e-01
	log10Log2Hi  = 3.01029995663611771306e-01
	log10Log2Lo  = 3.69423907715893078616e-13
)
