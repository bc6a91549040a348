package rows_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/predict"
	"hew/rows"
)

// hard are values that a careless writer or reader gets wrong.
func hard() []float32 {
	x := []float32{0, float32(math.Copysign(0, -1)), 1, -1, .1, 1e6, 1e7, 16777216, 1e-7, 1e21, 1e-45, 1.1754942e-38,
		math.MaxFloat32, -math.MaxFloat32, inf, -inf, nan, math.Float32frombits(0x15ae43fd), math.Float32frombits(0x15ae43fe)}
	r := rand.New(rand.NewPCG(1, 2))
	for len(x)%3 != 0 || len(x) < 3000 {
		x = append(x, math.Float32frombits(r.Uint32()))
	}
	return x
}

func TestWriteRead(t *testing.T) {
	x := hard()
	for _, name := range []string{"x.csv", "x.npy", "x.jsonl", "x.parquet"} {
		t.Run(name, func(t *testing.T) {
			columns := []string{`first, "b"`, "a", "größe\n"}
			var b bytes.Buffer
			require.NoError(t, rows.Write(name, &b, rows.Output{Columns: columns, Shape: []int{len(x) / 3, 3}, Float32: x}))
			o := rows.Options{}
			if name != "x.npy" {
				o.Features = numbers(columns...) // also checks the names
			}
			table, err := rows.Read(name, &b, o)
			require.NoError(t, err)
			require.Equal(t, len(x)/3, table.NumRows)
			wantBits(t, x, table.X.F32)
		})
	}
}

func TestWriteText(t *testing.T) {
	minus := float32(math.Copysign(0, -1))
	floats := rows.Output{Columns: []string{"margin"}, Shape: []int{6}, Float32: []float32{.5, nan, inf, -inf, minus, 1e-7}}
	ints := rows.Output{Columns: []string{"a,b", "c"}, Shape: []int{2, 2}, Int64: []int64{1, -2, math.MaxInt32, 0}}
	texts := rows.Output{Columns: []string{"class"}, Shape: []int{3}, Text: []string{"", `a "b"`, "<ü\n"}}
	none := rows.Output{Columns: []string{"margin"}, Shape: []int{0}, Float32: []float32{}}
	for _, test := range []struct {
		name string
		o    rows.Output
		want string
	}{
		{"-", floats, "margin\n0.5\nnan\ninf\n-inf\n-0.0\n1e-07\n"},
		{"x.csv", ints, "\"a,b\",c\n1,-2\n2147483647,0\n"},
		{"x.csv", texts, "class\n\"\"\n\"a \"\"b\"\"\"\n\"<ü\n\"\n"},
		{"x.csv", none, "margin\n"},
		{"x.jsonl", floats, `{"margin":0.5}` + "\n" + `{"margin":null}` + "\n" + `{"margin":Infinity}` + "\n" + `{"margin":-Infinity}` +
			"\n" + `{"margin":-0.0}` + "\n" + `{"margin":1e-07}` + "\n"},
		{"x.jsonl", ints, `{"a,b":1,"c":-2}` + "\n" + `{"a,b":2147483647,"c":0}` + "\n"},
		{"x.jsonl", texts, `{"class":""}` + "\n" + `{"class":"a \"b\""}` + "\n" + `{"class":"\u003cü\n"}` + "\n"},
		{"x.jsonl", none, ""},
	} {
		var b bytes.Buffer
		require.NoError(t, rows.Write(test.name, &b, test.o))
		require.Equal(t, test.want, b.String())
	}
}

// What Python reads: a decimal number goes to float64 before it is a float32.
func TestWriteForFloat64(t *testing.T) {
	var b bytes.Buffer
	x := math.Float32frombits(0x15ae43fd) // 7.038531e-26 is nearest to it, and not by way of float64
	require.NoError(t, rows.Write("-", &b, rows.Output{Columns: []string{"x"}, Shape: []int{1}, Float32: []float32{x}}))
	require.Equal(t, "x\n7.038530691851209e-26\n", b.String())
	require.Equal(t, x, float32(7.038530691851209e-26))
}

func TestWriteNPY(t *testing.T) {
	var b bytes.Buffer
	leaves := []int64{1, 2, 3, 4, 5, math.MinInt32}
	require.NoError(t, rows.Write("x.npy", &b, rows.Output{Columns: []string{"t0", "t1"}, Shape: []int{3, 2}, Int64: leaves}))
	require.Contains(t, b.String(), "'descr': '<i8', 'fortran_order': False, 'shape': (3, 2), ")
	b.Reset()
	require.NoError(t, rows.Write("x.npy", &b, rows.Output{Columns: []string{"margin"}, Shape: []int{2}, Float32: []float32{1, 2}}))
	require.Contains(t, b.String(), "'descr': '<f4', 'fortran_order': False, 'shape': (2,), ")
}

func TestWriteParquetText(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, rows.Write("x.parquet", &b, rows.Output{Columns: []string{"class"}, Shape: []int{3}, Text: []string{"x", "", "y"}}))
	wantRows(t, "x.parquet", b.String(), rows.Options{Features: []predict.Feature{category("class", "y", "x", "")}}, 1, 2, 0)
	b.Reset()
	require.NoError(t, rows.Write("x.parquet", &b, rows.Output{Columns: []string{"z", "a"}, Shape: []int{1, 2}, Int64: []int64{-7, 8}}))
	wantRows(t, "x.parquet", b.String(), rows.Options{}, -7, 8)
	b.Reset()
	require.NoError(t, rows.Write("x.parquet", &b, rows.Output{Columns: []string{"z"}, Shape: []int{0}, Int64: []int64{}}))
	wantRows(t, "x.parquet", b.String(), rows.Options{Features: numbers("z")})
}

func TestWriteErrors(t *testing.T) {
	var b bytes.Buffer
	text := rows.Output{Columns: []string{"class"}, Shape: []int{1}, Text: []string{"x"}}
	require.EqualError(t, rows.Write("x.svm", &b, text), "x.svm: libsvm files are only read: write .csv, .npy, .jsonl or .parquet")
	require.EqualError(t, rows.Writable("x.svm"), "x.svm: libsvm files are only read: write .csv, .npy, .jsonl or .parquet")
	require.NoError(t, rows.Writable(""))
	require.ErrorContains(t, rows.Write("x", &b, text), "x: format not known by its name: write .csv, .npy, .jsonl or .parquet")
	for _, broken := range []rows.Output{
		{},
		{Columns: text.Columns, Shape: text.Shape},
		{Columns: text.Columns, Text: text.Text},
		{Shape: text.Shape, Text: text.Text},
		{Columns: text.Columns, Shape: []int{2}, Text: text.Text},
		{Columns: []string{"a", "b"}, Shape: []int{1}, Text: text.Text},
		{Columns: text.Columns, Shape: text.Shape, Text: text.Text, Float32: []float32{1}},
	} {
		require.Panics(t, func() { rows.Write("x.csv", &b, broken) })
	}
}
