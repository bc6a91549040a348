package rows_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/npy"
	"hew/rows"
)

// Files that NumPy wrote, in every type and order.
func TestNPY(t *testing.T) {
	paths, err := filepath.Glob("testdata/dtype-*.npy")
	require.NoError(t, err)
	require.Len(t, paths, 17)
	for _, path := range paths {
		t.Run(strings.TrimPrefix(path, "testdata/"), func(t *testing.T) {
			table, err := rows.File(path, rows.Options{Features: numbers("a", "b")})
			switch filepath.Base(path) {
			case "dtype-f2.npy":
				require.ErrorContains(t, err, `testdata/dtype-f2.npy: npy: elements of type "<f2" not supported`)
				return
			case "dtype-f8-middle.npy": // one row, each value in the middle of two float32
				require.NoError(t, err)
				require.Equal(t, 1, table.NumRows)
				wantBits(t, []float32{1, 1.0000002}, table.X.F32)
				return
			case "dtype-b1.npy":
				require.NoError(t, err)
				wantBits(t, []float32{1, 0, 1, 1, 0, 1}, table.X.F32)
			default:
				require.NoError(t, err)
				wantBits(t, []float32{1, 0, 2, 100, 0, 3}, table.X.F32)
			}
			require.Equal(t, 3, table.NumRows)
			require.Equal(t, 2, table.NumFeatures)
		})
	}
}

func TestNPYShapes(t *testing.T) {
	read := func(o rows.Options, shape ...int) (*rows.Table, error) {
		var b bytes.Buffer
		size := 1
		for _, n := range shape {
			size *= n
		}
		require.NoError(t, npy.Write(&b, shape, make([]float32, size)))
		return rows.Read("x.npy", &b, o)
	}
	three, one := rows.Options{Features: numbers("a", "b", "c")}, rows.Options{Features: numbers("a")}
	for _, test := range []struct {
		o              rows.Options
		shape          []int
		rows, features int
	}{
		{three, []int{3}, 1, 3},
		{three, []int{2, 3}, 2, 3},
		{three, []int{0, 3}, 0, 3},
		{one, []int{3}, 3, 1},
		{one, []int{3, 1}, 3, 1},
		{rows.Options{}, []int{3}, 3, 1},
		{rows.Options{}, []int{3, 2}, 3, 2},
	} {
		table, err := read(test.o, test.shape...)
		require.NoError(t, err)
		require.Equal(t, []int{test.rows, test.features, test.rows * test.features}, []int{table.NumRows, table.NumFeatures, len(table.X.F32)})
	}
	_, err := read(three, 3, 2)
	require.EqualError(t, err, "x.npy: 2 columns, the model has 3 features")
	_, err = read(three, 2)
	require.EqualError(t, err, "x.npy: 2 columns, the model has 3 features")
	_, err = read(three, 1, 1, 3)
	require.EqualError(t, err, "x.npy: an array of 3 dimensions: rows need two")
	_, err = read(three)
	require.EqualError(t, err, "x.npy: an array of 0 dimensions: rows need two")
	_, err = read(rows.Options{}, 1<<30, 0)
	require.EqualError(t, err, "x.npy: rows without columns")
}

// A category is its code in an array, whatever its text.
func TestNPYCategories(t *testing.T) {
	f, err := os.Open("testdata/dtype-i8.npy")
	require.NoError(t, err)
	defer f.Close()
	o := rows.Options{Features: append(numbers("a"), category("c", "100", "0"))}
	table, err := rows.Read("x.npy", f, o)
	require.NoError(t, err)
	wantBits(t, []float32{1, 0, 2, 100, 0, 3}, table.X.F32)
}
