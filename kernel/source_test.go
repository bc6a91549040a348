package kernel

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Source has every file but tests, its own and the encoder, as it is in the folder.
func TestSource(t *testing.T) {
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	var want []string
	for _, e := range entries {
		name := e.Name()
		if ext := filepath.Ext(name); ext != ".go" && ext != ".s" || strings.HasSuffix(name, "_test.go") || name == "source.go" || name == "encode.go" {
			continue
		}
		want = append(want, name)
	}
	got := Source()
	require.Equal(t, want, slices.Sorted(maps.Keys(got)))
	for name, data := range got {
		file, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, string(file), string(data), name)
	}
}
