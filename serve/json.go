package serve

import (
	"bytes"
	"math"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A jsonReader reads one JSON text from the start to the end.
//
// It is own code because encoding/json is an order of magnitude slower on
// arrays of numbers, knows no NaN, lets duplicate keys pass and pulls in
// reflection. It accepts RFC 8259 and the tokens NaN, Infinity and -Infinity;
// it refuses duplicate keys, invalid UTF-8, lone surrogates, and nesting deeper
// than maxDepth.
//
// The first error sticks in err: from then on every method does nothing and
// more returns false, so that callers check once at the end.
type jsonReader struct {
	b     []byte
	i     int // next byte
	depth int
	err   *Error
}

const (
	maxDepth = 100  // as in Triton
	maxKeys  = 1024 // in an object whose keys are not features
)

func (r *jsonReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = invalid(format, args...)
	}
}

// refuse takes over an *Error of somebody else, if there is one.
func (r *jsonReader) refuse(err error) {
	if err != nil && r.err == nil {
		r.err = err.(*Error)
	}
}

func (r *jsonReader) syntax(want string) {
	switch {
	case r.err != nil:
	case r.i >= len(r.b):
		r.fail("invalid JSON: it ends at byte %d, want %s", r.i, want)
	default:
		r.fail("invalid JSON: byte %d is %q, want %s", r.i, r.b[r.i], want)
	}
}

// peek skips white space and returns the next byte, or 0 at the end and after
// an error.
func (r *jsonReader) peek() byte {
	if r.err != nil {
		return 0
	}
	for ; r.i < len(r.b); r.i++ {
		switch c := r.b[r.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// end makes sure that nothing follows.
func (r *jsonReader) end() {
	if r.peek() != 0 || r.err == nil && r.i < len(r.b) {
		r.syntax("the end")
	}
}

// enter reads the bracket that opens an array or object.
func (r *jsonReader) enter(open byte) {
	if r.peek() != open {
		r.syntax(what(open))
		return
	}
	if r.depth++; r.depth > maxDepth {
		r.fail("invalid JSON: byte %d is nested more than %d deep", r.i, maxDepth)
	}
	r.i++
}

func what(open byte) string {
	if open == '[' {
		return "an array"
	}
	return "an object"
}

// more reads the comma before element n of an array or object, or the bracket
// that closes it, and reports whether there is such an element.
func (r *jsonReader) more(closing byte, n int) bool {
	switch c := r.peek(); {
	case r.err != nil:
		return false
	case c == closing:
		r.i++
		r.depth--
		return false
	case n == 0:
		return true
	case c == ',':
		r.i++
		return true
	}
	r.syntax("',' or '" + string(rune(closing)) + "'")
	return false
}

// key reads a member's key and the colon.
func (r *jsonReader) key() []byte {
	if r.peek() != '"' {
		r.syntax("a key")
		return nil
	}
	key := r.text()
	if r.peek() != ':' {
		r.syntax("':'")
		return nil
	}
	r.i++
	return key
}

// A keySet finds duplicate keys in an object.
type keySet struct {
	n     int
	first [16][]byte // enough for the objects of the protocols
	rest  map[string]bool
}

// add fails if the key is there already, or if there are too many.
func (s *keySet) add(r *jsonReader, key []byte) {
	if r.err != nil {
		return
	}
	seen := s.rest[string(key)]
	for _, k := range s.first[:min(s.n, len(s.first))] {
		seen = seen || bytes.Equal(k, key)
	}
	switch {
	case seen:
		r.fail("invalid JSON: duplicate key %q before byte %d", key, r.i)
	case s.n == maxKeys:
		r.fail("object before byte %d has more than %d keys", r.i, maxKeys)
	case s.n < len(s.first):
		s.first[s.n] = key
	default:
		if s.rest == nil {
			s.rest = map[string]bool{}
		}
		s.rest[string(key)] = true
	}
	s.n++
}

// skip reads any value.
func (r *jsonReader) skip() {
	switch c := r.peek(); {
	case c == '{':
		var keys keySet
		r.enter('{')
		for n := 0; r.more('}', n); n++ {
			keys.add(r, r.key())
			r.skip()
		}
	case c == '[':
		r.enter('[')
		for n := 0; r.more(']', n); n++ {
			r.skip()
		}
	case c == '"':
		r.text()
	case c == 't':
		r.word("true")
	case c == 'f':
		r.word("false")
	case c == 'n' || isSpecial(r.b, r.i):
		r.special()
	default:
		r.number()
	}
}

// word reads a literal.
func (r *jsonReader) word(w string) {
	if r.err == nil && bytes.HasPrefix(r.b[r.i:], []byte(w)) {
		r.i += len(w)
		return
	}
	r.syntax("a value")
}

// bool reads true or false.
func (r *jsonReader) bool() bool {
	switch r.peek() {
	case 't':
		r.word("true")
		return r.err == nil
	case 'f':
		r.word("false")
	default:
		r.syntax("true or false")
	}
	return false
}

// isSpecial reports whether NaN or an infinity may begin at b[i].
func isSpecial(b []byte, i int) bool {
	if i < len(b) && b[i] == '-' {
		i++
	}
	return i < len(b) && (b[i] == 'N' || b[i] == 'I')
}

// special reads null or a token that JSON lacks.
func (r *jsonReader) special() float64 {
	switch r.peek() {
	case 'n':
		r.word("null")
		return nan
	case 'N':
		r.word("NaN")
		return nan
	case 'I':
		r.word("Infinity")
		return inf
	}
	r.word("-Infinity")
	return -inf
}

var (
	nan = math.NaN()
	inf = math.Inf(1)
)

// specialText returns what the words for special values in a string mean.
func specialText(text []byte) (float64, bool) {
	switch string(text) {
	case "NaN":
		return nan, true
	case "Infinity":
		return inf, true
	case "-Infinity":
		return -inf, true
	}
	return 0, false
}

// text reads a string. The result is part of the JSON text unless the string
// has escapes.
func (r *jsonReader) text() []byte {
	if r.peek() != '"' {
		r.syntax("a string")
		return nil
	}
	start := r.i + 1
	for i, ascii := start, true; i < len(r.b); i++ {
		switch c := r.b[i]; {
		case c == '"':
			r.i = i + 1
			if !ascii && !utf8.Valid(r.b[start:i]) {
				r.fail("invalid JSON: the string before byte %d is not UTF-8", r.i)
			}
			return r.b[start:i:i]
		case c == '\\':
			return r.escaped(start, i)
		case c < ' ':
			r.i = i
			r.syntax("no control character in a string")
			return nil
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	r.i = len(r.b)
	r.syntax(`'"'`)
	return nil
}

// escaped reads the rest of a string that has its first escape at byte i.
func (r *jsonReader) escaped(start, i int) []byte {
	text := bytes.Clone(r.b[start:i])
	for r.i = i; r.i < len(r.b); {
		switch c := r.b[r.i]; {
		case c == '"':
			r.i++
			if !utf8.Valid(text) {
				r.fail("invalid JSON: the string before byte %d is not UTF-8", r.i)
			}
			return text
		case c < ' ':
			r.syntax("no control character in a string")
			return nil
		case c != '\\':
			text = append(text, c)
			r.i++
		default:
			if text = r.escape(text); r.err != nil {
				return nil
			}
		}
	}
	r.syntax(`'"'`)
	return nil
}

// escape reads one escape and appends what it means to text.
func (r *jsonReader) escape(text []byte) []byte {
	r.i++
	if r.i >= len(r.b) {
		r.syntax("an escape")
		return nil
	}
	if r.b[r.i] == 'u' {
		return utf8.AppendRune(text, r.rune())
	}
	j := bytes.IndexByte([]byte(`"\/bfnrt`), r.b[r.i])
	if j < 0 {
		r.syntax("an escape")
		return nil
	}
	r.i++
	return append(text, "\"\\/\b\f\n\r\t"[j])
}

// rune reads u and four hex digits, twice for a surrogate pair.
func (r *jsonReader) rune() rune {
	c := r.hex()
	if !utf16.IsSurrogate(c) {
		return c
	}
	if bytes.HasPrefix(r.b[r.i:], []byte(`\u`)) {
		r.i++
		if c = utf16.DecodeRune(c, r.hex()); c != utf8.RuneError {
			return c
		}
	}
	r.fail("invalid JSON: lone surrogate before byte %d", r.i)
	return 0
}

func (r *jsonReader) hex() rune {
	if r.i+5 <= len(r.b) {
		if v, err := strconv.ParseUint(string(r.b[r.i+1:r.i+5]), 16, 32); err == nil {
			r.i += 5
			return rune(v)
		}
	}
	r.fail("invalid JSON: bad \\u escape at byte %d", r.i-1)
	return 0
}

// A number is the decimal number (-1)^neg × mant × 10^exp, or what text says
// if it has more digits than mant can hold.
type number struct {
	text  []byte
	mant  uint64
	exp   int
	neg   bool
	exact bool
}

// number reads a number.
func (r *jsonReader) number() number {
	r.peek()
	if r.err != nil {
		return number{}
	}
	b, start, i := r.b, r.i, r.i
	n := number{exact: true}
	if i < len(b) && b[i] == '-' {
		n.neg = true
		i++
	}
	whole := i
	i = n.digits(b, i)
	switch {
	case i == whole:
		r.i = i
		r.syntax("a value")
		return number{}
	case b[whole] == '0' && i > whole+1:
		r.i = whole + 1
		r.syntax("no digit after a leading zero")
		return number{}
	}
	if i < len(b) && b[i] == '.' {
		point := i + 1
		if i = n.digits(b, point); i == point {
			r.i = i
			r.syntax("a digit")
			return number{}
		}
		n.exp = point - i
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i = n.exponent(b, i+1); b[i-1]-'0' > 9 {
			r.i = i
			r.syntax("a digit")
			return number{}
		}
	}
	r.i = i
	n.text = b[start:i]
	return n
}

// digits reads digits from b[i] on into n.mant and returns where they end.
func (n *number) digits(b []byte, i int) int {
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		if n.mant >= math.MaxUint64/10 {
			n.exact = false
			continue
		}
		n.mant = n.mant*10 + uint64(b[i]-'0')
	}
	return i
}

// exponent reads the digits after e and returns where they end.
func (n *number) exponent(b []byte, i int) int {
	negative := i < len(b) && b[i] == '-'
	if negative || i < len(b) && b[i] == '+' {
		i++
	}
	e := 0
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		e = min(e*10+int(b[i]-'0'), 1e6) // far beyond any float
	}
	if negative {
		e = -e
	}
	n.exp += e
	return i
}

// pow10 are the powers of ten that float64 represents exactly.
var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// isShort reports whether mantissa and power are exact float64 numbers. Then one
// operation, that of quotient, rounds correctly: Clinger's short way.
func (n *number) isShort() bool {
	return n.exact && n.mant < 1<<53 && -22 <= n.exp && n.exp <= 22
}

func (n *number) quotient() float64 {
	f := float64(n.mant)
	if n.neg {
		f = -f
	}
	if n.exp < 0 {
		return f / pow10[-n.exp]
	}
	return f * pow10[n.exp]
}

// float64 returns the nearest float64, and false if it is out of range.
func (n *number) float64() (float64, bool) {
	if n.isShort() {
		return n.quotient(), true
	}
	f, err := strconv.ParseFloat(string(n.text), 64)
	return f, err == nil
}

// float32 returns the nearest float32, and false if it is out of range.
//
// Rounding the float64 once more is right unless that lies in the middle of two
// float32 numbers, where the digits that it lost may decide, or is subnormal.
func (n *number) float32() (float32, bool) {
	if n.isShort() {
		f := n.quotient()
		const lost, middle = 1<<29 - 1, 1 << 28
		if math.Float64bits(f)&lost != middle && (n.mant == 0 || math.Abs(f) >= 0x1p-126) && math.Abs(f) < math.MaxFloat32 {
			return float32(f), true
		}
	}
	f, err := strconv.ParseFloat(string(n.text), 32)
	return float32(f), err == nil
}

// integer returns the number's absolute value if it is integral and at most the
// limit for its sign; -3.0 and 3e2 are integral.
func (n *number) integer(maxNegative, maxPositive uint64) (uint64, bool) {
	v, exp := n.mant, n.exp
	if !n.exact {
		u, err := strconv.ParseUint(string(n.text), 10, 64) // 20 digits still fit
		v, exp = u, 0
		if err != nil {
			return 0, false
		}
	}
	for ; exp < 0 && v != 0; exp++ {
		if v%10 != 0 {
			return 0, false
		}
		v /= 10
	}
	for ; exp > 0 && v != 0; exp-- {
		hi, lo := bits.Mul64(v, 10)
		if hi != 0 {
			return 0, false
		}
		v = lo
	}
	if n.neg {
		return v, v <= maxNegative
	}
	return v, v <= maxPositive
}

// appendFloat appends the shortest text that reads back as the same number of so
// many bits. It is null if the value is not finite: JSON has no word for that.
func appendFloat(b []byte, f float64, bits int) []byte {
	abs := math.Abs(f)
	switch {
	case abs-abs != 0:
		return append(b, "null"...)
	case abs != 0 && (abs < 1e-6 || abs >= 1e21):
		return strconv.AppendFloat(b, f, 'e', -1, bits)
	}
	return strconv.AppendFloat(b, f, 'f', -1, bits)
}

// appendText appends s as a JSON string; invalid UTF-8 becomes U+FFFD.
func appendText[S string | []byte](b []byte, s S) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, c := range string(s) {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c == '\n':
			b = append(b, `\n`...)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return append(b, '"')
}
