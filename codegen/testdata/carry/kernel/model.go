// Package kernel is a small one for the test of how generated packages carry it.
package kernel

//go:generate go run ./gen

import "math"

// An Engine evaluates a Model. Engine and Model are exported, Engines is not a name.
type Engine[In, Out Float] struct {
	Model *Model // a field, of an exported type
	New   Out    // a field with the name of a function
}

// A Float is a type.
type Float interface{ float32 | float64 }

// A Model has a Limit and a method.
type Model struct{ Limit int }

// Kinds of nodes.
const (
	Leaf = iota
	Split
)

var names = [...]string{Leaf: "leaf", Split: "split"}

// New returns an engine; New is mentioned twice.
func New[In, Out Float](m *Model, _ CPU) (*Engine[In, Out], error) {
	Leaf := Out(math.Sqrt(float64(m.Limit))) // hides the constant
	return &Engine[In, Out]{Model: m, New: Leaf}, nil
}

// Decode is found in package kernel.
func Decode([]byte) (*Model, error) { return &Model{Limit: len(names[Split])}, nil }

// Margin calls what is fast.
func (e *Engine[In, Out]) Margin(dst []Out, x []In) {
	type CPU struct{ Limit int } // hides the type
	for i := range row(CPU{e.Model.Limit}.Limit) {
		dst[i] = Out(x[i]) + e.New
	}
}

// Leaf is a method with the name of a constant.
func (e *Engine[In, Out]) Leaf(dst []int32, x []In) { dst[0] = Leaf }

// row has a name that the package declares as well.
func row(n int) int { return Fast(n) }

// A limited embeds types that are exported.
type limited struct {
	*Model
	Pair[float32]
	next *limited
}

// A Pair has a type parameter.
type Pair[T Float] struct{ Float, CPU T }

func (l *limited) limit() int {
	other := limited{Model: l.Model, Pair: Pair[float32]{Float: 1}}
	return l.next.Model.Limit + other.Limit + int(l.Pair.Float+other.CPU)
}
