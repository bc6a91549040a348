//go:build amd64 && !purego

package kernel

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// addLeaves writes the leaf values for the exits of trees without steps.
func (b *vectorBuilder[Out]) addLeaves() {
	s := &b.s
	size := s.valueSize()
	s.stride = size << s.levels
	if !s.oblivious {
		s.weigh(1)
	}
	s.below = aligned[byte](s.trees * s.stride)
	for l, t := range b.lanes {
		for i, leaf := range b.trees[t].exits(s.levels) {
			b.putValue(s.below[l*s.stride+i*size:], t, leaf)
		}
	}
}

// weigh sets the weights of the levels if exits lie unit apart.
func (s *vectorSection[Out]) weigh(unit int) {
	for d := range s.levels {
		s.weights[d] = byte(unit << (s.levels - 1 - d))
	}
}

// putValue writes what the kernels add for a leaf of tree t: its value, or the
// offset of its vector.
func (b *vectorBuilder[Out]) putValue(dst []byte, t int, leaf int32) {
	n := &b.trees[t].Nodes[leaf]
	if b.s.vectors != nil {
		row := b.first[t] + int(n.Vector)
		binary.LittleEndian.PutUint32(dst, uint32(row*b.outputs*int(unsafe.Sizeof(*new(Out)))))
		return
	}
	putFloat(dst, Out(n.Value))
}

func putFloat[Out Float](dst []byte, v Out) {
	if unsafe.Sizeof(v) == 8 {
		binary.LittleEndian.PutUint64(dst, math.Float64bits(float64(v)))
	} else {
		binary.LittleEndian.PutUint32(dst, math.Float32bits(float32(v)))
	}
}

// addBlocks writes the blocks of all trees, in the order of lanes: first those at
// the exits of the top, then the others, each before the ones to which it leads.
// It reports whether all links reach their blocks.
func (b *vectorBuilder[Out]) addBlocks() bool {
	s := &b.s
	w := vectorWriter[Out]{b: b, form: s.vectorForm()}
	s.stride = w.form.size << s.levels
	s.weigh(w.form.size / 8)
	for _, t := range b.lanes {
		if len(w.data) > math.MaxUint32 {
			return false
		}
		s.bases = append(s.bases, uint32(len(w.data)))
		w.tree(t, b.trees[t].exits(s.levels))
	}
	for range (8 - s.trees%8) % 8 {
		s.bases = append(s.bases, uint32(len(w.data)))
		w.idle()
	}
	if s.chain {
		s.bases = nil // the blocks of all trees are as many
	}
	s.below = aligned[byte](len(w.data))
	copy(s.below, w.data)
	return !w.tooFar
}
