package xgboost

import (
	"math"
	"strconv"
)

// powersOf10 are exact as float64.
var powersOf10 = [23]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// scanFloat reads the decimal number at the start of b, correctly rounded to
// float32, and returns its length. The length is 0 if b does not start with a
// number, if the number may go on behind b, or if it needs more care than is
// taken here; parseFloat is for those.
//
// Digits that make an integer below 2⁵³ and a power of ten up to 10²² are exact as
// float64, so that their product or quotient is the decimal rounded once. Rounding
// that again, to float32, errs only if the float64 lies exactly halfway between
// two float32 numbers, which its low bits tell.
func scanFloat(b []byte) (f float32, n int) {
	i := 0
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		i = 1
	}
	first := i
	var digits uint64
	for i < len(b) && b[i]-'0' <= 9 {
		digits = digits*10 + uint64(b[i]-'0')
		i++
	}
	count, exponent := i-first, 0
	if count == 0 {
		return 0, 0
	}
	if i < len(b) && b[i] == '.' {
		i++
		point := i
		for i < len(b) && b[i]-'0' <= 9 {
			digits = digits*10 + uint64(b[i]-'0')
			i++
		}
		if i == point {
			return 0, 0
		}
		exponent = point - i
		count -= exponent
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		e, length := scanExponent(b[i+1:])
		if length == 0 {
			return 0, 0
		}
		exponent += e
		i += 1 + length
	}
	// 19 digits fit in 64 bits.
	if i == len(b) || count > 19 || digits >= 1<<53 || exponent < -22 || exponent > 22 {
		return 0, 0
	}
	x := float64(digits)
	if exponent < 0 {
		x /= powersOf10[-exponent]
	} else {
		x *= powersOf10[exponent]
	}
	const halfway, lowBits = 1 << 28, 1<<29 - 1 // of the 29 bits that float32 lacks
	const smallestNormal = 0x1p-126
	if x != 0 && (x < smallestNormal || x > math.MaxFloat32 || math.Float64bits(x)&lowBits == halfway) {
		return 0, 0
	}
	if negative {
		x = -x
	}
	return float32(x), i
}

// scanExponent reads what follows the e of a number and returns its length, or 0.
func scanExponent(b []byte) (e, n int) {
	i := 0
	negative := len(b) > 0 && b[0] == '-'
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		i = 1
	}
	first := i
	for i < len(b) && b[i]-'0' <= 9 {
		e = e*10 + int(b[i]-'0')
		i++
	}
	if i == first || i-first > 4 {
		return 0, 0
	}
	if negative {
		e = -e
	}
	return e, i
}

// parseFloat reads a number or one of the literals NaN, Infinity and -Infinity,
// which XGBoost writes and reads in this spelling only
// (dmlc/xgboost:src/common/json.cc). A number beyond the largest float32 is an
// error: XGBoost would have written Infinity.
func parseFloat(token []byte) (float32, bool) {
	switch string(token) {
	case "NaN":
		return float32(math.NaN()), true
	case "Infinity":
		return float32(math.Inf(1)), true
	case "-Infinity":
		return float32(math.Inf(-1)), true
	}
	if !isNumber(token) {
		return 0, false
	}
	v, err := strconv.ParseFloat(string(token), 32)
	return float32(v), err == nil
}

// isNumber reports whether token has the form of a number in JSON, leading zeros
// allowed.
func isNumber(token []byte) bool {
	token = trimSign(token, "-")
	rest := trimDigits(token)
	if len(rest) == len(token) {
		return false
	}
	if len(rest) > 0 && rest[0] == '.' {
		fraction := rest[1:]
		if rest = trimDigits(fraction); len(rest) == len(fraction) {
			return false
		}
	}
	if len(rest) > 0 && rest[0]|0x20 == 'e' {
		exponent := trimSign(rest[1:], "+-")
		return len(exponent) > 0 && len(trimDigits(exponent)) == 0
	}
	return len(rest) == 0
}

func trimDigits(b []byte) []byte {
	for len(b) > 0 && b[0]-'0' <= 9 {
		b = b[1:]
	}
	return b
}

func trimSign(b []byte, signs string) []byte {
	for i := range len(signs) {
		if len(b) > 0 && b[0] == signs[i] {
			return b[1:]
		}
	}
	return b
}

// scanInt reads the decimal integer at the start of b and returns its length. The
// length is 0 under the same conditions as in scanFloat.
func scanInt(b []byte) (v int32, n int) {
	i := 0
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		i = 1
	}
	first := i
	for i < len(b) && b[i]-'0' <= 9 {
		v = v*10 + int32(b[i]-'0')
		i++
	}
	if i == first || i-first > 9 || i == len(b) {
		return 0, 0
	}
	if negative {
		v = -v
	}
	return v, i
}
