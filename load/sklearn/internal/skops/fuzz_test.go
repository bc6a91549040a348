package skops

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/load/sklearn/internal/record"
)

const containers = "../../testdata/containers/"

func allowAll(string, string) bool { return true }

// allocatedBy returns the bytes that f allocates in all.
func allocatedBy(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// FuzzRead checks that any bytes give an error or values that pass record.Check, in
// bounded memory.
func FuzzRead(f *testing.F) {
	for _, pattern := range []string{containers + "tree/*.skops", containers + "numpy?/*.skops", "../../testdata/hostile/*.skops"} {
		files, err := filepath.Glob(pattern)
		require.NoError(f, err)
		require.NotEmpty(f, files)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(f, err)
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v record.Value
		var err error
		allocated := allocatedBy(func() { v, err = Read(data, allowAll) })
		require.Less(t, allocated, 256<<20)
		if err == nil {
			require.NoError(t, record.Check(v))
		}
	})
}

// FuzzSchema does the same with a schema, in an archive that is sound.
func FuzzSchema(f *testing.F) {
	data, err := os.ReadFile(containers + "tree/model.skops")
	require.NoError(f, err)
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	require.NoError(f, err)
	schema, err := z.Open("schema.json")
	require.NoError(f, err)
	text, err := io.ReadAll(schema)
	require.NoError(f, err)
	f.Add(string(text))
	for _, node := range []string{array, tuple12, list(array, one), dict(`"a":`+one, str), class("TreeNode", `,"__reduce__":{"args":`+tuple12+`},"content":`+one)} {
		f.Add(`{"protocol":2,` + node[1:])
	}
	f.Fuzz(func(t *testing.T, schema string) {
		data := archiveOf(t, schema, zip.Store)
		var v record.Value
		var err error
		allocated := allocatedBy(func() { v, err = Read(data, allowAll) })
		require.Less(t, allocated, 1<<20+400*len(data))
		if err == nil {
			require.NoError(t, record.Check(v))
		}
	})
}

// FuzzNPY checks that any bytes give an error or an array of the size that its shape
// says, whose elements can be read.
func FuzzNPY(f *testing.F) {
	for _, name := range []string{"numpy1/stored.skops", "numpy2/stored.skops"} {
		z, err := zip.OpenReader(containers + name)
		require.NoError(f, err)
		for _, entry := range z.File {
			if filepath.Ext(entry.Name) == ".npy" {
				r, err := entry.Open()
				require.NoError(f, err)
				data, err := io.ReadAll(r)
				require.NoError(f, err)
				f.Add(data)
			}
		}
		require.NoError(f, z.Close())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var a *record.Array
		var err error
		allocated := allocatedBy(func() { a, err = readNPY(data) })
		require.Less(t, allocated, 1<<20+400*len(data))
		if err != nil {
			return
		}
		require.Len(t, a.Data, a.Len()*a.DType.Size)
		readArray(t, a)
	})
}

func readArray(t *testing.T, a *record.Array) {
	if x, err := a.Float64s(); err == nil {
		require.Len(t, x, a.Len())
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
