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

// Tanh returns the hyperbolic tangent of x as glibc's tanh does on a CPU with
// fused multiply-add.
//
// Source: glibc 2.36 sysdeps/ieee754/dbl-64/s_tanh.c, which descends from
// FreeBSD:lib/msun/src/s_tanh.c.
func Tanh(x float64) float64 {
	ax := math.Abs(x)
	switch {
	case x != x:
		return x + x
	case ax >= 22:
		return math.Copysign(1, x)
	case ax < 0x1p-55: // zeros too
		return x
	}
	var z float64
	if ax >= 1 {
		z = 1 - 2/(Expm1(2*ax)+2)
	} else {
		t := Expm1(-2 * ax)
		z = -t / (t + 2)
	}
	return math.Copysign(z, x)
}
