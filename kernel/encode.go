package kernel

import (
	"encoding/binary"
	"math"
	"slices"
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
	first := make(map[*Node]int, len(m.Trees))
	for i := range m.Trees {
		t := &m.Trees[i]
		if k, ok := first[t.body()]; ok {
			w.again(t, k)
			continue
		}
		first[t.body()] = i
		w.tree(t, m.Outputs)
	}
	return w.b
}

// wide reports whether m has a bound or a base margin that is not a float32.
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

// again writes a tree that shares its nodes and vectors with tree k: one without
// nodes, and k.
func (w *encoder) again(t *Tree, k int) {
	w.uint(int(t.Output))
	w.uint(0)
	w.uint(k)
}

// tree writes 0 for a leaf and 1 + column for a split, then what it holds.
func (w *encoder) tree(t *Tree, outputs int) {
	w.uint(int(t.Output))
	w.uint(len(t.Nodes))
	values := leafValues(t)
	form, exponent := formOf(values)
	w.b = append(w.b, byte(form))
	if form.scaled() {
		w.b = binary.AppendVarint(w.b, int64(exponent))
	}
	if t.Vectors == nil {
		w.uint(0)
	} else {
		w.uint(1 + len(t.Vectors)/outputs)
		for _, v := range values {
			w.b = form.append(w.b, v, exponent)
		}
	}
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
			w.b = form.append(w.b, n.Value, exponent)
		} else {
			w.uint(int(n.Vector))
		}
	}
}

// leafValues returns the numbers in the leaves of t.
func leafValues(t *Tree) []float64 {
	if t.Vectors != nil {
		return t.Vectors
	}
	var values []float64
	for i := range t.Nodes {
		if n := &t.Nodes[i]; n.IsLeaf() {
			values = append(values, n.Value)
		}
	}
	return values
}

// formOf returns the form of the fewest bytes that holds all values, and the exponent of
// the power of two of which they are multiples.
func formOf(values []float64) (numberForm, int) {
	exponent := math.MaxInt
	for _, v := range values {
		exponent = min(exponent, lowestBit(v))
	}
	if exponent == math.MaxInt || exponent == math.MinInt { // only zeros, or not only numbers
		exponent = 0
	}
	for form := range asFloat64 {
		if !slices.ContainsFunc(values, func(v float64) bool { return !form.holds(v, exponent) }) {
			return form, exponent
		}
	}
	return asFloat64, exponent
}

// holds reports whether v is the same after it was written and read.
func (f numberForm) holds(v float64, exponent int) bool {
	got := f.number(f.append(nil, v, exponent), exponent)
	return math.Float64bits(got) == math.Float64bits(v)
}

// append appends v, which is rounded or worse if the form does not hold it.
func (f numberForm) append(b []byte, v float64, exponent int) []byte {
	switch f {
	case asInt8:
		return append(b, byte(int64(math.Ldexp(v, -exponent))))
	case asInt16:
		return binary.LittleEndian.AppendUint16(b, uint16(int64(math.Ldexp(v, -exponent))))
	case asBfloat16:
		return binary.LittleEndian.AppendUint16(b, uint16(math.Float32bits(float32(v))>>16))
	case asFloat16:
		return binary.LittleEndian.AppendUint16(b, toFloat16(v))
	case asFloat32:
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
	}
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}

// toFloat16 returns the encoding of v, or of another number if v is no float16.
func toFloat16(v float64) uint16 {
	sign := uint16(0)
	if math.Signbit(v) {
		sign = 1 << 15
	}
	_, exponent := math.Frexp(v)
	exponent = max(exponent+14, 1)
	fraction := math.Ldexp(math.Abs(v), 25-exponent)
	if v == 0 || exponent > 30 || !(fraction < 1<<11) {
		return sign
	}
	// The leading bit of a normal number adds 1 to the exponent, which is less by that.
	return sign | uint16(exponent-1)<<10 + uint16(fraction)
}
