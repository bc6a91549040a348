package sklearn

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The README lists what is read.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	names := slices.Concat(slices.Collect(maps.Keys(estimators)), slices.Collect(maps.Keys(transformers)))
	require.NotEmpty(t, names)
	for _, name := range names {
		require.Regexp(t, regexp.MustCompile(`\b`+name+`\b`), string(readme))
	}
}
