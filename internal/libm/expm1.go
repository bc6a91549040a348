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

// Expm1 returns e**x - 1 as glibc's expm1 does on a CPU with fused multiply-add.
//
// Source: glibc 2.36 sysdeps/ieee754/dbl-64/s_expm1.c, which descends from
// FreeBSD:lib/msun/src/s_expm1.c. FMA stands for each product that the compiler
// of glibc fused; the conversions keep the others apart.
func Expm1(x float64) float64 {
	hx := uint32(math.Float64bits(x)>>32) & 0x7fffffff
	switch {
	case x != x || math.IsInf(x, 1):
		return x + x
	case x > 7.09782712893383973096e+02:
		return math.Inf(1)
	case hx >= 0x4043687a && x < 0: // below -56 ln2
		return -1
	case hx < 0x3c900000: // |x| < 2**-54
		return x
	}

	// x = k ln2 + r; c corrects the rounding of r.
	k, c := 0, 0.0
	if hx > 0x3fd62e42 { // |x| > 0.5 ln2
		var hi, lo float64
		switch {
		case hx >= 0x3ff0a2b2: // |x| >= 1.5 ln2
			k = int(math.FMA(expm1InvLn2, x, math.Copysign(0.5, x)))
			hi = math.FMA(-float64(k), expm1Ln2Hi, x)
			lo = float64(float64(k) * expm1Ln2Lo)
		case x > 0:
			k, hi, lo = 1, x-expm1Ln2Hi, expm1Ln2Lo
		default:
			k, hi, lo = -1, x+expm1Ln2Hi, -expm1Ln2Lo
		}
		x = hi - lo
		c = (hi - x) - lo
	}
	return expm1Scaled(x, c, k)
}

// expm1Scaled returns 2**k e**(x+c) - 1 for a small x.
func expm1Scaled(x, c float64, k int) float64 {
	hfx := float64(0.5 * x)
	hxs := float64(x * hfx)
	h2 := float64(hxs * hxs)
	h4 := float64(h2 * h2)
	r1 := math.FMA(h2, math.FMA(hxs, expm1Q3, expm1Q2), math.FMA(hxs, expm1Q1, 1))
	r1 = math.FMA(h4, math.FMA(hxs, expm1Q5, expm1Q4), r1)
	t := math.FMA(-r1, hfx, 3)
	e := float64(hxs * ((r1 - t) / math.FMA(-x, t, 6)))
	if k == 0 {
		return x - math.FMA(x, e, -hxs)
	}
	e = math.FMA(x, e-c, -c) - hxs
	switch {
	case k == -1:
		return math.FMA(0.5, x-e, -0.5)
	case k == 1 && x < -0.25:
		return float64(-2 * (e - (x + 0.5)))
	case k == 1:
		return math.FMA(2, x-e, 1)
	case k <= -2 || k > 56:
		return expm1Times(1-(e-x), k) - 1
	case k < 20:
		return expm1Times((1-math.Ldexp(1, -k))-(e-x), k)
	}
	return expm1Times((x-(e+math.Ldexp(1, -k)))+1, k)
}

// expm1Times adds k to the exponent of y.
func expm1Times(y float64, k int) float64 {
	return math.Float64frombits(math.Float64bits(y) + uint64(int64(k))<<52)
}

const (
	expm1Ln2Hi  = 6.93147180369123816490e-01
	expm1Ln2Lo  = 1.90821492927058770002e-10
	expm1InvLn2 = 1.44269504088896338700e+00
	expm1Q1     = -3.33333333333331316428e-02
	expm1Q2     = 1.58730158725481460165e-03
	expm1Q3     = -7.93650757867487942473e-05
	expm1Q4     = 4.00821782732936239552e-06
	expm1Q5     = -2.01099218183624371326e-07
)
