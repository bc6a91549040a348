// Package kernel evaluates ensembles fast. It knows no model file and no
// ensemble: a Model states columns of ranks and trees of byte comparisons, and an
// Engine evaluates them with what the processor has.
package kernel

// Float is the type in which features are compared or margins are summed.
type Float interface{ float32 | float64 }
