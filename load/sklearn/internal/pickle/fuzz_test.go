package pickle_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/load/sklearn/internal/pickle"
	"hew/load/sklearn/internal/record"
)

// addFiles adds the files of the given pattern that are not large.
func addFiles(f *testing.F, pattern string) {
	files, err := filepath.Glob(pattern)
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data)
	}
}

// FuzzRead checks that any bytes give an error or values that can be walked and
// read, and that what they take is in proportion to the file.
func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"containers/numpy*/protocol?.*", "containers/numpy2/unaligned.joblib", "containers/tree/model*.pkl", "hostile/*.pkl", "hostile/*.joblib"} {
		addFiles(f, "../../testdata/"+pattern)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var p *pickle.Pickle
		var err error
		allocated := allocatedBy(func() { p, err = pickle.Read(data, func(string, string) bool { return true }) })
		require.Less(t, allocated, 1<<20+400*len(data))
		if err == nil {
			readAll(t, p.Value, map[record.Value]bool{})
		}
	})
}

// readAll reads all that is in a value, once.
func readAll(t *testing.T, v record.Value, seen map[record.Value]bool) {
	switch v.(type) {
	case *record.List, *record.Dict, *record.Object, *record.Array:
		if seen[v] {
			return
		}
		seen[v] = true
	}
	switch v := v.(type) {
	case *record.List:
		for _, item := range v.Items {
			readAll(t, item, seen)
		}
	case *record.Dict:
		require.Len(t, v.Values, len(v.Keys))
		for i, k := range v.Keys {
			readAll(t, k, seen)
			readAll(t, v.Values[i], seen)
		}
	case *record.Object:
		readAll(t, v.State, seen)
		for _, item := range append(v.Args, v.Items...) {
			readAll(t, item, seen)
		}
		if v.Entries != nil {
			readAll(t, v.Entries, seen)
		}
	case *record.Array:
		readArray(t, v)
		for _, item := range v.Items {
			readAll(t, item, seen)
		}
	}
}

func readArray(t *testing.T, a *record.Array) {
	if _, err := a.Float64s(); err == nil {
		require.True(t, a.DType.Numeric())
	}
	a.Int64s()
	if s, err := a.Strings(); err == nil {
		require.Len(t, s, a.Len())
	}
	for _, f := range a.DType.Fields {
		if field, err := a.Field(f.Name); err == nil {
			readArray(t, field)
		}
		if c, err := a.Column(f.Name); err == nil && c.Len() > 0 {
			c.Float64(c.Len() - 1)
			c.Int64(c.Len() - 1)
		}
	}
}

// FuzzDecompress checks that any bytes give an error or what they hold, in bounded
// memory.
func FuzzDecompress(f *testing.F) {
	for _, name := range []string{"zlib", "gzip", "bz2", "xz", "lzma", "lz4"} {
		addFiles(f, "../../testdata/containers/numpy?/"+name+".joblib")
	}
	f.Add(compress(f, halfRandom(30_000), xzBlocks(1<<13, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var out []byte
		var err error
		allocated := allocatedBy(func() { out, err = pickle.Decompress(data) })
		require.Less(t, allocated, 256<<20)
		if err == nil {
			require.True(t, pickle.Is(out))
		}
	})
}
