package nearest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/nearest"
)

func TestHint(t *testing.T) {
	names := []string{"dead", "collapse", "Wilderness_Area", "x"}
	for s, want := range map[string]string{
		"colapse":                      ` (did you mean "collapse"?)`,
		"wilderness area":              ` (did you mean "Wilderness_Area"?)`,
		"deda":                         ` (did you mean "dead"?)`,
		"y":                            ` (did you mean "x"?)`,
		"elevation":                    "",
		strings.Repeat("collapse", 20): "",
	} {
		require.Equal(t, want, nearest.Hint(s, names), s)
	}
	require.Empty(t, nearest.Hint("dead", nil))
}
