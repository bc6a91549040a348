package kernel

import (
	"encoding/binary"
	"math"
)

// Encode returns m in its encoded form. The same model gives the same bytes.
func (m *Model) Encode() []byte {
	w := &encoder{b: []byte(magic), wide: m.wide()}
	w.uint(m.Features)
	w.uint(m.Outputs)
	flags := 0
	if m.BaseLast {
		flags |= flagBaseLast
	}
	if w.wide {
		flags |= flagWide
	}
	w.uint(flags)
	w.floats(m.Base)
	w.uint(len(m.Columns))
	for i := range m.Columns {
		w.column(&m.Columns[i])
	}
	w.uint(len(m.Trees))
	for i := range m.Trees {
		w.tree(&m.Trees[i], m.Outputs)
	}
	return w.b
}

// wide reports whether m holds a number that is not a float32.
func (m *Model) wide() bool {
	wide := func(values []float64) bool {
		for _, v := range values {
			if float64(float32(v)) != v {
				return true
			}
		}
		return false
	}
	if wide(m.Base) {
		return true
	}
	for i := range m.Columns {
		if wide(m.Columns[i].Bounds) {
			return true
		}
	}
	for i := range m.Trees {
		t := &m.Trees[i]
		if wide(t.Vectors) {
			return true
		}
		for j := range t.Nodes {
			if v := t.Nodes[j].Value; t.Nodes[j].IsLeaf() && float64(float32(v)) != v {
				return true
			}
		}
	}
	return false
}

type encoder struct {
	b    []byte
	wide bool
}

func (w *encoder) uint(v int) { w.b = binary.AppendUvarint(w.b, uint64(v)) }

func (w *encoder) float(v float64) {
	if w.wide {
		w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(v))
	} else {
		w.b = binary.LittleEndian.AppendUint32(w.b, math.Float32bits(float32(v)))
	}
}

func (w *encoder) floats(values []float64) {
	for _, v := range values {
		w.float(v)
	}
}

func (w *encoder) column(c *Column) {
	w.uint(int(c.Feature))
	set := 0
	if c.Set {
		set = 1
	}
	w.b = append(w.b, byte(set), c.Missing)
	w.uint(len(c.Bounds))
	w.floats(c.Bounds)
}

// tree writes 0 for a leaf and 1 + column for a split, then what it holds.
func (w *encoder) tree(t *Tree, outputs int) {
	w.uint(int(t.Output))
	if t.Vectors == nil {
		w.uint(0)
	} else {
		w.uint(1 + len(t.Vectors)/outputs)
		w.floats(t.Vectors)
	}
	w.uint(len(t.Nodes))
	id := int32(0)
	for stack := []int32{0}; len(stack) > 0; {
		n := &t.Nodes[stack[len(stack)-1]]
		stack = stack[:len(stack)-1]
		w.uint(int(n.Column + 1))
		if !n.IsLeaf() {
			w.b = append(w.b, n.Rank)
			stack = append(stack, n.Right, n.Left)
			continue
		}
		w.b = binary.AppendVarint(w.b, int64(n.ID)-int64(id))
		id = n.ID
		if t.Vectors == nil {
			w.float(n.Value)
		} else {
			w.uint(int(n.Vector))
		}
	}
}
