package kernel

import "unsafe"

// walkGoLanes is the number of walks that go side by side without assembly: more
// do not fit into registers.
const walkGoLanes = 8

// walkLook is the number of steps between two looks whether all walks have
// arrived. A look takes as long as half a step.
const walkLook = 2

// walkRow walks a row with the given ranks from eight roots and returns where the
// walks end.
//
// Indices are not checked: verify and newWalk see to it that they stay within nodes
// and ranks. Checked, 500 trees of depth 6 took half as long again (Zen 4, Go 1.26).
func walkRow(nodes []walkNode, ranks []byte, roots *[walkMaxLanes]uint32, s walkSteps) (a, b, c, d, e, f, g, h uint32) {
	p, r := unsafe.Pointer(unsafe.SliceData(nodes)), unsafe.Pointer(unsafe.SliceData(ranks))
	a, b, c, d, e, f, g, h = roots[0], roots[1], roots[2], roots[3], roots[4], roots[5], roots[6], roots[7]
	for left := s.sure; ; {
		for ; left > 0; left-- {
			n := *(*walkNode)(unsafe.Add(p, uintptr(a)*8))
			a = (uint32(n) + uint32(*(*byte)(unsafe.Add(r, uintptr(n>>48))))) >> 8
			n = *(*walkNode)(unsafe.Add(p, uintptr(b)*8))
			b = (uint32(n) + uint32(*(*byte)(unsafe.Add(r, uintptr(n>>48))))) >> 8
			n = *(*walkNode)(unsafe.Add(p, uintptr(c)*8))
			c = (uint32(n) + uint32(*(*byte)(unsafe.Add(r, uintptr(n>>48))))) >> 8
			n = *(*walkNode)(unsafe.Add(p, uintptr(d)*8))
			d = (uint32(n) + uint32(*(*byte)(unsafe.Add(r, uintptr(n>>48))))) >> 8
			n = *(*walkNode)(unsafe.Add(p, uintptr(e)*8))
			e = (uint32(n) + uint32(*(*byte)(unsafe.Add(r, uintptr(n>>48))))) >> 8
			n = *(*walkNode)(unsafe.Add(p, uintptr(f)*8))
			f = (uint32(n) + uint32(*(*byte)(unsafe.Add(r, uintptr(n>>48))))) >> 8
			n = *(*walkNode)(unsafe.Add(p, uintptr(g)*8))
			g = (uint32(n) + uint32(*(*byte)(unsafe.Add(r, uintptr(n>>48))))) >> 8
			n = *(*walkNode)(unsafe.Add(p, uintptr(h)*8))
			h = (uint32(n) + uint32(*(*byte)(unsafe.Add(r, uintptr(n>>48))))) >> 8
		}
		if s.sure >= s.most {
			break
		}
		low := *(*walkNode)(unsafe.Add(p, uintptr(a)*8)) | *(*walkNode)(unsafe.Add(p, uintptr(b)*8)) |
			*(*walkNode)(unsafe.Add(p, uintptr(c)*8)) | *(*walkNode)(unsafe.Add(p, uintptr(d)*8)) |
			*(*walkNode)(unsafe.Add(p, uintptr(e)*8)) | *(*walkNode)(unsafe.Add(p, uintptr(f)*8)) |
			*(*walkNode)(unsafe.Add(p, uintptr(g)*8)) | *(*walkNode)(unsafe.Add(p, uintptr(h)*8))
		if low.isLeaf() {
			break
		}
		left = walkLook
		s.sure += walkLook
	}
	return a, b, c, d, e, f, g, h
}

// walkTile walks eight rows, whose ranks are a tile of walkTiles, from root and
// writes where the walks end.
func walkTile(nodes []walkNode, tile []byte, root uint32, s walkSteps, at *[8]uint32) {
	p, r := unsafe.Pointer(unsafe.SliceData(nodes)), unsafe.Pointer(unsafe.SliceData(tile))
	a, b, c, d, e, f, g, h := root, root, root, root, root, root, root, root
	for left := s.sure; ; {
		for ; left > 0; left-- {
			n := *(*walkNode)(unsafe.Add(p, uintptr(a)*8))
			a = (uint32(n) + uint32(*(*byte)(unsafe.Add(r, uintptr(n>>48)*8+0)))) >> 8
			n = *(*walkNode)(unsafe.Add(p, uintptr(b)*8))
			b = (uint32(n) + uint32(*(*byte)(unsafe.Add(r, uintptr(n>>48)*8+1)))) >> 8
			n = *(*walkNode)(unsafe.Add(p, uintptr(c)*8))
			c = (uint32(n) + uint32(*(*byte)(unsafe.Add(r, uintptr(n>>48)*8+2)))) >> 8
			n = *(*walkNode)(unsafe.Add(p, uintptr(d)*8))
			d = (uint32(n) + uint32(*(*byte)(unsafe.Add(r, uintptr(n>>48)*8+3)))) >> 8
			n = *(*walkNode)(unsafe.Add(p, uintptr(e)*8))
			e = (uint32(n) + uint32(*(*byte)(unsafe.Add(r, uintptr(n>>48)*8+4)))) >> 8
			n = *(*walkNode)(unsafe.Add(p, uintptr(f)*8))
			f = (uint32(n) + uint32(*(*byte)(unsafe.Add(r, uintptr(n>>48)*8+5)))) >> 8
			n = *(*walkNode)(unsafe.Add(p, uintptr(g)*8))
			g = (uint32(n) + uint32(*(*byte)(unsafe.Add(r, uintptr(n>>48)*8+6)))) >> 8
			n = *(*walkNode)(unsafe.Add(p, uintptr(h)*8))
			h = (uint32(n) + uint32(*(*byte)(unsafe.Add(r, uintptr(n>>48)*8+7)))) >> 8
		}
		if s.sure >= s.most {
			break
		}
		low := *(*walkNode)(unsafe.Add(p, uintptr(a)*8)) | *(*walkNode)(unsafe.Add(p, uintptr(b)*8)) |
			*(*walkNode)(unsafe.Add(p, uintptr(c)*8)) | *(*walkNode)(unsafe.Add(p, uintptr(d)*8)) |
			*(*walkNode)(unsafe.Add(p, uintptr(e)*8)) | *(*walkNode)(unsafe.Add(p, uintptr(f)*8)) |
			*(*walkNode)(unsafe.Add(p, uintptr(g)*8)) | *(*walkNode)(unsafe.Add(p, uintptr(h)*8))
		if low.isLeaf() {
			break
		}
		left = walkLook
		s.sure += walkLook
	}
	*at = [8]uint32{a, b, c, d, e, f, g, h}
}

// walkAlone takes one walk to its end, at most steps away.
func walkAlone(nodes []walkNode, ranks []byte, i uint32, most int) uint32 {
	for ; most > 0; most-- {
		n := nodes[i]
		next := (uint32(n) + uint32(ranks[n>>48])) >> 8
		if next == i {
			break // a leaf that waits
		}
		i = next
	}
	return i
}
