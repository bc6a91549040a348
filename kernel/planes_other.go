//go:build !amd64 || purego

package kernel

// planeForm is how blocks are evaluated: without assembly, there is one way.
type planeForm struct{}

func planeFormFor(_ CPU, size, leaves int) planeForm { return planeForm{} }

func (planeForm) lanes() int                         { return 64 }
func (f planeForm) fewer(rows int) planeForm         { return f }
func (planeForm) rows() (order [64]byte)             { return order }
func (planeForm) bits(depth int) int                 { return depth }
func (planeForm) piece(entries int) int              { return 0 }
func (planeForm) cost(depth, n int, narrow bool) int { return (1<<depth + 1) * n }
func (planeForm) narrowBits(depth int) int           { return 0 }
func (planeForm) narrowBytes(depth int) bool         { return false }

func (x *planeBlock[Out]) column(c planeColumn, ranks []byte) { x.columnGeneric(c, ranks) }
func (x *planeBlock[Out]) combine(o planeOps)                 { x.combineGeneric(o) }
func (x *planeBlock[Out]) decode(r *planeRun)                 { x.decodeGeneric(r) }
func (x *planeBlock[Out]) sum(acc []Out, r *planeRun, tables int) {
	x.sumGeneric(acc, r, tables)
}

func (x *planeBlock[Out]) sumWords([]Out, *planeRun, planeValues) { panic("kernel: no assembly") }
