package sklearn

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/interp"
	"hew/ir"
	"hew/load/sklearn/internal/record"
)

// FuzzRecords changes values inside of real models, which a fuzzer of bytes hardly
// reaches behind the readers of containers: the result has to be an error or an
// ensemble that answers. Values may even contain themselves, which those readers
// refuse. The data are which value, in two bytes, what to do and with what.
func FuzzRecords(f *testing.F) {
	models := smallModels(f)
	for i := range models {
		f.Add(uint16(i), []byte{})
		f.Add(uint16(i), []byte{byte(i), 7, 3, 1, 200, 2, 9, 90, 4})
	}
	f.Fuzz(func(t *testing.T, which uint16, data []byte) {
		v, _, err := open(models[int(which)%len(models)], "")
		require.NoError(t, err)
		mutate(v, data)
		if o, ok := v.(*record.Object); ok {
			requireBounded(t, o)
		}
	})
}

// TestMutations is a fixed run of what FuzzRecords does.
func TestMutations(t *testing.T) {
	models := smallModels(t)
	state := uint64(1)
	next := func() uint64 { // Knuth's generator, for a run that is the same everywhere
		state = state*6364136223846793005 + 1442695040888963407
		return state >> 33
	}
	read := 0
	for round := range 1000 {
		data := make([]byte, 4*(1+next()%3))
		for i := range data {
			data[i] = byte(next())
		}
		v, _, err := open(models[round%len(models)], "")
		require.NoError(t, err)
		mutate(v, data)
		if requireBounded(t, v.(*record.Object)) {
			read++
		}
	}
	require.Greater(t, read, 100)
}

// requireBounded reads o, in little time, and reports whether there is an ensemble
// that answers.
func requireBounded(t *testing.T, o *record.Object) bool {
	start := time.Now()
	e, err := read(o, Options{})
	require.Less(t, time.Since(start), 5*time.Second)
	if err != nil {
		require.NotContains(t, err.Error(), "\n")
		return false
	}
	require.NoError(t, e.Verify())
	if e.Sum != ir.Double || len(e.Features) > 1000 || e.Width() > 1000 {
		return true
	}
	m := interp.New(e)
	for _, x := range []float64{0, 1, -3.5, math.NaN(), math.Inf(1), math.MaxFloat64} {
		m.Predict64(make([]float64, e.Width()), slices.Repeat([]float64{x}, len(e.Features)))
	}
	return true
}

// smallModels returns the files of small models, of all kinds of estimators.
func smallModels(t testing.TB) [][]byte {
	files, err := filepath.Glob("../../testdata/golden-sklearn/*/model.skops")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var models [][]byte
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		if len(data) < 60_000 {
			models = append(models, data)
		}
	}
	require.Greater(t, len(models), 20)
	return models
}

// A slot is a place in a value, and how to fill it.
type slot struct {
	get func() record.Value
	set func(record.Value)
}

// mutate changes some values inside of v, as data say.
func mutate(v record.Value, data []byte) {
	slots := slotsOf(v)
	for ; len(data) >= 4 && len(slots) > 0; data = data[4:] {
		s := slots[int(binary.LittleEndian.Uint16(data))%len(slots)]
		if a, ok := s.get().(*record.Array); ok && data[2]%4 != 0 {
			s.set(mutated(a, data[2], data[3]))
			continue
		}
		switch data[2] % 8 {
		case 0:
			s.set(slots[int(data[3])*257%len(slots)].get())
		case 1:
			s.set(nil)
		default:
			s.set(odd[int(data[3])%len(odd)])
		}
	}
}

var odd = []record.Value{int64(0), int64(-1), int64(1), int64(7), int64(math.MaxInt64), int64(math.MinInt64), math.NaN(), math.Inf(1), -0.5, 1e300, 0.5,
	true, false, "", "drop", "passthrough", "predict", "ovr", []byte{1}, &record.List{Kind: "list"}, &record.Dict{}}

// mutated returns an array of another shape or with other data.
func mutated(a *record.Array, how, with byte) *record.Array {
	if a.DType.Kind == 'O' {
		items := slices.Clone(a.Items)
		if n := len(items); n > 0 {
			items = items[:n-1-int(with)%n]
		}
		b, err := record.NewObjects([]int{len(items)}, items)
		if err != nil {
			return a
		}
		return b
	}
	data, shape := slices.Clone(a.Data), slices.Clone(a.Shape)
	switch n := len(data); {
	case n == 0:
	case how%4 == 1: // any byte
		data[int(with)*n/256] ^= 1 << (how >> 4 % 8)
	case how%4 == 2: // a number that is -1 or NaN
		at := int(with) * n / 256 / 8 * 8
		copy(data[at:], "\xff\xff\xff\xff\xff\xff\xff\xff")
	case len(shape) > 0 && shape[0] > 0: // a shorter array
		row := n / shape[0]
		shape[0] -= 1 + int(with)%shape[0]
		data = data[:row*shape[0]]
	}
	b, err := record.NewArray(a.DType, shape, a.Fortran, data)
	if err != nil {
		return a
	}
	return b
}

// slotsOf returns the places in v, each once.
func slotsOf(v record.Value) []slot {
	var all []slot
	seen := map[any]bool{}
	var walk func(v record.Value)
	each := func(items []record.Value) {
		for i := range items {
			all = append(all, slot{func() record.Value { return items[i] }, func(v record.Value) { items[i] = v }})
			walk(items[i])
		}
	}
	walk = func(v record.Value) {
		switch v.(type) {
		case *record.List, *record.Dict, *record.Array, *record.Object:
			if seen[v] {
				return
			}
			seen[v] = true
		}
		switch v := v.(type) {
		case *record.List:
			each(v.Items)
		case *record.Dict:
			each(v.Values)
		case *record.Array:
			each(v.Items)
		case *record.Object:
			each(v.Args)
			walk(v.State)
		}
	}
	walk(v)
	return all
}
