package pickle_test

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/load/sklearn/internal/pickle"
	"hew/load/sklearn/internal/record"
)

// allow allows all names of packages known and numpy.
func allow(module, _ string) bool {
	pkg, _, _ := strings.Cut(module, ".")
	return pkg == "known" || pkg == "numpy" || pkg == "builtins"
}

// Parts of pickles.
const (
	dtypeF8     = "cnumpy\ndtype\n(S'f8'\nI0\nI1\ntR"
	dtypeV8     = "cnumpy\ndtype\n(S'V8'\nI0\nI1\ntR"
	dtypeO      = "cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR"
	reconstruct = "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
	wrapper     = "cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(Vdtype\n" + dtypeF8 + "Vorder\nVC\nVshape\n"
)

func TestRead(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"none", "N.", "None"},
		{"what follows does not count", "N.garbage", "None"},
		{"pop", "I1\nI2\n0.", "1"},
		{"pop of a mark", "I1\n(0.", "1"},
		{"pop to a mark", "I1\n(I2\nI3\n1.", "1"},
		{"dup", "I1\n2\x86.", "tuple[1 1]"},
		{"memo", "I5\np7\n0g7\n.", "5"},
		{"memo out of order", "I5\nq\x03I6\nq\x00I7\n\x940h\x02\x86.", "tuple[6 7]"},
		{"booleans of protocol 0", "(I01\nI00\nI1\nl.", "list[true false 1]"},
		{"long", "L-123456789012345678901234567890L\n.", "-123456789012345678901234567890"},
		{"long of no bytes", "\x8a\x00.", "0"},
		{"negative long", "\x8a\x01\xff.", "-1"},
		{"long with a zero byte", "\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00.", "18446744073709551615"},
		{"long that fits", "\x8a\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00.", "1"},
		{"floats", "(F1e400\nFnan\nF-inf\nl.", "list[+Inf NaN -Inf]"},
		{"str of Python 2", `S'a\n\'\\\x41\101\0'` + "\n.", `"a\n'\\AA\x00"`},
		{"str of Python 2 that is no text", `S"\xff"` + "\n.", "bytes ff"},
		{"binary str of Python 2", "U\x02\xc3\xbc.", `"ü"`},
		{"raw unicode escapes", "Va\xfc\\u20ac\\U0001f600\\x\n.", `"aü€😀\\x"`},
		{"set", "\x8f(I1\nI2\n\x90.", "set[1 2]"},
		{"frozenset", "(I1\n\x91.", "frozenset[1]"},
		{"dict", "(Va\nI1\nVb\nI2\nd.", `{"a":1 "b":2}`},
		{"items of a subclass of dict", "cknown\nC\n)\x81}b(Va\nI1\nu.", `known.C[]{}{"a":1}`},
		{"items of a subclass of list", "cknown\nC\n)\x81(I1\nI2\ne.", "known.C[][1 2]"},
		{"new with no named arguments", "cknown\nC\nI1\n\x85}\x92.", "known.C[1]"},
		{"attributes and slots", "cknown\nC\n)\x81}Va\nI1\ns}Vb\nI2\ns\x86b.", `known.C[]{"a":1 "b":2}`},
		{"slots alone", "cknown\nC\n)\x81N}Vb\nI2\ns\x86b.", `known.C[]{"b":2}`},
		{"a state of two that are no dicts", "cknown\nC\n)\x81I1\nI2\n\x86b.", "known.C[]tuple[1 2]"},
		{"object of protocol 0", "ccopy_reg\n_reconstructor\n(cknown\nC\nc__builtin__\nobject\nNtR.", "known.C[]"},
		{"object that extends dict", "ccopy_reg\n_reconstructor\n(cknown\nC\nc__builtin__\ndict\n}Va\nI1\nstR.", `known.C[]{"a":1}`},
		{"object of Cython", "cknown\n__pyx_unpickle_C\n(cknown\nC\nI99\n(F0.5\nttR.", "known.C[0.5]"},
		{"bytes of protocol 2", "c_codecs\nencode\n(V\xff\\u0001\nVlatin1\ntR.", "bytes ff01"},
		{"names of NumPy 2", "cnumpy._core.x\ny\n.", "numpy.core.x.y"},
		{"array without a state", reconstruct + ".", "|i1[0]"},
		{"array", reconstruct + "(I1\n(I1\nt" + dtypeF8 + "I00\nC\x0800000000tb.", "<f8[1]"},
		{"array of Python 2", reconstruct + "(I1\n(I1\nt" + dtypeF8 + "I00\nU\x0800000000tb.", "<f8[1]"},
		{"array of joblib", wrapper + "I2\n\x85ub0123456701234567.", "<f8[2]"},
		{"aligned array of joblib", wrapper + "I1\n\x85Vnumpy_array_alignment_bytes\nI16\nub\x03\xff\xff\xff01234567.", "<f8[1]"},

		{"empty", "", "error: byte 0: the file ends in the middle of the pickle"},
		{"unknown instruction", "\xff.", "error: byte 0: 0xff is no instruction of a pickle"},
		{"protocol 6", "\x80\x06N.", "error: byte 0: pickle protocol 6 is not supported; write the model with protocol 5 or earlier"},
		{"frame", "\x95\x01\x00\x00\x00\x00\x00\x00\x00", "error: byte 0: the file ends in the middle of the pickle"},
		{"huge text", "X\xff\xff\xff\xff", "error: byte 0: the file ends in the middle of the pickle"},
		{"huge bytearray", "\x96\xff\xff\xff\xff\xff\xff\xff\xff", "error: byte 0: the file ends in the middle of the pickle"},
		{"line without an end", "I1", "error: byte 0: the file ends in the middle of the pickle"},
		{"huge memo entry", "Nr\xff\xff\xff\xff.", "None"},
		{"text that is not UTF-8", "X\x01\x00\x00\x00\xff.", "error: byte 0: text is not valid UTF-8"},
		{"half of a surrogate pair", "V\\ud83d\n.", `error: byte 0: "\\ud83d" is no character`},
		{"no integer", "Ix\n.", `error: byte 0: "x" is no integer`},
		{"no number", "Fx\n.", `error: byte 0: "x" is no number`},
		{"no escape", "S'\\q'\n.", `error: byte 0: "\\q" is no escape in text`},
		{"no quotes", "Sabc\n.", `error: byte 0: "abc" is no quoted text`},
		{"huge long", "\x8b\x01\x10\x00\x00" + strings.Repeat("\x01", 4097) + ".", "error: byte 0: an integer of 4097 bytes is not supported"},
		{"append to a tuple", ")I1\na.", "error: byte 4: items are added to something that is no list"},
		{"append to a set", "\x8fI1\na.", "error: byte 4: items are added to something that is no list"},
		{"item of a list", "]I1\nI2\ns.", "error: byte 7: items are set in something that is no dict"},
		{"key without a value", "}(I1\nu.", "error: byte 5: a dict has a key without a value"},
		{"operand below the mark", "I1\nI2\n(\x86.", "error: byte 7: an instruction of the pickle has no operand"},
		{"call of a value", "I1\n)R.", "error: byte 4: something is called that is no function"},
		{"call without a tuple", "cknown\nC\n]R.", "error: byte 10: the arguments of a call are no tuple"},
		{"object of a value", "I1\n)\x81.", "error: byte 4: an object is created of something that is no class"},
		{"named arguments", "cknown\nC\n)}VA\nI1\ns\x92.", "error: byte 18: an object is created with named arguments, which is not supported"},
		{"state of a list", "]}b.", "error: byte 2: a state is given to something that has none"},
		{"name that is no text", "I1\nI2\n\x93.", "error: byte 6: the name of a class is no text"},
		{"name that is not printable", "ca\x1bb\nc\n.", `error: byte 0: refers to "a\x1bb.c", which is no part of a scikit-learn model; hew does not execute pickles`},
		{"long name", "c" + strings.Repeat("x", 257) + "\nc\n.", "error: byte 0: the name of a class has more than 256 bytes"},
		{"persistent id", "P1\n.", "error: byte 0: instruction PERSID refers to an object outside of the file"},
		{"next buffer", "\x97.", "error: byte 0: instruction NEXT_BUFFER refers to a buffer outside of the file; write the model without a buffer_callback"},
		{"arrays in other files", "cjoblib.numpy_pickle\nNDArrayWrapper\n.", "error: byte 0: arrays are in other files, as joblib before 0.10 wrote them; load the model in Python and dump it again with a newer joblib"},
		{"mapped arrays", "cjoblib._memmapping_reducer\n_strided_from_memmap\n.", "error: byte 0: an array is mapped from another file; load the model in Python without mmap_mode and dump it again"},
		{"bytes with large characters", "c_codecs\nencode\n(V\\u20ac\nVlatin1\ntR.", "error: byte 34: bytes are written as text with the character '€'"},
		{"bytes in another encoding", "c_codecs\nencode\n(Va\nVutf-8\ntR.", "error: byte 28: bytes are not written as text in Latin-1"},
		{"a value in itself", "]2a.", "error: a value contains itself"},
		{"a dict in its object", "cknown\nC\n)\x81p0\n}Vx\ng0\nsb.", "error: a value contains itself"},
		{"deep", "N" + strings.Repeat("\x85", 300) + ".", "error: values are nested more than 200 deep"},

		{"short array", reconstruct + "(I1\n(I2\nt" + dtypeF8 + "I00\nC\x0800000000tb.", "error: byte 116: 8 bytes of data for an array of shape [2] of <f8, which needs 16"},
		{"huge array", reconstruct + "(I1\n(I4611686018427387904\nI8\nt" + dtypeF8 + "I00\nC\x0800000000tb.", "error: byte 137: array of shape [4611686018427387904 8] of <f8 is too large"},
		{"empty array of huge shape", reconstruct + "(I1\n(I0\nI4611686018427387904\nt" + dtypeF8 + "I00\nC\x00tb.", "error: byte 129: array of shape [0 4611686018427387904] of <f8 is too large"},
		{"empty array of large shape", reconstruct + "(I1\n(I0\nI1048577\nt" + dtypeF8 + "I00\nC\x00tb.", "error: byte 117: array of shape [0 1048577] of <f8 has no data"},
		{"array of bits", reconstruct + "(I1\n(I1\ntcnumpy\ndtype\n(S'f3'\ntRI00\nC\x00tb.", `error: byte 94: dtype "f3" is not supported`},
		{"too few objects", reconstruct + "(I1\n(I2\nt" + dtypeO + "I00\n(I1\nltb.", "error: byte 111: 1 objects for an array of shape [2]"},
		{"huge array of joblib", wrapper + "I4611686018427387904\n\x85ub0123456701234567.", "error: byte 118: array of shape [4611686018427387904] of <f8 is too large"},
		{"long array of joblib", wrapper + "I3\n\x85ub0123456701234567.", "error: byte 100: the file ends in the middle of the pickle"},
		{"array of joblib among objects", wrapper + "I1\n\x85u0" + dtypeO + ".", "objects"},

		{"dtype that changes", dtypeF8 + "p1\n0" + reconstruct + "(I1\n(I1\ntg1\nI00\nC\x0800000000tbg1\n(I3\nV<\nNNNI80\nI1\nI0\ntb.", "error: byte 148: a dtype changes after it has been used"},
		{"dtype in itself", dtypeV8 + "p1\n(I3\nV|\nN(Va\nt}Va\n(g1\nI0\ntsI8\nI1\nI16\ntb.", `error: byte 68: field "a" is not valid`},
		{"dtype in its base", dtypeV8 + "p1\n(I3\nV|\n(g1\n(I1\nttNNI8\nI1\nI16\ntb.", "error: byte 61: a dtype contains itself"},
		{"field outside of its record", dtypeV8 + "(I3\nV|\nN(Va\nt}Va\n(" + dtypeF8 + "I1\ntsI8\nI1\nI16\ntb.", `error: byte 90: field "a" at byte 1 is outside of a record of 8 bytes`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := pickle.Read([]byte(c.data), allow)
			if err != nil {
				require.Equal(t, c.want, "error: "+strings.TrimPrefix(err.Error(), "standard input: "))
				return
			}
			require.Equal(t, c.want, spell(p.Value))
		})
	}
}

// spell spells a value.
func spell(v record.Value) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case string:
		return fmt.Sprintf("%q", v)
	case []byte:
		return fmt.Sprintf("bytes %x", v)
	case *record.List:
		return v.Kind + spellAll(v.Items)
	case *record.Dict:
		pairs := make([]string, len(v.Keys))
		for i := range pairs {
			pairs[i] = spell(v.Keys[i]) + ":" + spell(v.Values[i])
		}
		return "{" + strings.Join(pairs, " ") + "}"
	case *record.Array:
		return v.DType.String() + fmt.Sprint(v.Shape)
	case *record.Object:
		s := v.Class.String() + spellAll(v.Args)
		if v.State != nil {
			s += spell(v.State)
		}
		if v.Entries != nil {
			s += spell(v.Entries)
		}
		if v.Items != nil {
			s += spellAll(v.Items)
		}
		return s
	}
	return fmt.Sprint(v)
}

func spellAll(items []record.Value) string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = spell(item)
	}
	return "[" + strings.Join(out, " ") + "]"
}

func TestProtocol(t *testing.T) {
	for data, want := range map[string]string{
		"(dVa\nI1\ns.":                       "pickle protocol 0",
		"}q\x00.":                            "pickle protocol 1",
		"\x80\x03}q\x00.":                    "pickle protocol 3",
		"\x80\x02" + wrapper + "I0\n\x85ub.": "joblib",
	} {
		p, err := pickle.Read([]byte(data), allow)
		require.NoError(t, err, "%q", data)
		require.Equal(t, want, p.String())
	}
}

// largeArrays returns a pickle of n arrays of size bytes, which data spell.
func largeArrays(n int, data func(at byte) string) []byte {
	var b strings.Builder
	b.WriteString("\x80\x02](")
	for i := range n {
		b.WriteString(data(byte(i)))
	}
	b.WriteString("e.")
	return []byte(b.String())
}

// TestMemory checks that reading takes no memory for what is in the file as it is,
// and that text which stands for bytes takes as much as the bytes.
func TestMemory(t *testing.T) {
	const size = 1 << 20 // of an array
	length := string(binary.LittleEndian.AppendUint32(nil, size))
	shape := fmt.Sprintf("I%d\n", size/8)
	state := reconstruct + "(I1\n(" + shape + "t" + dtypeF8 + "I00\n"
	for name, c := range map[string]struct {
		data func(byte) string
		most float64 // bytes allocated per byte of the file
	}{
		"bytes":  {func(c byte) string { return state + "B" + length + strings.Repeat(string(rune(c)), size) + "tb" }, 0.01},
		"joblib": {func(c byte) string { return wrapper + shape + "\x85ub" + strings.Repeat(string(rune(c)), size) }, 0.01},
		"text": {func(c byte) string {
			return state + "c_codecs\nencode\n(X" + length + strings.Repeat(string(rune(c)), size) + "Vlatin1\ntRtb"
		}, 1.2},
	} {
		t.Run(name, func(t *testing.T) {
			file := largeArrays(16, c.data)
			var p *pickle.Pickle
			var err error
			allocated := allocatedBy(func() { p, err = pickle.Read(file, allow) })
			require.NoError(t, err)
			require.Less(t, float64(allocated), c.most*float64(len(file)))
			a := p.Value.(*record.List).Items[7].(*record.Array)
			require.Equal(t, strings.Repeat("\x07", size), string(a.Data))
		})
	}
}

// allocatedBy returns the bytes that f allocates in all.
func allocatedBy(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// TestBudget checks that what a few bytes ask for again and again is refused.
func TestBudget(t *testing.T) {
	text := "X\x00\x00\x10\x00" + strings.Repeat("a", 1<<20)
	again := "c_codecs\nencode\np1\n0" + text + "p2\n0(" + strings.Repeat("g1\ng2\n\x85R", 1000) + "l."
	_, err := pickle.Read([]byte(again), allow)
	require.ErrorContains(t, err, "the same text is decoded again and again")

	for _, flood := range []string{"N" + strings.Repeat("\x94", 1000), strings.Repeat("N", 1000), "]" + strings.Repeat("]a", 1000), "]" + strings.Repeat("2", 1000)} {
		_, err = pickle.ReadWithin([]byte(flood), allow, 500)
		require.ErrorContains(t, err, "a pickle of so many values is not supported")
	}
	_, err = pickle.Read([]byte(strings.Repeat("N", 1<<23+1)+"."), allow)
	require.ErrorContains(t, err, "a stack of more than 8388608 values")
}
