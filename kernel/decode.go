package kernel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

var errEncoding = errors.New("kernel: damaged tables")

// magic begins the encoded form of a Model, which is what generated packages
// embed: numbers as varints, the nodes of a tree in preorder, a tree that shares its
// nodes as a reference to the first one that has them, bounds and base margins in four
// bytes if all of them are float32 numbers, and the leaf values of each tree in as few
// bytes as hold them.
const magic = "hewk1\n"

// The bits of the flags that follow the shape.
const (
	flagBaseLast = 1 << iota
	flagWide     // some bound or base margin is not a float32: all take eight bytes
)

// Decode returns the model of which data is the encoded form. The nodes of its
// trees stand in preorder.
func Decode(data []byte) (*Model, error) {
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok {
		return nil, fmt.Errorf("%w: they do not begin with %q", errEncoding, magic)
	}
	r := &decoder{b: rest}
	m := &Model{Features: r.uint(), Outputs: r.uint()}
	flags := r.uint()
	m.BaseLast, r.wide = flags&flagBaseLast != 0, flags&flagWide != 0
	m.Base = r.floats(m.Outputs)
	m.Columns = make([]Column, r.count(4))
	for i := range m.Columns {
		m.Columns[i] = r.column()
	}
	m.Trees = make([]Tree, r.count(3)) // as many bytes as a tree takes that shares its nodes
	for i := range m.Trees {
		m.Trees[i] = r.tree(m.Outputs, m.Trees[:i])
	}
	if r.failed || len(r.b) > 0 {
		return nil, errEncoding
	}
	return m, m.verify()
}

// A decoder reads from b. After a failure it returns zeros.
type decoder struct {
	b      []byte
	wide   bool
	failed bool
}

func (r *decoder) fail() {
	r.b, r.failed = nil, true
}

func (r *decoder) uint() int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > math.MaxInt32 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

// count reads the number of things that take at least size bytes each.
func (r *decoder) count(size int) int {
	n := r.uint()
	if n > len(r.b)/size {
		r.fail()
		return 0
	}
	return n
}

func (r *decoder) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *decoder) float() float64 {
	size := 4
	if r.wide {
		size = 8
	}
	if len(r.b) < size {
		r.fail()
		return 0
	}
	b := r.b
	r.b = r.b[size:]
	if r.wide {
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
}

func (r *decoder) floats(n int) []float64 {
	if n < 0 || n > len(r.b)/4 {
		r.fail()
		return nil
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = r.float()
	}
	return values
}

func (r *decoder) column() Column {
	c := Column{Feature: int32(r.uint())}
	c.Set, c.Missing = r.byte() == 1, r.byte()
	c.Bounds = r.floats(r.uint())
	return c
}

// tree reads a tree; one without nodes shares those of one of the trees before it.
func (r *decoder) tree(outputs int, before []Tree) Tree {
	t := Tree{Output: int32(r.uint())}
	n := r.count(1)
	if n == 0 {
		return r.again(t.Output, before)
	}
	value := r.values()
	if vectors := r.uint(); vectors > 0 {
		t.Vectors = make([]float64, 0, r.room((vectors-1)*outputs))
		for range cap(t.Vectors) {
			t.Vectors = append(t.Vectors, value())
		}
	}
	t.Nodes = make([]Node, 0, n)
	id := int32(0)
	for right := []int32(nil); !r.failed; {
		i := int32(len(t.Nodes))
		n := Node{Column: int32(r.uint()) - 1}
		if !n.IsLeaf() {
			n.Rank, n.Left = r.byte(), i+1
			right = append(right, i)
			t.Nodes = append(t.Nodes, n)
			continue
		}
		id += r.int32()
		n.ID = id
		if t.Vectors == nil {
			n.Value = value()
		} else {
			n.Vector = int32(r.uint())
		}
		t.Nodes = append(t.Nodes, n)
		if len(right) == 0 {
			break
		}
		t.Nodes[right[len(right)-1]].Right = i + 1
		right = right[:len(right)-1]
	}
	return t
}

// values reads the form of a tree's leaf values and returns what reads them.
func (r *decoder) values() func() float64 {
	f, exponent := numberForm(r.byte()), 0
	if f >= numberForms {
		r.fail()
		f = asFloat64
	}
	if f.scaled() {
		exponent = int(r.int32())
	}
	return func() float64 {
		if len(r.b) < f.size() {
			r.fail()
			return 0
		}
		v := f.number(r.b, exponent)
		r.b = r.b[f.size():]
		return v
	}
}

// room returns n, or 0 after a failure if that many values cannot follow.
func (r *decoder) room(n int) int {
	if n < 0 || n > len(r.b) {
		r.fail()
		return 0
	}
	return n
}

func (r *decoder) again(output int32, before []Tree) Tree {
	k := r.uint()
	if k >= len(before) {
		r.fail()
		return Tree{}
	}
	t := before[k]
	t.Output = output
	return t
}

func (r *decoder) int32() int32 {
	v, n := binary.Varint(r.b)
	if n <= 0 || v != int64(int32(v)) {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return int32(v)
}
