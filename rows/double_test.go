package rows_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/npy"
	"hew/predict"
	"hew/rows"
)

// The same values from every format, as float64.
func TestDouble(t *testing.T) {
	o := rows.Options{Features: append(numbers("a", "b"), category("c", "x", "y")), Type: predict.Float64}
	want := []float64{0.1, 7.038531e-26, 1, 1e300, math.NaN(), math.NaN()}
	var parquet, array bytes.Buffer
	require.NoError(t, rows.Write("x.parquet", &parquet, rows.Output{Columns: []string{"a", "b", "c"}, Shape: []int{2, 3}, Float64: want}))
	require.NoError(t, npy.Write(&array, []int{2, 3}, want))
	for name, text := range map[string]string{
		"x.csv":     "c,a,b\ny,0.1,7.038531e-26\n,1e300,NA\n",
		"x.jsonl":   `{"a":0.1,"b":7.038531e-26,"c":"y"}` + "\n[1e300,null,null]\n",
		"x.libsvm":  "0 2:1 0:0.1 1:7.038531e-26\n1 0:1e300\n",
		"x.npy":     array.String(),
		"x.parquet": parquet.String(),
	} {
		t.Run(name, func(t *testing.T) {
			o := o
			if name == "x.parquet" {
				o.Features = numbers("a", "b", "c")
			}
			table, err := rows.Read(name, strings.NewReader(text), o)
			require.NoError(t, err)
			require.Nil(t, table.X.F32)
			require.Equal(t, 2, table.NumRows)
			require.Len(t, table.X.F64, len(want))
			for i, v := range want {
				require.True(t, v == table.X.F64[i] || v != v && table.X.F64[i] != table.X.F64[i], "value %d: %v, want %v", i, table.X.F64[i], v)
			}
		})
	}
}

// Integers beyond float32 keep their digits, and sentinels are compared as float64.
func TestDoubleIntegers(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, rows.Write("x.parquet", &b, rows.Output{Columns: []string{"a"}, Shape: []int{2}, Int64: []int64{16777217, -999}}))
	missing := -999.0
	table, err := rows.Read("x.parquet", &b, rows.Options{Type: predict.Float64, Missing: &missing})
	require.NoError(t, err)
	require.Equal(t, 16777217.0, table.X.F64[0])
	require.True(t, math.IsNaN(table.X.F64[1]))
	missing = 0.1
	table, err = rows.Read("-", strings.NewReader("a\n0.1\n0.10000000149011612\n"), rows.Options{Type: predict.Float64, Missing: &missing})
	require.NoError(t, err)
	require.True(t, math.IsNaN(table.X.F64[0]))
	require.Equal(t, float64(float32(0.1)), table.X.F64[1])
}

// A text that is no category has the code -1 where the model allows it.
func TestOpen(t *testing.T) {
	c := category("c", "x", "80", "")
	c.Open = true
	o := rows.Options{Features: []predict.Feature{c}}
	wantRows(t, "x.csv", "c\nx\n80\nNA\nz\n81\n\"\"\n", o, 0, 1, nan, -1, -1, 2)
	wantRows(t, "x.jsonl", `{"c":"z"}`+"\n"+`{"c":null}`+"\n"+`{"c":80}`+"\n"+`{"c":81}`+"\n", o, -1, nan, 1, -1)
	var b bytes.Buffer
	require.NoError(t, rows.Write("x.parquet", &b, rows.Output{Columns: []string{"c"}, Shape: []int{2}, Text: []string{"z", "x"}}))
	wantRows(t, "x.parquet", b.String(), o, -1, 0)
	wantRows(t, "x.npy", codes(t, -1, 1), o, -1, 1)
}

// codes is a .npy of a column.
func codes(t *testing.T, v ...float32) string {
	var b bytes.Buffer
	require.NoError(t, npy.Write(&b, []int{len(v), 1}, v))
	return b.String()
}

// What the trainer refuses is an error that says where and why.
func TestRefused(t *testing.T) {
	missing := predict.Feature{Name: "a", Type: "float", RefusesMissing: true}
	infinite := predict.Feature{Name: "a", Type: "float", RefusesInfinite: true}
	large := predict.Feature{Name: "a", Type: "float", RefusesTooLarge: true}
	accepts := predict.Feature{Name: "a", Type: "float", Accepts: []float64{1, 2.5}}
	for _, c := range []struct {
		f          predict.Feature
		text, want string
	}{
		{missing, "a,b\n1,2\n,3\n", "the model takes no missing value here"},
		{infinite, "a,b\n,2\n-inf,3\n", "the model takes no infinite value here"},
		{large, "a,b\n3e38,2\n4e38,3\n", "the value is beyond the range of float32, in which the model compares"},
		{accepts, "a,b\n2.5,2\n2,3\n", "2 is not one of the 2 values that the model was trained with"},
	} {
		o := rows.Options{Features: append([]predict.Feature{c.f}, numbers("b")...), Type: predict.Float64}
		wantError(t, "x.csv", c.text, o, `x.csv: row 2, column "a": `+c.want)
	}
	// What --missing names is missing before anybody looks at it.
	sentinel := -1.0
	wantError(t, "x.csv", "a\n-1\n", rows.Options{Features: []predict.Feature{missing}, Missing: &sentinel},
		`x.csv: row 1, column "a": the model takes no missing value here`)
}

func TestTextInNPY(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, npy.WriteText(&b, []int{2, 1}, []string{"x", "yz"}))
	wantError(t, "x.npy", b.String(), rows.Options{Features: []predict.Feature{category("c", "x")}},
		`x.npy: npy: elements of type "<U2" not supported; write rows with text as .csv, .jsonl or .parquet`)
}

// Every kind of value goes into every format in the type that it has.
func TestWriteKinds(t *testing.T) {
	column := []string{"v"}
	third := 1.0 / 3
	for _, c := range []struct {
		o          rows.Output
		csv, jsonl string
		descr      string
	}{
		{rows.Output{Float64: []float64{third, math.NaN()}}, "v\n0.3333333333333333\nnan\n", `{"v":0.3333333333333333}` + "\n" + `{"v":null}` + "\n", "'<f8'"},
		{rows.Output{Int64: []int64{math.MinInt64, 1}}, "v\n-9223372036854775808\n1\n", `{"v":-9223372036854775808}` + "\n" + `{"v":1}` + "\n", "'<i8'"},
		{rows.Output{Bool: []bool{true, false}}, "v\nTrue\nFalse\n", `{"v":true}` + "\n" + `{"v":false}` + "\n", "'|b1'"},
		{rows.Output{Text: []string{"größe", ""}}, "v\ngröße\n\"\"\n", `{"v":"größe"}` + "\n" + `{"v":""}` + "\n", "'<U5'"},
	} {
		c.o.Columns, c.o.Shape = column, []int{2}
		write := func(name string) string {
			var b bytes.Buffer
			require.NoError(t, rows.Write(name, &b, c.o))
			return b.String()
		}
		require.Equal(t, c.csv, write("-"))
		require.Equal(t, c.jsonl, write("x.jsonl"))
		require.Contains(t, write("x.npy"), "'descr': "+c.descr)
		require.Contains(t, write("x.npy"), "'shape': (2,)")
		require.NotEmpty(t, write("x.parquet"))
	}
}

// Texts are as wide as the trainer's would be, whatever stands in these rows.
func TestTextWidth(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, rows.Write("x.npy", &b, rows.Output{Columns: []string{"v"}, Shape: []int{1}, Text: []string{"no"}, TextWidth: 5}))
	require.Contains(t, b.String(), "'descr': '<U5'")
	require.Equal(t, "n\x00\x00\x00o"+strings.Repeat("\x00", 15), b.String()[b.Len()-20:])
}

// float64 numbers come back with their bits.
func TestDoubleRoundTrip(t *testing.T) {
	x := []float64{0, math.Copysign(0, -1), .1, 1e-7, 1e21, math.SmallestNonzeroFloat64, -math.MaxFloat64, math.Inf(1), math.Inf(-1), math.NaN(), 1.0 / 3, 7.038531e-26}
	for _, name := range []string{"x.csv", "x.npy", "x.jsonl", "x.parquet"} {
		var b bytes.Buffer
		require.NoError(t, rows.Write(name, &b, rows.Output{Columns: []string{"a"}, Shape: []int{len(x)}, Float64: x}))
		table, err := rows.Read(name, &b, rows.Options{Features: numbers("a"), Type: predict.Float64})
		require.NoError(t, err)
		for i, v := range x {
			got := table.X.F64[i]
			require.True(t, math.Float64bits(v) == math.Float64bits(got) || v != v && got != got, "%s: %v, want %v", name, got, v)
		}
	}
}
