package compile

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Branch code runs for more rows the faster it is.
func TestBranchRows(t *testing.T) {
	for branch, want := range map[float64]int{10: 16, 81: 16, 85: 4, 90: 2, 99: 1, 100: 0, 1000: 0} {
		require.Equal(t, want, branchRows(branch, 100), branch)
	}
}
