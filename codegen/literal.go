package codegen

import (
	"math"
	"strconv"
	"strings"
	"unicode"
)

// A number is a float32 constant in Go text: the shortest that the compiler
// rounds to v. Go has no literals for some numbers; the main file names them.
func number(v float64) string {
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
	return digits(v)
}

// digits returns v as a reader writes it, for comments.
func digits(v float64) string { return strconv.FormatFloat(v, 'g', -1, 32) }

// isSpecial reports whether v is one of the numbers without a literal.
func isSpecial(v float64) bool {
	return math.IsNaN(v) || math.IsInf(v, 0) || v == 0 && math.Signbit(v)
}

// keyOf returns the integer that stands for v in comparisons: keys are in the
// order of the numbers, and the two zeros have the same. Generated code says it
// again in keyText.
func keyOf(v float64) int32 {
	b := int32(math.Float32bits(float32(v)))
	sign := b >> 31
	return (b&math.MaxInt32 ^ sign) - sign
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
