package rows_test

import (
	"math"
	"testing"

	"hew/rows"
)

func TestJSONL(t *testing.T) {
	o := rows.Options{Features: append(numbers("a", "b"), category("c", "x", "ü\n"))}
	wantRows(t, "x.jsonl", "\ufeff"+`{"a":1,"b":-2.5e-1,"c":"x"}
 { "c" : "\u00fc\n" , "b" : null , "\u0061" : true }  `+"\r\n"+`
[7.038531e-26, NaN, "x"]
[-Infinity, Infinity, null]
{"b":false,"c":"x","a":-0}
{"b":1e39,"c":"x","a":1E-45}`, o,
		1, -.25, 0,
		1, nan, 1,
		math.Float32frombits(0x15ae43fd), nan, 0,
		-inf, inf, nan,
		float32(math.Copysign(0, -1)), 0, 0,
		math.SmallestNonzeroFloat32, inf, 0)
	wantRows(t, "x.jsonl", "", o)
	wantRows(t, "x.jsonl", "\n \n", o)

	o.Features[2] = category("c", "80", "-3.5")
	wantRows(t, "x.jsonl", "[1,2,80]\n[1,2,80.0]\n[1,2,-35e-1]\n[1,2,\"80\"]\n[1,2,NaN]", o,
		1, 2, 0, 1, 2, 0, 1, 2, 1, 1, 2, 0, 1, 2, nan)
	o.Features[2] = category("c", "False", "True")
	wantRows(t, "x.jsonl", "[1,2,true]\n[1,2,false]", o, 1, 2, 1, 1, 2, 0)
	o.Features[2] = category("c")
	wantRows(t, "x.jsonl", "[1,2,17]\n", o, 1, 2, 17)

	o.Drop = []string{"label"}
	wantRows(t, "x.jsonl", `{"label":"yes","a":1,"b":2,"c":3}`+"\n"+`{"a":1,"b":2,"label":"no","c":3}`, o, 1, 2, 3, 1, 2, 3)
	wantRows(t, "x.jsonl", `{"u":1,"v":2}`+"\n"+`{"u":3,"v":4}`, rows.Options{Features: numbers("f0", "f1")}, 1, 2, 3, 4)
}

func TestJSONLFeaturesUnknown(t *testing.T) {
	wantRows(t, "x.jsonl", `{"u":1,"v":2}`+"\n"+`{"v":3,"u":4}`, rows.Options{}, 1, 2, 4, 3)
	wantRows(t, "x.jsonl", "[1,2]\n[3,4]", rows.Options{}, 1, 2, 3, 4)
	wantError(t, "x.jsonl", "[1,2]\n[3]", rows.Options{}, "x.jsonl: line 2: 1 column, the model has 2 features")
}

func TestJSONLErrors(t *testing.T) {
	o := rows.Options{Features: append(numbers("age", "fee"), category("color", "red", "green"))}
	for text, want := range map[string]string{
		`{"age":1,"fee":"x","color":null}`:        `line 1, column "fee": "x" is text, not a number`,
		"\n" + `{"age":1,"fee":"2","color":null}`: `line 2, column "fee": "2" is text, not a number`,
		`[1,2,"gren"]`:                   `line 1, column "color": unknown category "gren" (did you mean "green"?): the model was trained with 2 others`,
		`[1,2,1]`:                        `line 1, column "color": unknown category "1": the model was trained with 2 others`,
		`[1,2,Infinity]`:                 `line 1, column "color": unknown category "+Inf": the model was trained with 2 others`,
		`[1,2,true]`:                     `line 1, column "color": unknown category "true": the model was trained with 2 others`,
		`[1,2]`:                          `line 1: 2 columns, the model has 3 features`,
		`{"age":1,"fee":2}`:              `line 1: no column for the feature "color"`,
		`{"age":1,"fe":2,"color":"red"}`: `line 1: column "fe" is not a feature of the model (did you mean "fee"?)`,
		`{"age":1,"fee":2,"color":"red","fee":3}`: `line 1: column "fee" stands there twice`,
		`[1,[2],3]`:         `line 1: nested objects and arrays are no values of a feature`,
		`[[1,2,3],[1,2,3]]`: `line 1: nested objects and arrays are no values of a feature`,
		`[1,2,"red"] 4`:     `line 1: column 13: unexpected "4"`,
		`[1,2,"red"`:        `line 1: the line ends within a JSON value`,
		`[1,2,"red`:         `line 1: the line ends within text`,
		`[1,2,"red\`:        `line 1: the line ends within text`,
		`[1,,2]`:            `line 1: column 4: unexpected ",2]"`,
		`{"age" 1}`:         `line 1: column 8: unexpected "1}"`,
		`{age:1}`:           `line 1: column 2: unexpected "age:1}"`,
		`{"age":}`:          `line 1: column 8: unexpected "}"`,
		`{"age":1,}`:        `line 1: column 10: unexpected "}"`,
		`[1,2,nul]`:         `line 1, column "color": "nul" is not JSON`,
		`[+1,2,"red"]`:      `line 1, column "age": "+1" is not JSON`,
		`[1-,2,"red"]`:      `line 1, column "age": "1-" is not a number`,
		`[1,2,"\x"]`:        `line 1, column "color": invalid character 'x' in string escape code`,
		`[`:                 `line 1: the line ends within a JSON value`,
		`7`:                 `line 1: a row is one JSON object or array on a line of its own`,
	} {
		t.Run(want, func(t *testing.T) { wantError(t, "x.jsonl", text, o, "x.jsonl: "+want) })
	}
}
