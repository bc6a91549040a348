package record_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/load/sklearn/internal/record"
)

func dtype(t *testing.T, name string) *record.DType {
	d, err := record.ParseDType(name)
	require.NoError(t, err)
	return d
}

func TestNamed(t *testing.T) {
	for _, c := range [][3]string{
		{"numpy._core.multiarray", "scalar", "numpy.core.multiarray.scalar"},
		{"numpy._core", "x", "numpy.core.x"},
		{"numpy._corex", "x", "numpy._corex.x"},
		{"numpy.core._multiarray_umath", "log1p", "numpy.log1p"},
		{"numpy._core._multiarray_umath", "log1p", "numpy.log1p"},
		{"copy_reg", "_reconstructor", "copyreg._reconstructor"},
		{"__builtin__", "set", "builtins.set"},
		{"sklearn.tree._tree", "Tree", "sklearn.tree._tree.Tree"},
	} {
		require.Equal(t, c[2], record.Named(c[0], c[1]).String())
	}
}

func TestParseDType(t *testing.T) {
	for name, want := range map[string]string{
		"f8": "<f8", ">f4": ">f4", "=i4": "<i4", "|b1": "|b1", "?": "|b1", "<U3": "<U3", "S5": "|S5", "a5": "|S5", "V56": "|V56",
		"|O": "objects", "O8": "objects", "u1": "|u1", "f2": "<f2", "c16": "<c16", "<M8[ns]": "<M8",
	} {
		require.Equal(t, want, dtype(t, name).String(), name)
	}
	for _, name := range []string{"", "<", "f", "f3", "i16", "<<f8", "b2", "O3", "U99999999", "S-1", "f8x", "x8", "é"} {
		_, err := record.ParseDType(name)
		require.Error(t, err, name)
	}
	require.False(t, dtype(t, "f16").Numeric())
	require.True(t, dtype(t, "b1").Integer())
}

func TestHalf(t *testing.T) {
	for bits, want := range map[uint16]float64{
		0x0000: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0001: 0x1p-24, 0x03ff: 1023 * 0x1p-24, 0x0400: 0x1p-14,
		0x3555: 0.333251953125, 0x7c00: math.Inf(1), 0xfc00: math.Inf(-1),
	} {
		a, err := record.NewArray(dtype(t, "f2"), nil, false, binary.LittleEndian.AppendUint16(nil, bits))
		require.NoError(t, err)
		x, err := a.Float64s()
		require.NoError(t, err)
		require.Equal(t, []float64{want}, x, "%#x", bits)
	}
	a, err := record.NewArray(dtype(t, "f2"), []int{2}, false, []byte{0x00, 0x80, 0x01, 0x7c})
	require.NoError(t, err)
	x, err := a.Float64s()
	require.NoError(t, err)
	require.True(t, math.Signbit(x[0]) && x[0] == 0)
	require.True(t, math.IsNaN(x[1]))
}

func TestArray(t *testing.T) {
	a, err := record.NewArray(dtype(t, "u1"), []int{2, 3}, true, []byte{1, 4, 2, 5, 3, 6})
	require.NoError(t, err)
	n, err := a.Int64s()
	require.NoError(t, err)
	require.Equal(t, []int64{1, 2, 3, 4, 5, 6}, n)
	_, err = a.Strings()
	require.EqualError(t, err, "array of |u1 where text is expected")
	_, err = a.Column("x")
	require.EqualError(t, err, `array of |u1 has no field "x"`)

	big, err := record.NewArray(dtype(t, "u8"), []int{1}, false, []byte{255, 255, 255, 255, 255, 255, 255, 255})
	require.NoError(t, err)
	_, err = big.Int64s()
	require.EqualError(t, err, "element 0 of an array of integers is too large")
	whole, err := record.NewArray(dtype(t, "f8"), nil, false, make([]byte, 8))
	require.NoError(t, err)
	_, err = whole.Int64s()
	require.EqualError(t, err, "array of <f8 where integers are expected")

	text, err := record.NewArray(dtype(t, "U1"), []int{1}, false, []byte{0, 0, 17, 0})
	require.NoError(t, err)
	_, err = text.Strings()
	require.EqualError(t, err, "element 0: 0x110000 is no character")

	objects, err := record.NewObjects([]int{1, 2}, []record.Value{"a", nil})
	require.NoError(t, err)
	_, err = objects.Strings()
	require.EqualError(t, err, "element 1 of an array of objects is no text")
	_, err = objects.Float64s()
	require.EqualError(t, err, "array of objects where numbers are expected")
}

func TestSizes(t *testing.T) {
	f8 := dtype(t, "f8")
	for want, shape := range map[string][]int{
		"is too large": {1 << 40, 1 << 40},
		"has no data":  {0, 1 << 40},
	} {
		_, err := record.NewArray(f8, shape, false, nil)
		require.ErrorContains(t, err, want)
	}
	_, err := record.NewArray(f8, make([]int, 65), false, nil)
	require.ErrorContains(t, err, "is too large")
	_, err = record.NewArray(f8, []int{-1}, false, nil)
	require.ErrorContains(t, err, "is too large")
	_, err = record.NewArray(f8, []int{2}, false, make([]byte, 8))
	require.EqualError(t, err, "8 bytes of data for an array of shape [2] of <f8, which needs 16")
	_, err = record.NewArray(dtype(t, "O"), []int{1}, false, make([]byte, 8))
	require.ErrorContains(t, err, "an array of objects where data are expected")
	_, err = record.NewObjects([]int{0, 1 << 40}, nil)
	require.ErrorContains(t, err, "0 objects for an array of shape")

	empty, err := record.NewArray(f8, []int{0, 28}, true, nil) // as scikit-learn has for a model without features
	require.NoError(t, err)
	x, err := empty.Float64s()
	require.NoError(t, err)
	require.Empty(t, x)
}

func TestRecords(t *testing.T) {
	i4, f8 := dtype(t, ">i4"), dtype(t, "f8")
	_, err := record.NewRecord(8, []record.Field{{Name: "a", DType: f8, Offset: 1}})
	require.EqualError(t, err, `field "a" at byte 1 is outside of a record of 8 bytes`)
	_, err = record.NewRecord(8, []record.Field{{Name: "a", DType: f8, Offset: -1}})
	require.Error(t, err)
	_, err = record.NewRecord(8, []record.Field{{Name: "a", DType: dtype(t, "O")}})
	require.ErrorContains(t, err, "holds objects")
	_, err = record.NewRecord(1<<30, nil)
	require.ErrorContains(t, err, "too large")
	d := f8
	for range 4 {
		d, err = record.NewSubarray(d, []int{1})
		require.NoError(t, err)
	}
	_, err = record.NewSubarray(d, []int{1})
	require.EqualError(t, err, "a dtype is nested too deeply")

	d, err = record.NewRecord(16, []record.Field{{Name: "n", DType: i4, Offset: 4}, {Name: "x", DType: f8, Offset: 8}})
	require.NoError(t, err)
	data := make([]byte, 32)
	binary.BigEndian.PutUint32(data[20:], math.MaxUint32)
	binary.LittleEndian.PutUint64(data[24:], math.Float64bits(0.1))
	a, err := record.NewArray(d, []int{2}, false, data)
	require.NoError(t, err)
	n, err := a.Column("n")
	require.NoError(t, err)
	x, err := a.Column("x")
	require.NoError(t, err)
	require.Equal(t, int64(-1), n.Int64(1))
	require.Equal(t, 0.1, x.Float64(1))
	require.True(t, n.Integer() && !x.Integer())
	require.Zero(t, testing.AllocsPerRun(10, func() { n.Int64(1); x.Float64(1) }))
	_, err = a.Column("y")
	require.EqualError(t, err, `array of records of 16 bytes has no field "y"`)
}

func TestCheck(t *testing.T) {
	list := func(items ...record.Value) *record.List { return &record.List{Items: items, Kind: "list"} }
	self := list()
	self.Items = append(self.Items, self)
	require.EqualError(t, record.Check(self), "a value contains itself")

	o := &record.Object{}
	o.State = &record.Dict{Keys: []record.Value{"o"}, Values: []record.Value{list(o)}}
	require.EqualError(t, record.Check(o), "a value contains itself")

	deep := record.Value(nil)
	for range record.MaxDepth - 1 {
		deep = list(deep)
	}
	require.NoError(t, record.Check(deep))
	require.NoError(t, record.Check(deep), "again")
	require.Error(t, record.Check(list(list(deep))), "deep has been seen before")

	// A list that comes first where it is not deep may be deep elsewhere.
	inner := record.Value(nil)
	var all []record.Value
	for range 2 * record.MaxDepth {
		inner = list(inner)
		all = append(all, inner)
	}
	require.EqualError(t, record.Check(list(all...)), "values are nested more than 200 deep")

	wide := list(1)
	for range 40 {
		wide = list(wide, wide)
	}
	require.EqualError(t, record.Check(wide), "a walk over the values takes more than 67108864 steps")
	shared := list(1)
	require.NoError(t, record.Check(list(shared, shared, shared)))
}

func TestDict(t *testing.T) {
	d := &record.Dict{}
	d.Set("a", int64(1))
	d.Set(int64(2), "b")
	d.Set("a", int64(3))
	v, ok := d.Get("a")
	require.True(t, ok)
	require.Equal(t, int64(3), v)
	_, ok = d.Get("b")
	require.False(t, ok)
	_, ok = (&record.Object{State: "text"}).Get("a")
	require.False(t, ok)
}
