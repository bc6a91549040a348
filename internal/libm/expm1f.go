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

// Expm1f returns e**x - 1 as glibc's expm1f does.
//
// Source: glibc 2.36 sysdeps/ieee754/flt-32/s_expm1f.c, which descends from
// FreeBSD:lib/msun/src/s_expm1f.c. All arithmetic is float32;
// the conversions keep products and sums apart.
func Expm1f(x float32) float32 {
	ax := math.Float32bits(x) & 0x7fffffff
	switch {
	case x != x:
		return x + x
	case x > 0 && ax >= 0x42b17218: // x > log(0x1p128)
		return float32(math.Inf(1))
	case x < 0 && ax >= 0x4195b844: // x ≤ -27 ln2
		return -1
	case ax < 0x33000000: // |x| < 2**-25
		return x
	case ax <= 0x3eb17218: // |x| ≤ ln2/2
		e, hxs := expm1fReduced(x)
		return x - (float32(x*e) - hxs)
	}

	// x = k ln2 + r; c corrects the rounding of r.
	k := int32(1)
	if ax >= 0x3f851592 { // |x| ≥ 1.5 ln2
		half := float32(0.5)
		if x < 0 {
			half = -0.5
		}
		k = int32(float32(expm1fInvLn2*x) + half)
	} else if x < 0 {
		k = -1
	}
	hi, lo := x-float32(float32(k)*expm1fLn2Hi), float32(float32(k)*expm1fLn2Lo)
	r := hi - lo
	c := (hi - r) - lo
	e, hxs := expm1fReduced(r)
	return expm1fScaled(r, float32(r*(e-c))-c-hxs, k)
}

// expm1fReduced returns e and r²/2, where e**r - 1 = r - (r e - r²/2), for
// |r| ≤ ln2/2.
func expm1fReduced(r float32) (e, hxs float32) {
	hfx := float32(0.5 * r)
	hxs = float32(r * hfx)
	q := float32(expm1fQ5)
	for _, l := range [...]float32{expm1fQ4, expm1fQ3, expm1fQ2, expm1fQ1, 1} {
		q = l + float32(hxs*q)
	}
	t := 3 - float32(q*hfx)
	return float32(hxs * ((q - t) / (6 - float32(r*t)))), hxs
}

// expm1fScaled returns 2**k (1 + r - e) - 1.
func expm1fScaled(r, e float32, k int32) float32 {
	scale := func(y float32) float32 {
		return math.Float32frombits(math.Float32bits(y) + uint32(k)<<23)
	}
	switch {
	case k == -1:
		return float32(0.5*(r-e)) - 0.5
	case k == 1 && r < -0.25:
		return -2 * (e - (r + 0.5))
	case k == 1:
		return 1 + float32(2*(r-e))
	case k <= -2 || k > 56:
		return scale(1-(e-r)) - 1
	case k < 23:
		t := math.Float32frombits(0x3f800000 - 0x1000000>>k) // 1 - 2**-k
		return scale(t - (e - r))
	default:
		t := math.Float32frombits(uint32(127-k) << 23) // 2**-k
		return scale(r - (e + t) + 1)
	}
}

const (
	expm1fLn2Hi  = 0x1.62e3p-1
	expm1fLn2Lo  = 0x1.2fefa2p-17
	expm1fInvLn2 = 0x1.715476p+0
	expm1fQ1     = -0x1.111112p-5
	expm1fQ2     = 0x1.a01a02p-10
	expm1fQ3     = -0x1.4ce19ap-14
	expm1fQ4     = 0x1.0cfca8p-18
	expm1fQ5     = -0x1.afdb76p-23
)
