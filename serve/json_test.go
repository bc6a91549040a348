package serve_test

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/serve"
)

var jsonTexts = []string{
	`null`, `true`, `false`, `0`, `-0`, `1.5`, `1e5`, `1E+5`, `-1.25e-3`, `""`, `"a\"\\\/\b\f\n\r\tb"`, `"\u00e9\ud83d\ude00"`, `"é😀"`,
	`[]`, `{}`, ` [ 1 , 2 ] `, `{"a":{"b":[{}]}}`, `[[[[]]]]`, "\t\n\r 1", `{"a":1,"b":2}`, `18446744073709551616`, `123456789012345678901234567890`,
	``, ` `, `nul`, `tru`, `01`, `-`, `.5`, `5.`, `1e`, `1e+`, `+1`, `0x1`, `'a'`, `"`, `"a`, `"\x"`, `"\u12"`, `"\u12g4"`, `"\ud800"`, `"\ud800\u0041"`, "\"\x01\"", "\"\xff\"", "\"\\n\xff\"",
	`[`, `]`, `[1`, `[1,`, `[1,]`, `[,1]`, `[1 2]`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{a:1}`, `{"a" 1}`, `{"a":1 "b":2}`, `{1:2}`, `1 2`, `[]]`, `nullx`,
	`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, "\x00", "1\x00", `-NaN`, `--1`, `1-1`,
}

func TestJSONAgreesWithTheStandardLibrary(t *testing.T) {
	for _, text := range append(jsonTexts, strings.Repeat("[", 100)+strings.Repeat("]", 100)) {
		requireSameJSON(t, []byte(text))
	}
}

func FuzzJSON(f *testing.F) {
	for _, text := range jsonTexts {
		f.Add([]byte(text))
	}
	f.Fuzz(requireSameJSON)
}

// requireSameJSON makes sure that the reader accepts what encoding/json does,
// but for what it is documented to refuse or to accept.
func requireSameJSON(t *testing.T, b []byte) {
	t.Helper()
	err := serve.CheckJSON(b)
	special := strings.Contains(string(b), "NaN") || strings.Contains(string(b), "Infinity")
	switch valid := json.Valid(b); {
	case err == nil:
		require.True(t, valid || special, "accepted %q", b)
	case valid:
		require.Regexp(t, "duplicate key|UTF-8|lone surrogate|deep|more than 1024 keys", err.Error(), "refused %q", b)
	}
}

func TestJSONRefusals(t *testing.T) {
	many := "{"
	for i := range 1025 {
		many += `"k` + strconv.Itoa(i) + `":0,`
	}
	for text, want := range map[string]string{
		`{"a":1,"a":2}`:            `invalid JSON: duplicate key "a" before byte 11`,
		`{"a":1,"\u0061":2}`:       `invalid JSON: duplicate key "a" before byte 16`,
		`{"b":{"a":1,"a":2}}`:      `invalid JSON: duplicate key "a" before byte 16`,
		`"\ud800"`:                 `invalid JSON: lone surrogate before byte 7`,
		"\"\xff\"":                 `invalid JSON: the string before byte 3 is not UTF-8`,
		strings.Repeat("[", 1e5):   `invalid JSON: byte 100 is nested more than 100 deep`,
		strings.Repeat("[{", 1e5):  `invalid JSON: byte 2 is '[', want a key`,
		`[1,2`:                     `invalid JSON: it ends at byte 4, want ',' or ']'`,
		`[1,x]`:                    `invalid JSON: byte 3 is 'x', want a value`,
		`[01]`:                     `invalid JSON: byte 2 is '1', want no digit after a leading zero`,
		`[] []`:                    `invalid JSON: byte 3 is '[', want the end`,
		many + `"k":0}`:            `object before byte 9139 has more than 1024 keys`,
		many[:231] + `"k1":0}`:     `invalid JSON: duplicate key "k1" before byte 236`,
		many[:231] + `"k20":0}`:    `invalid JSON: duplicate key "k20" before byte 237`,
		"\"\x1f\"":                 `invalid JSON: byte 1 is '\x1f', want no control character in a string`,
		`"\q"`:                     `invalid JSON: byte 2 is 'q', want an escape`,
		`{"a":1`:                   `invalid JSON: it ends at byte 6, want ',' or '}'`,
		"[1]\x00":                  `invalid JSON: byte 3 is '\x00', want the end`,
		`{"a"}`:                    `invalid JSON: byte 4 is '}', want ':'`,
		`"abc`:                     `invalid JSON: it ends at byte 4, want '"'`,
		`-Inf`:                     `invalid JSON: byte 0 is '-', want a value`,
		strings.Repeat(`{"a":`, 9): `invalid JSON: it ends at byte 45, want a value`,
	} {
		require.EqualError(t, serve.CheckJSON([]byte(text)), want, "%.40q", text)
	}
	for _, text := range []string{"NaN", "[Infinity]", `{"a":-Infinity}`} {
		require.NoError(t, serve.CheckJSON([]byte(text)), text)
	}
}

var numberTexts = []string{
	"0", "-0", "0.1", "0.3", "1e-45", "1.4e-45", "7e-46", "1.17549435e-38", "1.1754943e-38", "3.4028235e38", "3.4028236e38", "3.40282356e38", "3.5e38", "1e39", "1e999", "-1e999", "1e-999",
	"16777217", "16777219", "9007199791611905", "9007199254740993", "1.00000005960464477539", "1.000000059604644775390625", "1.00000005960464477539062500001",
	"8.5e9", "8589973000", "123456789012345678901234567890", "0.000000000000000000000000000001", "1e22", "1e23", "5e-324", "1.7976931348623157e308", "1.8e308", "33554433e0", "0e999999999999", "1e-999999999999",
}

// Numbers must round as strconv does: to float32 once for FP32.
func TestNumberRounding(t *testing.T) {
	for _, text := range numberTexts {
		requireSameNumber(t, text)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		// Around the middle of two float32 numbers, with digits cut off
		// anywhere, and anything else.
		f := math.Float32frombits(rng.Uint32())
		middle := (float64(f) + float64(math.Nextafter32(f, 9e9))) / 2
		requireSameNumber(t, strings.Trim(strconv.FormatFloat(middle, 'g', rng.IntN(20)+1, 64), "+"))
		requireSameNumber(t, strconv.FormatFloat(float64(f), 'e', -1, 32))
		requireSameNumber(t, strconv.FormatFloat(rng.NormFloat64(), 'f', rng.IntN(12), 64))
	}
}

func FuzzNumber(f *testing.F) {
	for _, text := range numberTexts {
		f.Add(text)
	}
	f.Fuzz(requireSameNumber)
}

func requireSameNumber(t *testing.T, text string) {
	text = strings.TrimSpace(text)
	valid := json.Valid([]byte(text)) && strings.Trim(text, "+-.0123456789eE") == ""
	f32, ok32, f64, ok64, err := serve.Number([]byte(text))
	if valid != (err == nil) {
		t.Fatalf("%q: %v", text, err)
	}
	if !valid {
		return
	}
	want32, err32 := strconv.ParseFloat(text, 32)
	want64, err64 := strconv.ParseFloat(text, 64)
	if ok32 != (err32 == nil) || ok32 && math.Float32bits(f32) != math.Float32bits(float32(want32)) {
		t.Fatalf("%q as float32: %v %v, want %v %v", text, f32, ok32, want32, err32)
	}
	if ok64 != (err64 == nil) || ok64 && math.Float64bits(f64) != math.Float64bits(want64) {
		t.Fatalf("%q as float64: %v %v, want %v %v", text, f64, ok64, want64, err64)
	}
}

func TestIntegers(t *testing.T) {
	for text, want := range map[string]bool{
		"0": true, "-0": true, "1.0": true, "1e0": true, "1.50e1": true, "1e18": true, "9223372036854775807": true, "-9223372036854775808": true,
		"9223372036854775808": false, "-9223372036854775809": false, "18446744073709551615": false, "1.5": false, "1e-1": false, "1e19": false, "1e999": false, "0e999": true,
		"0.0e-99": true, "99999999999999999999999": false, "10e-1": true,
	} {
		v, negative, ok := serve.Integer([]byte(text))
		require.Equal(t, want, ok, text)
		if !ok {
			continue
		}
		got := new(big.Float).SetUint64(v)
		if negative {
			got.Neg(got)
		}
		exact, _, err := big.ParseFloat(text, 10, 200, big.ToNearestEven)
		require.NoError(t, err)
		require.Zero(t, exact.Cmp(got), text)
	}
}

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		`""`: "", `"a"`: "a", `"\"\\\/\b\f\n\r\t"`: "\"\\/\b\f\n\r\t", `"\u00e9\ud83d\ude00é"`: "é😀é", `"\u0000"`: "\x00",
	} {
		got, err := serve.Text([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, string(got))
	}
}

func TestWriting(t *testing.T) {
	for _, s := range []string{"", "plain", "\"\\/\b\f\n\r\t\x00\x1f", "é😀\u2028", "bad \xff utf-8"} {
		var got string
		require.NoError(t, json.Unmarshal(serve.AppendText(nil, s), &got))
		require.Equal(t, strings.ToValidUTF8(s, "\ufffd"), got)
	}
	append32 := func(f float32) string { return string(serve.AppendFloat(nil, float64(f), 32)) }
	for f, want := range map[float32]string{
		0: "0", 1: "1", -1.5: "-1.5", 0.1: "0.1", 1e-7: "1e-07", 1e21: "1e+21", 1e20: "100000000000000000000", 16777216: "16777216",
		math.MaxFloat32: "3.4028235e+38", math.SmallestNonzeroFloat32: "1e-45", float32(math.Inf(1)): "null", float32(math.Inf(-1)): "null",
	} {
		require.Equal(t, want, append32(f))
	}
	require.Equal(t, "null", append32(float32(math.NaN())))
	require.Equal(t, "-0", append32(float32(math.Copysign(0, -1))))
	rng := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		f, d := math.Float32frombits(rng.Uint32()), math.Float64frombits(rng.Uint64())
		if f-f == 0 {
			back, ok, _, _, err := serve.Number([]byte(append32(f)))
			require.True(t, ok && err == nil)
			if math.Float32bits(back) != math.Float32bits(f) {
				t.Fatalf("%v reads back as %v", f, back)
			}
		}
		if d-d == 0 {
			_, _, back, ok, err := serve.Number(serve.AppendFloat(nil, d, 64))
			require.True(t, ok && err == nil)
			if math.Float64bits(back) != math.Float64bits(d) {
				t.Fatalf("%v reads back as %v", d, back)
			}
		}
	}
}
