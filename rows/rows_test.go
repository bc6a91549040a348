package rows_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/npy"
	"hew/predict"
	"hew/rows"
)

var (
	nan = float32(math.NaN())
	inf = float32(math.Inf(1))
)

// numbers are features without categories.
func numbers(names ...string) []predict.Feature {
	features := make([]predict.Feature, len(names))
	for i, name := range names {
		features[i] = predict.Feature{Name: name, Type: "float"}
	}
	return features
}

func category(name string, texts ...string) predict.Feature {
	return predict.Feature{Name: name, Type: "categorical", Categories: texts}
}

// wantBits compares values by their bits, where any NaN equals any other.
func wantBits(t *testing.T, want, got []float32) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		if want[i] != want[i] && got[i] != got[i] {
			continue
		}
		require.Equal(t, math.Float32bits(want[i]), math.Float32bits(got[i]), "value %d: %v, want %v", i, got[i], want[i])
	}
}

// wantRows reads text of the format that the name says and compares the values.
func wantRows(t *testing.T, name, text string, o rows.Options, want ...float32) {
	t.Helper()
	table, err := rows.Read(name, strings.NewReader(text), o)
	require.NoError(t, err)
	wantBits(t, want, table.X.F32)
	require.Len(t, table.X.F32, table.NumRows*table.NumFeatures)
	if o.Features != nil {
		require.Equal(t, len(o.Features), table.NumFeatures)
	}
}

// wantError reads text that is wrong.
func wantError(t *testing.T, name, text string, o rows.Options, want string) {
	t.Helper()
	_, err := rows.Read(name, strings.NewReader(text), o)
	require.EqualError(t, err, want)
}

// array reads a .npy of testdata.
func array(t testing.TB, path string) *npy.Array {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	a, err := npy.Read(f)
	require.NoError(t, err)
	return a
}

func TestFormat(t *testing.T) {
	o := rows.Options{Features: numbers("a")}
	for _, name := range []string{"x.csv", "dir.npy/X.CSV", "-", ""} {
		wantRows(t, name, "a\n1\n", o, 1)
	}
	for _, name := range []string{"x.svm", "x.libsvm"} {
		wantRows(t, name, "0 0:1\n", o, 1)
	}
	for _, name := range []string{"x.jsonl", "x.ndjson"} {
		wantRows(t, name, "[1]\n", o, 1)
	}
	o.Format = "jsonl"
	wantRows(t, "-", "[1]\n", o, 1)
	wantRows(t, "x.csv", "[1]\n", o, 1)

	o.Format = "libsv"
	wantError(t, "-", "", o, `unknown format "libsv" (did you mean "libsvm"?): use csv, npy, libsvm, jsonl or parquet`)
	wantError(t, "rows.xls", "", rows.Options{},
		"rows.xls: format not known by its name: use .csv, .npy, .svm, .libsvm, .jsonl, .ndjson or .parquet, or say the format")
	wantError(t, "-", "", rows.Options{}, "standard input: no header line: the file is empty")
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	require.NoError(t, os.WriteFile(path, []byte("a\nx\n"), 0o600))
	_, err := rows.File(path, rows.Options{})
	require.EqualError(t, err, path+`: line 2, column "a": "x" is not a number`)
	_, err = rows.File(path+".none", rows.Options{})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestMissing(t *testing.T) {
	zero, huge := 0.0, math.Inf(1)
	o := rows.Options{Features: append(numbers("a", "b"), category("c", "x", "y")), Missing: &zero}
	wantRows(t, "x.csv", "a,b,c\n0,-0,x\n1,NaN,y\n", o, nan, nan, nan, 1, nan, 1)
	o.Missing = &huge
	wantRows(t, "x.csv", "a,b,c\n0,-inf,x\n1e39,inf,y\n", o, 0, float32(math.Inf(-1)), 0, nan, nan, 1)
	sentinel := -999.9
	o.Missing = &sentinel
	wantRows(t, "x.csv", "a,b,c\n-999.9,-999,x\n", o, nan, -999, 0)
}

// The same frame, written by pandas in every format that it knows.
func TestPandasFrame(t *testing.T) {
	features := append(numbers("f4", "f8", "i8", "u8"),
		predict.Feature{Name: "flag", Type: "bool"},
		category("city", "NA", `say "x"`, "Köln", "a,b"),
		category("band", "120", "80", "200"),
		predict.Feature{Name: "maybe", Type: "int"})
	want := array(t, "testdata/frame.npy").Float32s()
	for _, name := range []string{"frame.csv", "frame.parquet", "frame.npy"} {
		t.Run(name, func(t *testing.T) {
			table, err := rows.File("testdata/"+name, rows.Options{Features: features, Drop: []string{"label"}})
			require.NoError(t, err)
			require.Equal(t, 6, table.NumRows)
			wantBits(t, want, table.X.F32)
		})
	}
	t.Run("frame.jsonl", func(t *testing.T) { // which lacks f4 and f8
		table, err := rows.File("testdata/frame.jsonl", rows.Options{Features: features[2:], Drop: []string{"label"}})
		require.NoError(t, err)
		for row := range 6 {
			wantBits(t, want[8*row+2:8*row+8], table.X.F32[6*row:6*row+6])
		}
	})
}
