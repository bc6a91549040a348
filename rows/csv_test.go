package rows_test

import (
	"math"
	"strings"
	"testing"

	"hew/rows"
)

func TestCSV(t *testing.T) {
	ab := rows.Options{Features: numbers("a", "b")}
	tests := []struct {
		name, text string
		o          rows.Options
		want       []float32
	}{
		{"plain", "a,b\n1,2\n3,4\n", ab, []float32{1, 2, 3, 4}},
		{"header only", "a,b\n", ab, nil},
		{"no last newline", "a,b\n1,2", ab, []float32{1, 2}},
		{"CRLF and byte order mark", "\ufeffa,b\r\n1,2\r\n3,4\r\n", ab, []float32{1, 2, 3, 4}},
		{"quotes", "\"a\",\"b\"\n\"1\",2\n", ab, []float32{1, 2}},
		{"empty lines", "a,b\n\n1,2\n\n\n", ab, []float32{1, 2}},
		{"other order", "b,a\n1,2\n", ab, []float32{2, 1}},
		{"forms of numbers", "a,b\n+1.5,-2e-3\n.5,5.\n 7 ,\t8\n1E5,007\n", ab, []float32{1.5, -2e-3, .5, 5, 7, 8, 1e5, 7}},
		{"zeros and denormals", "a,b\n-0,1e-45\n-0.0,1e-46\n", ab,
			[]float32{float32(math.Copysign(0, -1)), math.SmallestNonzeroFloat32, float32(math.Copysign(0, -1)), 0}},
		{"infinite", "a,b\ninf,-Infinity\n1e39,-1e999\n", ab, []float32{inf, -inf, inf, -inf}},
		{"one rounding", "a,b\n7.038531e-26,1.00000017881393432617187499\n", ab, []float32{math.Float32frombits(0x15ae43fd), 1.0000001}},
		{"missing", "a,b\n,NA\nNaN,null\nN/A,None\n#N/A,<NA>\n-nan,nan\n", ab, []float32{nan, nan, nan, nan, nan, nan, nan, nan, nan, nan}},
		{"booleans", "a,b\ntrue,False\nTRUE,0\n", ab, []float32{1, 0, 1, 0}},
		{"no header", "1,2\n3,4\n", rows.Options{Features: ab.Features, NoHeader: true}, []float32{1, 2, 3, 4}},
		{"no header, no rows", "", rows.Options{Features: ab.Features, NoHeader: true}, nil},
		{"no header, features unknown", "1,2\n", rows.Options{NoHeader: true}, []float32{1, 2}},
		{"features unknown", "x,y\n1,2\n", rows.Options{}, []float32{1, 2}},
		{"dropped", "y,b,w,a\nyes,1,,2\n", rows.Options{Features: ab.Features, Drop: []string{"w", "y", "z"}}, []float32{2, 1}},
		{"dropped, features unknown", "y,b\nyes,1\n", rows.Options{Drop: []string{"y"}}, []float32{1}},
		{"names made up", "x,y\n1,2\n", rows.Options{Features: numbers("f0", "f1")}, []float32{1, 2}},
		{"names made up, label dropped", "y,u,v\n1,2,3\n", rows.Options{Features: numbers("f0", "f1"), Drop: []string{"y"}}, []float32{2, 3}},
		{"names counted by pandas", "0,1\n5,6\n", rows.Options{Features: numbers("f0", "f1")}, []float32{5, 6}},
		{"names made up, in another order", "f1,f0\n1,2\n", rows.Options{Features: numbers("f0", "f1")}, []float32{2, 1}},
		{"names that look like values", "NaN,7\n1,2\n", rows.Options{Features: numbers("7", "NaN")}, []float32{2, 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { wantRows(t, "rows.csv", test.text, test.o, test.want...) })
	}
}

func TestCSVCategories(t *testing.T) {
	o := rows.Options{Features: append(numbers("n"), category("c", "red", "dark, green", "NA", "")), NoHeader: true}
	wantRows(t, "-", "1,red\n2,\"dark, green\"\n3,NA\n4,\n5,null\n", o, 1, 0, 2, 1, 3, 2, 4, 3, 5, nan)
	o.Features[1] = category("c", "80", "120", "-3.5")
	wantRows(t, "-", "1,80\n2,120.0\n3,-3.5\n4,\n5,NaN\n", o, 1, 0, 2, 1, 3, 2, 4, nan, 5, nan)
	o.Features[1] = category("c") // codes only
	wantRows(t, "-", "1,0\n2,1.5\n3,-1\n4,\n", o, 1, 0, 2, 1.5, 3, -1, 4, nan)
}

func TestCSVErrors(t *testing.T) {
	ab := rows.Options{Features: numbers("age", "fee")}
	color := rows.Options{Features: append(numbers("n"), category("color", "red", "dark green"))}
	many := rows.Options{Features: numbers("a", "b", "c", "d", "e")}
	tests := []struct {
		text string
		o    rows.Options
		want string
	}{
		{"age,fee\n1,2\n3,abc\n", ab, `line 3, column "fee": "abc" is not a number`},
		{"fee,age\n1,2\n\n3,abc\n", ab, `line 4, column "age": "abc" is not a number`},
		{"age,fee\n\"1\n\",0x1p2\n", ab, `line 3, column "fee": "0x1p2" is not a number`},
		{"age,fee\n1,-0X1\n", ab, `line 2, column "fee": "-0X1" is not a number`},
		{"age,fee\n1_000,2\n", ab, `line 2, column "age": "1_000" is not a number`},
		{"age,fee\n1,\" \"\n", ab, `line 2, column "fee": " " is not a number`},
		{"age,fee\n1," + strings.Repeat("ü", 100) + "\n", ab, `line 2, column "fee": "` + strings.Repeat("ü", 20) + `…" is not a number`},
		{"age,fee\n1\n", ab, "line 2: 1 cell, expected 2"},
		{"age,fee\n1,2,3\n", ab, "line 2: 3 cells, expected 2"},
		{"age,fee\n1,\"2\n", ab, `line 2: extraneous or missing " in quoted-field`},
		{"age,fee\n1,2\"3\n", ab, `line 2: bare " in non-quoted-field`},
		{"", ab, "no header line: the file is empty"},
		{"age\n1\n", ab, `no column for the feature "fee"`},
		{"a\n1\n", many, `no column for the features "b", "c", "d" and 1 more`},
		{"a,b\n1\n", many, `no column for the features "c", "d", "e"`},
		{"age,fee,age\n", ab, `column "age" stands there twice`},
		{"age,fees\n", ab, `column "fees" is not a feature of the model (did you mean "fee"?)`},
		{"age,fee,label\n", ab, `column "label" is not a feature of the model; drop it by name if it should be left out`},
		{"1,2\n3,4\n", ab, "the first line holds values, not the names of the columns: say that there is no header"},
		{"1,2\n3,4\n", rows.Options{Features: numbers("f0", "f1")}, "the first line holds values, not the names of the columns: say that there is no header"},
		{"x,y,z\n", rows.Options{Features: numbers("f0", "f1")}, `column "x" is not a feature of the model; drop it by name if it should be left out`},
		{"f0,y\n", rows.Options{Features: numbers("f0", "f1")}, `column "y" is not a feature of the model; drop it by name if it should be left out`},
		{"age,fee\n", rows.Options{Features: ab.Features, Drop: []string{"age"}}, `no column for the feature "age"`},
		{"1,2,3\n", rows.Options{Features: ab.Features, NoHeader: true}, "3 columns, the model has 2 features"},
		{"n,color\n1,darkgreen\n", color, `line 2, column "color": unknown category "darkgreen" (did you mean "dark green"?): the model was trained with 2 others`},
		{"n,color\n1,\"\"\n2,0\n", color, `line 3, column "color": unknown category "0": the model was trained with 2 others`},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) { wantError(t, "rows.csv", test.text, test.o, "rows.csv: "+test.want) })
	}
}
