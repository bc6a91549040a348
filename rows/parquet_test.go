package rows_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"hew/rows"
)

// parquetOf writes records in a Parquet file.
func parquetOf[T any](t *testing.T, records ...T) []byte {
	var b bytes.Buffer
	require.NoError(t, parquet.Write(&b, records))
	return b.Bytes()
}

func TestParquet(t *testing.T) {
	type record struct {
		Label string
		C     *string
		A     *float64
		B     uint32
	}
	x, y, v := "x", "ü", 1.5
	data := parquetOf(t, record{"l", &y, &v, 1 << 31}, record{"m", nil, nil, 3}, record{"n", &x, &v, 0})
	o := rows.Options{Features: append(numbers("A", "B"), category("C", "x", "ü")), Drop: []string{"Label"}}
	wantRows(t, "x.parquet", string(data), o, 1.5, 1<<31, 1, nan, 3, nan, 1.5, 0, 0)

	o.Features[2] = category("C", "X", "y")
	wantError(t, "x.parquet", string(data), o,
		`x.parquet: column "C": row 1: unknown category "ü": the model was trained with 2 others`)
	o.Features[2] = numbers("C")[0]
	wantError(t, "x.parquet", string(data), o, `x.parquet: column "C": row 1: "ü" is text, not a number`)
	o.Drop = nil
	wantError(t, "x.parquet", string(data), o,
		`x.parquet: column "Label" is not a feature of the model; drop it by name if it should be left out`)
	o.Features = numbers("Label", "A", "B", "C", "D")
	wantError(t, "x.parquet", string(data), o, `x.parquet: no column for the feature "D"`)
}

// Numbers as categories, made-up names, several row groups.
func TestParquetNumbers(t *testing.T) {
	type record struct {
		A int64
		B float32
		C bool
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[record](&b)
	for i := range 3000 {
		_, err := w.Write([]record{{int64(i%2)*40 + 80, float32(i), i%3 == 0}})
		require.NoError(t, err)
		if i == 1500 {
			require.NoError(t, w.Flush())
		}
	}
	require.NoError(t, w.Close())
	features := numbers("f0", "f1", "f2")
	features[0] = category("f0", "120", "80")
	table, err := rows.Read("x.parquet", &b, rows.Options{Features: features})
	require.NoError(t, err)
	require.Equal(t, 3000, table.NumRows)
	for i := range 3000 {
		flag := float32(0)
		if i%3 == 0 {
			flag = 1
		}
		wantBits(t, []float32{float32(1 - i%2), float32(i), flag}, table.X.F32[3*i:3*i+3])
	}
}

func TestParquetErrors(t *testing.T) {
	type dated struct{ A time.Time }
	wantError(t, "x.parquet", string(parquetOf(t, dated{time.Unix(1, 0)})), rows.Options{},
		`x.parquet: column "A": values of type TIMESTAMP(isAdjustedToUTC=true,unit=NANOS) are not supported: write numbers, truth values or text`)
	type list struct{ A []int32 }
	wantError(t, "x.parquet", string(parquetOf(t, list{[]int32{1}})), rows.Options{},
		`x.parquet: column "A": nested values are not supported`)
	type nested struct{ A struct{ B int32 } }
	wantError(t, "x.parquet", string(parquetOf(t, nested{})), rows.Options{},
		`x.parquet: column "A": nested values are not supported`)
	type fixed struct{ A [2]byte }
	wantError(t, "x.parquet", string(parquetOf(t, fixed{})), rows.Options{},
		`x.parquet: column "A": values of type FIXED_LEN_BYTE_ARRAY are not supported: write numbers, truth values or text`)
}

// Every file with one byte changed, and every beginning of one, is an error or
// a table, never a panic.
func TestParquetDamaged(t *testing.T) {
	data, err := os.ReadFile("testdata/frame.parquet")
	require.NoError(t, err)
	for i := range data {
		if i%16 == 0 {
			_, err := rows.Read("x.parquet", bytes.NewReader(data[:i]), rows.Options{})
			require.EqualError(t, err, "x.parquet: not a Parquet file, or not all of one")
		}
		for _, b := range []byte{0xff, data[i] ^ 1} {
			damaged := bytes.Clone(data)
			damaged[i] = b
			table, err := rows.Read("x.parquet", bytes.NewReader(damaged), rows.Options{Drop: []string{"label", "city"}})
			if err == nil {
				require.Len(t, table.X.F32, table.NumRows*table.NumFeatures)
			}
		}
	}
}
