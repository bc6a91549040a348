package compile_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
)

// Folded or not, an ensemble behind columns of every kind of operation says the same.
// The first two seeds are finds: functions of the C library turn around by a unit in the
// last place where a set ends.
func TestPassesOnRandomPipelines(t *testing.T) {
	seeds := []uint64{1375, 2691}
	for seed := range uint64(300) {
		seeds = append(seeds, seed)
	}
	for _, seed := range seeds {
		e := nodiff.Shape{Trees: 8, Depth: 5, Input: ir.Precision(seed % 4 / 3), Sum: ir.Double, Columns: true}.Ensemble(seed)
		p := e.Clone()
		_, err := compile.Run(p, compile.Options{})
		require.NoError(t, err)
		folded := compile.Interp(p, "folded")
		folded.Leaf = nil // collapse merges leaves
		d := nodiff.Compare(interp.New(e), folded, nodiff.Rows(e, 1500, seed))
		require.True(t, d.OK(), "seed %d: %v", seed, d)
	}
}
