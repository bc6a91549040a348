//go:build !amd64 || purego

package kernel

// A vector evaluates single rows with instructions that this build lacks.
type vector[Out Float] struct{}

func newVector[Out Float](*Model, CPU) *vector[Out] { return nil }

func (*vector[Out]) add([]Out, []byte, bool) { panic("kernel: no vector instructions") }
