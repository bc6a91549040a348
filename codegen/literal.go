package codegen

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"hew/ir"
)

// A number is a constant of type t in Go text: the shortest that the compiler
// rounds to v. Go has no literals for some numbers; the main file names them.
func number(v float64, t ir.Precision) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	case v == 0 && math.Signbit(v):
		return "negZero"
	}
	return digits(v, t)
}

// digits returns v, of type t, as a reader writes it, for comments.
func digits(v float64, t ir.Precision) string {
	if t == ir.Double {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 32)
}

// isSpecial reports whether v is one of the numbers without a literal.
func isSpecial(v float64) bool {
	return math.IsNaN(v) || math.IsInf(v, 0) || v == 0 && math.Signbit(v)
}

// keyOf returns the integer that stands for v in comparisons: keys are in the
// order of the numbers of type t, and the two zeros have the same. Generated code
// says it again in keyText.
func keyOf(v float64, t ir.Precision) int64 {
	if t == ir.Double {
		b := int64(math.Float64bits(v))
		sign := b >> 63
		return (b&math.MaxInt64 ^ sign) - sign
	}
	b := int32(math.Float32bits(float32(v)))
	sign := b >> 31
	return int64((b&math.MaxInt32 ^ sign) - sign)
}

// comment makes text from a model file fit for the end of a line comment: no
// line breaks, nothing invisible, no more than a line can hold.
func comment(text string) string {
	const limit = 80
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		if b.Len() >= limit {
			b.WriteString("…")
			break
		}
		if r == ' ' || unicode.IsGraphic(r) && !unicode.IsSpace(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return strings.TrimSpace(b.String())
}
