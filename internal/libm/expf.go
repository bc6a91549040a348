package libm

import "math"

// The algorithm and its constants are those of Arm's optimized routines,
// Copyright (c) 2017-2018, Arm Limited; SPDX-License-Identifier: MIT.

// Expf returns e**x as glibc's expf does on a CPU with fused multiply-add. glibc
// chooses that variant at run time; the plain one answers two of all float32
// arguments with another last bit.
//
// Source: ARM-software/optimized-routines:math/expf.c and math/exp2f_data.c,
// which glibc has had since 2.27 (sysdeps/ieee754/flt-32/e_expf.c). FMA stands
// for each product that the compiler of glibc fused.
func Expf(x float32) float32 {
	switch {
	case x != x:
		return x + x
	case x > 0x1.62e42ep6: // log(0x1p128)
		return float32(math.Inf(1))
	case x < -0x1.9fe368p6: // log(0x1p-150)
		return 0
	}

	// x = (k + r) ln2/32 with an integer k and |r| ≤ 1/2. Adding and subtracting
	// the shift rounds to an integer, whose bits end up at the low end.
	kd := math.FMA(expfInvLn2, float64(x), expfShift)
	k := math.Float64bits(kd)
	kd -= expfShift
	r := math.FMA(expfInvLn2, float64(x), -kd)

	// e**x = 2**(k/32) 2**(r/32), the second by a polynomial.
	s := math.Float64frombits(expfTable[k%32] + k<<47)
	p := math.FMA(expfC0, r, expfC1)
	q := math.FMA(expfC2, r, 1)
	y := math.FMA(p, float64(r*r), q)
	return float32(y * s)
}

const (
	expfInvLn2 = 0x1.71547652b82fep+0 * 32
	expfShift  = 0x1.8p+52
	expfC0     = 0x1.c6af84b912394p-5 / 32 / 32 / 32
	expfC1     = 0x1.ebfce50fac4f3p-3 / 32 / 32
	expfC2     = 0x1.62e42ff0c52d6p-1 / 32
)

// expfTable[i] is the bits of 2**(i/32) less i<<47, so that adding k<<47 gives
// the bits of 2**(k/32).
var expfTable = [32]uint64{
	0x3ff0000000000000, 0x3fefd9b0d3158574, 0x3fefb5586cf9890f, 0x3fef9301d0125b51,
	0x3fef72b83c7d517b, 0x3fef54873168b9aa, 0x3fef387a6e756238, 0x3fef1e9df51fdee1,
	0x3fef06fe0a31b715, 0x3feef1a7373aa9cb, 0x3feedea64c123422, 0x3feece086061892d,
	0x3feebfdad5362a27, 0x3feeb42b569d4f82, 0x3feeab07dd485429, 0x3feea47eb03a5585,
	0x3feea09e667f3bcd, 0x3fee9f75e8ec5f74, 0x3feea11473eb0187, 0x3feea589994cce13,
	0x3feeace5422aa0db, 0x3feeb737b0cdc5e5, 0x3feec49182a3f090, 0x3feed503b23e255d,
	0x3feee89f995ad3ad, 0x3feeff76f2fb5e47, 0x3fef199bdd85529c, 0x3fef3720dcef9069,
	0x3fef5818dcfba487, 0x3fef7c97337b9b5f, 0x3fefa4afa2a490da, 0x3fefd0765b6e4540,
}
