package libm

import "math"

// Cbrt returns the cube root of x with the bits of glibc's cbrt: a polynomial for
// the root of the fraction, one step of Halley's iteration, and the root of the
// power of two. Conversions keep products and sums apart.
//
// The coefficients are those of glibc 2.36 sysdeps/ieee754/dbl-64/s_cbrt.c.
func Cbrt(x float64) float64 {
	if x == 0 || x-x != 0 { // zeros, infinities, NaN
		return x + x
	}
	f, exp := math.Frexp(math.Abs(x))
	root := cbrtStart[0]
	for _, c := range cbrtStart[1:] {
		root = float64(root*f) + c
	}
	cube := float64(float64(root*root) * root)
	root = float64(root*(cube+2*f)) / (2*cube + f)
	root = float64(root * cbrtPower[2+exp%3])
	return math.Copysign(math.Ldexp(root, exp/3), x)
}

var cbrtStart = [...]float64{-0.145263899385486377, 0.784932344976639262, -1.83469277483613086, 2.44693122563534430,
	-2.11499494167371287, 1.50819193781584896, 0.354895765043919860}

// cbrtPower holds 2**(i/3) for i from -2 to 2; the first two are quotients of the
// rounded others.
var cbrtPower = [...]float64{0x1.428a2f98d728ap-1, 0x1.965fea53d6e3cp-1, 1, 1.2599210498948731648, 1.5874010519681994748}
