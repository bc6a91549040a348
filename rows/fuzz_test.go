package rows_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/rows"
)

// fuzz reads any bytes: an error or a table of the right size, never a panic,
// and what was read comes back the same after it was written as numbers.
func fuzz(f *testing.F, format string, seeds ...string) {
	for _, seed := range seeds {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	features := append(numbers("a", "b"), category("c", "x", "80", "NA"))
	f.Fuzz(func(t *testing.T, data []byte, known bool) {
		o := rows.Options{Format: format, Drop: []string{"label"}}
		if known {
			o.Features = features
		}
		table, err := rows.Read("-", bytes.NewReader(data), o)
		if err != nil {
			return
		}
		require.Len(t, table.X.F32, table.NumRows*table.NumFeatures)
		if !known || table.NumRows == 0 {
			return
		}
		var b bytes.Buffer
		require.NoError(t, rows.Write("x.csv", &b, rows.Output{
			Columns: []string{"a", "b", "c"}, Shape: []int{table.NumRows, 3}, Float32: table.X.F32,
		}))
		again, err := rows.Read("x.csv", &b, rows.Options{Features: numbers("a", "b", "c")})
		require.NoError(t, err)
		wantBits(t, table.X.F32, again.X.F32)
	})
}

func FuzzCSV(f *testing.F) {
	fuzz(f, "csv", "a,b,c\n1,2,x\n", "label,c,b,a\r\nq,80.0,NaN,-0\r\n", "\ufeff\"a\",b,c\n\"1\",,\"\"\n", "a,b\n1,2,3\n", "c,b,a\n80,1e39,true\n")
}

func FuzzLibSVM(f *testing.F) {
	fuzz(f, "libsvm", "1 0:1 2:3 # c\n0 qid:2 1:nan\n", "1:2 0:1e39\r\n\n#\n", "1 3:4", "1 1:1 1:1")
}

func FuzzJSONL(f *testing.F) {
	fuzz(f, "jsonl", `{"a":1,"b":null,"c":"x"}`+"\n[1,2,80]\n", `{"label":"\u00fc","c":80.0,"b":NaN,"\u0061":-Infinity}`, `[1,[2]]`, `["`, `{"a"`)
}

func FuzzParquet(f *testing.F) {
	for _, o := range []rows.Output{
		{Columns: []string{"a", "b", "c"}, Shape: []int{1, 3}, Float32: []float32{1, 2, 80}},
		{Columns: []string{"c"}, Shape: []int{2}, Text: []string{"x", "NA"}},
	} {
		var b bytes.Buffer
		require.NoError(f, rows.Write("x.parquet", &b, o))
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := rows.Read("x.parquet", bytes.NewReader(data), rows.Options{})
		if err == nil {
			require.Len(t, table.X.F32, table.NumRows*table.NumFeatures)
		}
	})
}
