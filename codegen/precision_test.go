package codegen_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hew/codegen"
	"hew/ir"
)

// Generated packages compute in float32: others are refused, not rounded.
func TestFloat64IsRefused(t *testing.T) {
	for _, p := range [][2]ir.Precision{{ir.Double, ir.Single}, {ir.Single, ir.Double}, {ir.Double, ir.Double}} {
		e, err := ir.ParseAs(p[0], p[1], "(f0<0.5 1 2)")
		require.NoError(t, err)
		_, err = codegen.Branch(e, codegen.Options{Package: "p"})
		require.EqualError(t, err, "branch code for float64 models is not built yet")
	}
}
