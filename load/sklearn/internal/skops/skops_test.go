package skops

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/load/sklearn/internal/record"
)

func allow(module, _ string) bool { return module == "known" }

// npy returns a .npy file of the given header and data.
func npy(header string, data ...byte) []byte {
	b := append([]byte(npyMagic+"\x01\x00"), 0, 0)
	binary.LittleEndian.PutUint16(b[8:], uint16(len(header)))
	return append(append(b, header...), data...)
}

// archiveOf returns an archive of a schema and one array, a.npy, of the bytes 1 and 2.
func archiveOf(t testing.TB, schema string, method uint16) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, data := range map[string][]byte{
		"schema.json": []byte(schema),
		"a.npy":       npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n", 1, 2),
	} {
		if name == "a.npy" && !strings.Contains(schema, name) {
			continue
		}
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		require.NoError(t, err)
		_, err = f.Write(data)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// Parts of schemas.
const (
	one     = `{"__loader__":"JsonNode","content":"1"}`
	two     = `{"__loader__":"JsonNode","content":"2"}`
	str     = `{"__loader__":"TypeNode","__module__":"builtins","__class__":"str"}`
	array   = `{"__loader__":"NdArrayNode","__module__":"numpy","__class__":"ndarray","type":"numpy","file":"a.npy"}`
	tuple12 = `{"__loader__":"TupleNode","__module__":"builtins","__class__":"tuple","content":[` + one + `,` + two + `]}`
	list12  = `{"__loader__":"ListNode","__module__":"builtins","__class__":"list","content":[` + one + `,` + two + `]}`
)

func class(loader, rest string) string {
	return `{"__loader__":"` + loader + `","__module__":"known","__class__":"C"` + rest + `}`
}

func list(items ...string) string {
	return `{"__loader__":"ListNode","__module__":"builtins","__class__":"list","content":[` + strings.Join(items, ",") + `]}`
}

func dict(keys, types string) string {
	return `{"__loader__":"DictNode","__module__":"builtins","__class__":"dict","content":{` + keys + `},"key_types":` + list(types) + `}`
}

func TestRead(t *testing.T) {
	for _, c := range []struct{ name, node, want string }{
		{"number", one, "1"},
		{"Python's JSON", `{"__loader__":"JsonNode","content":"[NaN, -Infinity, 1e400, -5, 123456789012345678901, \"\\u00fc\\ud83d\\ude00\", {\"a\": null}]"}`, `list[NaN -Inf +Inf -5 123456789012345678901 "ü😀" {"a":None}]`},
		{"tuple", tuple12, "tuple[1 2]"},
		{"named tuple", class("TupleNode", `,"content":[`+one+`]`), "known.C[1]"},
		{"keys", dict(`"a":`+one+`,"b":`+two, str+`,`+str), `{"a":1 "b":2}`},
		{"key that is a number", dict(`"7":`+one, `{"__loader__":"TypeNode","__module__":"builtins","__class__":"int"}`), "{7:1}"},
		{"subclass of dict", class("DictNode", `,"content":{"a":`+one+`},"key_types":`+list(str)), `known.C[]{"a":1}`},
		{"default dict", `{"__loader__":"DefaultDictNode","content":{"main":` + dict(`"a":`+one, str) + `}}`, `{"a":1}`},
		{"object", class("ObjectNode", `,"content":`+dict(`"a":`+one, str)), `known.C[]{"a":1}`},
		{"object without attributes", class("ObjectNode", ""), "known.C[]"},
		{"tree", class("TreeNode", `,"__reduce__":{"args":`+tuple12+`},"content":`+dict(`"a":`+array, str)), `known.C[1 2]{"a":|u1[2]}`},
		{"loss of skops 0.9", class("SGDNode", `,"__reduce__":{"args":`+tuple12+`},"content":`+dict("", "")), "known.C[1 2]"},
		{"loss without a state", class("LossNode", `,"__reduce__":{"args":`+tuple12+`},"content":`+dict("", "")), "known.C[1 2]"},
		{"constructor", class("ConstructorFromReduceNode", `,"content":`+tuple12), "known.C[1 2]"},
		{"function", class("FunctionNode", ""), "known.C"},
		{"function of protocol 0", `{"__loader__":"FunctionNode","__module__":"builtins","__class__":"function","content":{"module_path":"known","function":"f"}}`, "known.f"},
		{"slice", `{"__loader__":"SliceNode","__module__":"builtins","__class__":"slice","content":{"start":0,"stop":2,"step":null}}`, "builtins.slice[0 2 None]"},
		{"random state", class("RandomStateNode", `,"content":`+one), "known.C[]"},
		{"array", array, "|u1[2]"},
		{"dtype", `{"__loader__":"DTypeNode","content":` + array + `}`, "|u1"},
		{"objects", `{"__loader__":"NdArrayNode","__module__":"numpy","__class__":"ndarray","type":"json","shape":` + tuple12 + `,"content":[` + list12 + `]}`, "objects[1 2]"},
		{"reference", list(`{"__loader__":"JsonNode","content":"7","__id__":5}`, `{"__loader__":"CachedNode","__id__":5}`), "list[7 7]"},

		{"unknown loader", class("EvilNode", ""), `error: loader "EvilNode" of skops is not supported`},
		{"method", class("MethodNode", ""), `error: refers to a method of an object of "C", which is not supported`},
		{"unknown class", `{"__loader__":"ObjectNode","__module__":"os","__class__":"system"}`, "error: refers to os.system, which is no part of a scikit-learn model"},
		{"name that is not printable", `{"__loader__":"TypeNode","__module__":"a\nb","__class__":"c"}`, `error: refers to "a\nb.c", which is no part of a scikit-learn model`},
		{"unknown function of protocol 0", `{"__loader__":"FunctionNode","content":{"module_path":"os","function":"system"}}`, "error: refers to os.system, which is no part of a scikit-learn model"},
		{"value in itself", `{"__loader__":"ListNode","__module__":"builtins","__class__":"list","__id__":5,"content":[{"__loader__":"CachedNode","__id__":5}]}`, "error: schema.json: a value contains itself"},
		{"reference to nothing", `{"__loader__":"CachedNode","__id__":6}`, "error: schema.json: a CachedNode refers to a value that does not exist"},
		{"keys without types", dict(`"a":`+one, ""), "error: schema.json: a DictNode does not have a type for each key"},
		{"key of another type", dict(`"a":`+one, `{"__loader__":"TypeNode","__module__":"builtins","__class__":"int"}`), `error: schema.json: "a" is no key of type builtins.int`},
		{"node that is no object", `{"__loader__":"DTypeNode","content":5}`, "error: schema.json: a node is no object"},
		{"wrong shape", `{"__loader__":"NdArrayNode","__module__":"numpy","__class__":"ndarray","type":"json","shape":` + tuple12 + `,"content":[` + one + `]}`, "error: schema.json: the lists of an array of objects do not have its shape"},
		{"deep", strings.Repeat(`{"__loader__":"ListNode","__module__":"builtins","__class__":"list","content":[`, 250) + one + strings.Repeat("]}", 250), "error: schema.json: values are nested more than 200 deep"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, method := range []uint16{zip.Store, zip.Deflate} {
				v, err := Read(archiveOf(t, `{"protocol":2,`+c.node[1:], method), allow)
				if err != nil {
					require.Nil(t, v)
					require.Equal(t, c.want, "error: "+err.Error())
					continue
				}
				require.Equal(t, c.want, spell(v))
			}
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

// TestShared checks that nodes of one id, and nodes of one file, are one value.
func TestShared(t *testing.T) {
	shared := class("ObjectNode", `,"__id__":5`)
	v, err := Read(archiveOf(t, `{"protocol":2,`+list(shared, shared, array, array)[1:], zip.Store), allow)
	require.NoError(t, err)
	items := v.(*record.List).Items
	require.Same(t, items[0], items[1])
	require.Same(t, items[2], items[3])
}

// TestView checks that a stored array is a view of the file.
func TestView(t *testing.T) {
	file := archiveOf(t, `{"protocol":2,`+array[1:], zip.Store)
	v, err := Read(file, allow)
	require.NoError(t, err)
	data := v.(*record.Array).Data
	at := bytes.Index(file, []byte("(2,), }\n")) + len("(2,), }\n")
	require.Same(t, &file[at], &data[0])

	file[at]++
	_, err = Read(file, allow)
	require.ErrorContains(t, err, `entry "a.npy": zip: checksum error`)
}

func TestArchive(t *testing.T) {
	for schema, want := range map[string]string{
		`[]`:                      "schema.json: no object",
		`{`:                       "schema.json: byte 1: a key is expected",
		`{"a":1}`:                 "schema.json: no protocol",
		`{"__loader__":"x"}`:      "written by a skops that had no protocols yet; save the model again with a newer skops",
		`{"protocol":-1}`:         "schema.json: no protocol",
		`{"protocol":true}`:       "schema.json: no protocol",
		`{"protocol":3}`:          "protocol 3 of skops is not supported",
		`{"protocol":2} x`:        "schema.json: byte 15: text after the end of the document",
		`{"protocol":2}` + "\x00": "schema.json: byte 14: text after the end of the document",
	} {
		_, err := Read(archiveOf(t, schema, zip.Deflate), allow)
		require.ErrorContains(t, err, want, schema)
	}

	// An entry may claim a size that its bytes cannot have.
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.CreateRaw(&zip.FileHeader{Name: "schema.json", Method: zip.Deflate, UncompressedSize64: 1 << 40, CompressedSize64: 4})
	require.NoError(t, err)
	_, err = f.Write([]byte("1234"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	_, err = Read(b.Bytes(), allow)
	require.ErrorContains(t, err, `entry "schema.json" claims 1099511627776 bytes`)

	b.Reset()
	w = zip.NewWriter(&b)
	for range 2 {
		f, err := w.Create("schema.json")
		require.NoError(t, err)
		_, err = io.WriteString(f, "{}")
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	_, err = Read(b.Bytes(), allow)
	require.ErrorContains(t, err, `the archive has two entries "schema.json"`)
}

func TestJSON(t *testing.T) {
	huge, _ := new(big.Int).SetString("-9223372036854775809", 10)
	for text, want := range map[string]any{
		"null": nil, "true": true, " -7 ": int64(-7), "1.0": 1.0, "1e2": 100.0, "-Infinity": math.Inf(-1),
		"-9223372036854775809": huge, `"a\/\t\u00e9"`: "a/\té", "[]": []any{},
	} {
		d := newDecoder()
		got, err := d.decode([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for text, want := range map[string]string{
		"":                        "byte 0: a JSON value is expected",
		"nul":                     "byte 0: a JSON value is expected",
		"-":                       `"-" is no number`,
		"1.2.3":                   `"1.2.3" is no number`,
		"1-2":                     `"1-2" is no number`,
		"[1 2]":                   "a comma or the end of an array is expected",
		"[1,]":                    "a JSON value is expected",
		`{"a" 1}`:                 "a colon is expected",
		`{"a":1 "b":2}`:           "a comma or the end of an object is expected",
		`"a`:                      "a string has no end",
		`"a\`:                     "a string has no end",
		`"\q"`:                    `\q is no escape`,
		`"\u12"`:                  "a string has no end",
		`"\u12x4"`:                "an escape without four digits",
		`"\ud83d"`:                "half of a pair of characters",
		"\"\n\"":                  "a control character in a string",
		"\"\xff\"":                "a string is not valid UTF-8",
		strings.Repeat("[", 1001): "values are nested more than 1000 deep",
		strings.Repeat("1", 5000): "is no number",
	} {
		d := newDecoder()
		_, err := d.decode([]byte(text))
		require.ErrorContains(t, err, want, "%.40q", text)
	}
}

func TestNPY(t *testing.T) {
	const end = ", 'fortran_order': False, 'shape': (1,)}"
	a, err := readNPY(npy("{'descr': [('a', '<i4'), ('', '|V4'), ('b', '>f8', (2,))]"+end, make([]byte, 24)...))
	require.NoError(t, err)
	require.Equal(t, 24, a.DType.Size)
	require.Equal(t, []int{0, 8}, []int{a.DType.Fields[0].Offset, a.DType.Fields[1].Offset})
	require.Equal(t, []int{2}, a.DType.Fields[1].DType.Shape)
	a, err = readNPY(npy(`{"shape": (2, 3L), "descr": "<i2", "fortran_order": True,} `, make([]byte, 12)...))
	require.NoError(t, err)
	require.True(t, a.Fortran)
	require.Equal(t, []int{2, 3}, a.Shape)

	for header, want := range map[string]string{
		"":                                  "not a Python literal",
		"[]":                                "is no dict",
		"{} x":                              "is no dict",
		"{'descr': '<f8'}":                  "has no short shape",
		"{'shape': (1,)}":                   "has no dtype",
		"{'descr': '<f8', 'shape': (1,)}":   "has no fortran_order",
		"{'descr': '|O'" + end:              "holds pickled objects",
		"{'descr': '<f7'" + end:             `dtype "<f7" is not supported`,
		"{'descr': '<f8'" + end:             "7 bytes of data for an array of shape [1] of <f8, which needs 8",
		"{'descr': [('a', '<f8'), 1]" + end: "is no name, dtype and shape",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}":                                      "no number that is possible",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4611686018427387904)}": "is too large",
		"{'descr': '|V0', 'fortran_order': False, 'shape': (9999999,)}":                                 "has no data",
		"{'descr': " + strings.Repeat("[", 20) + end:                                                    "too many brackets",
		"{'descr': __import__('os')" + end:                                                              "not a Python literal",
		"{'descr': [('a', '<f8', (99999999,))]" + end:                                                   "cannot be arrays",
		"{'descr': '<f8' 'shape': (1,)}":                                                                "not a Python literal",
	} {
		_, err := readNPY(npy(header, make([]byte, 7)...))
		require.ErrorContains(t, err, want, header)
	}
	for file, want := range map[string]string{
		"":                                    "is no .npy file",
		npyMagic + "\x09\x00\x00\x00\x00\x00": "version 9 of the .npy format",
		npyMagic + "\x01\x00\xff\x00\x00\x00": "ends in its header",
		npyMagic + "\x02\x00\xff\xff\xff\xff\x00": "has a header of 4294967295 bytes",
	} {
		_, err := readNPY([]byte(file))
		require.ErrorContains(t, err, want)
	}
}
