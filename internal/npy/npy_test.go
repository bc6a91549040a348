package npy_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/npy"
)

// file returns a .npy file of format version major.
func file(major byte, header, data string) string {
	n := fmt.Sprintf("%c%c", len(header)&0xff, len(header)>>8)
	if major > 1 {
		n += "\x00\x00"
	}
	return "\x93NUMPY" + string([]byte{major, 0}) + n + header + data
}

func head(descr, order, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n", descr, order, shape)
}

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		shape    []int
		want     []float64
	}{
		{"uint16", file(1, head("<u2", "False", "(2,)"), "\x01\x00\xff\xff"), []int{2}, []float64{1, 65535}},
		{"big endian", file(1, head(">i4", "False", "(1, 2)"), "\xff\xff\xff\xfe\x00\x00\x01\x00"), []int{1, 2}, []float64{-2, 256}},
		{"bool", file(1, head("|b1", "False", "(2,)"), "\x01\x00"), []int{2}, []float64{1, 0}},
		{"int8, version 2", file(2, head("|i1", "False", "(2,)"), "\x80\x7f"), []int{2}, []float64{-128, 127}},
		{"version 3", file(3, head("<f4", "False", "(1,)"), "\x00\x00\xc0\x3f"), []int{1}, []float64{1.5}},
		{"fortran", file(1, head("|u1", "True", "(2, 3)"), "\x01\x04\x02\x05\x03\x06"), []int{2, 3}, []float64{1, 2, 3, 4, 5, 6}},
		{"fortran, 3 dimensions", file(1, head("|u1", "True", "(2, 2, 2)"), "\x00\x04\x02\x06\x01\x05\x03\x07"), []int{2, 2, 2}, []float64{0, 1, 2, 3, 4, 5, 6, 7}},
		{"scalar", file(1, head("<i8", "False", "()"), "\x05\x00\x00\x00\x00\x00\x00\x00"), nil, []float64{5}},
		{"no rows", file(1, head("<f8", "False", "(0, 7)"), ""), []int{0, 7}, []float64{}},
		{"other key order", file(1, `{"shape": (1,), "fortran_order": False, "descr": "<u4"}`, "\x07\x00\x00\x00 tail"), []int{1}, []float64{7}},
		{"python 2", file(1, head("|u1", "False", "(2L,)"), "\x07\x08"), []int{2}, []float64{7, 8}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := npy.Read(bytes.NewReader([]byte(tt.in)))
			require.NoError(t, err)
			require.Equal(t, tt.shape, a.Shape)
			require.Equal(t, tt.want, a.Float64s())
			for i, v := range a.Float32s() {
				require.Equal(t, float32(tt.want[i]), v)
			}
			for i, v := range a.Int32s() {
				require.Equal(t, int32(tt.want[i]), v)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", "not a .npy file"},
		{"text", "a,b,c\n1,2,3\n4,5,6\n", "not a .npy file"},
		{"version", file(9, head("<f4", "False", "(1,)"), "1234"), "version 9"},
		{"cut header", file(1, head("<f4", "False", "(1,)"), "")[:30], "ends in its header"},
		{"cut length", "\x93NUMPY\x02\x00\x01\x00", "ends in its header"},
		{"long header", "\x93NUMPY\x02\x00\xff\xff\xff\xff", "header of 4294967295 bytes"},
		{"no header", file(1, "{}", ""), "header without"},
		{"record", file(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234"), "header without"},
		{"object", file(1, head("|O", "False", "(1,)"), "1234"), `type "|O" not supported`},
		{"string", file(1, head("<U4", "False", "(1,)"), "1234"), `type "<U4" not supported`},
		{"no type", file(1, head("", "False", "(1,)"), "1234"), `type "" not supported`},
		{"several types", file(1, head("i1 u1", "False", "(1,)"), "1234"), "not supported"},
		{"short data", file(1, head("<f4", "False", "(2, 2)"), "1234"), "4 bytes of data, want 16"},
		{"huge claim", file(1, head("<f4", "False", "(1000000000000,)"), "1234"), "4 bytes of data"},
		{"overflow", file(1, head("<f4", "False", "(9223372036854775807, 9223372036854775807)"), "1234"), "too large"},
		{"overflow beside zero", file(1, head("<f4", "False", "(0, 9223372036854775807, 3)"), ""), "too large"},
		{"dimension", file(1, head("<f4", "False", "(99999999999999999999,)"), "1234"), "dimension"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := npy.Read(bytes.NewReader([]byte(tt.in)))
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestWrite(t *testing.T) {
	want := []float32{1, float32(math.Inf(-1)), math.MaxFloat32, -0.1, 0, 7}
	var b bytes.Buffer
	require.NoError(t, npy.Write(&b, []int{2, 3}, want))
	require.Zero(t, (b.Len()-4*len(want))%64)
	a, err := npy.Read(&b)
	require.NoError(t, err)
	require.Equal(t, "<f4", a.Dtype)
	require.Equal(t, []int{2, 3}, a.Shape)
	require.Equal(t, want, a.Float32s())

	b.Reset()
	require.NoError(t, npy.Write(&b, []int{2}, []int32{-5, math.MaxInt32}))
	a, err = npy.Read(&b)
	require.NoError(t, err)
	require.Equal(t, "<i4", a.Dtype)
	require.Equal(t, []int32{-5, math.MaxInt32}, a.Int32s())

	b.Reset()
	require.NoError(t, npy.Write(&b, []int{1}, []float64{0.1}))
	a, err = npy.Read(&b)
	require.NoError(t, err)
	require.Equal(t, []float64{0.1}, a.Float64s())
	require.Panics(t, func() { _ = npy.Write(&b, []int{2}, []int32{1}) })
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(file(1, head("<f4", "True", "(1, 2)"), "12345678")))
	f.Add([]byte(file(2, head(">u2", "False", "(3,)"), "123456")))
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := npy.Read(bytes.NewReader(in))
		if err != nil {
			return
		}
		n := 1
		for _, d := range a.Shape {
			n *= d
		}
		require.Equal(t, n, a.Len())
		require.Len(t, a.Float32s(), n)
	})
}

// ReadAs gives what Read does, from any number of blocks.
func TestReadAs(t *testing.T) {
	big := make([]float64, 100_003)
	for i := range big {
		big[i] = float64(i) / 7
	}
	var b bytes.Buffer
	require.NoError(t, npy.Write(&b, []int{len(big)}, big))
	data := b.Bytes()
	shape, got, err := npy.ReadAs[float64](bytes.NewReader(append(data, "more"...)))
	require.NoError(t, err)
	require.Equal(t, []int{len(big)}, shape)
	require.Equal(t, big, got)
	require.Equal(t, len(big), cap(got))
	_, rounded, err := npy.ReadAs[float32](bytes.NewReader(data))
	require.NoError(t, err)
	require.Equal(t, float32(big[5]), rounded[5])
	_, _, err = npy.ReadAs[float64](bytes.NewReader(data[:len(data)-1]))
	require.ErrorContains(t, err, "npy: 800023 bytes of data, want 800024 for shape [100003] of <f8")

	_, got, err = npy.ReadAs[float64](bytes.NewReader([]byte(file(1, head("|u1", "True", "(2, 3)"), "\x01\x04\x02\x05\x03\x06"))))
	require.NoError(t, err)
	require.Equal(t, []float64{1, 2, 3, 4, 5, 6}, got)
	_, got, err = npy.ReadAs[float64](bytes.NewReader([]byte(file(1, head("<f8", "False", "(0, 7)"), ""))))
	require.NoError(t, err)
	require.NotNil(t, got)
	// A file tells how much there is, so nothing is copied; a header that claims more
	// than that has no effect.
	path := filepath.Join(t.TempDir(), "x.npy")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	require.Equal(t, big, readFile(t, path))
	claim := file(1, head("<f8", "False", "(1000000000000,)"), strings.Repeat("x", 800))
	require.NoError(t, os.WriteFile(path, []byte(claim), 0o600))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	_, _, err = npy.ReadAs[float64](f)
	require.ErrorContains(t, err, "npy: 800 bytes of data, want 8000000000000")
	dtype, err := npy.ReadType(bytes.NewReader(data))
	require.NoError(t, err)
	require.Equal(t, "<f8", dtype)
}

func readFile(t *testing.T, path string) []float64 {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, got, err := npy.ReadAs[float64](f)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8*len(got)+1<<17))
	return got
}

func TestWriteText(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, npy.WriteText(&b, []int{2}, []string{"aé", ""}))
	require.Contains(t, b.String(), "'descr': '<U2', 'fortran_order': False, 'shape': (2,), ")
	require.Equal(t, "a\x00\x00\x00\xe9\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", b.String()[b.Len()-16:])
	require.NoError(t, npy.Write(&b, []int{2}, []bool{true, false}))
	require.NoError(t, npy.Write(&b, []int{1}, []int64{math.MinInt64}))
}
