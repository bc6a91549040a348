//go:build amd64 && !purego

package kernel

import "unsafe"

// walkHasAsm reports whether walks may go by assembly.
func walkHasAsm(cpu CPU) bool { return cpu.AVX2 }

// walkRowSum is rowSum by assembly.
func walkRowSum[Out Float](units []walkUnit, nodes []walkNode, ranks []byte, values []Out, sum Out) Out {
	u, n := &units[0][0], (*uint64)(unsafe.SliceData(nodes))
	v, r := unsafe.Pointer(unsafe.SliceData(values)), unsafe.SliceData(ranks)
	if unsafe.Sizeof(sum) == 4 {
		return Out(walkRowSum32(u, len(units), n, r, (*float32)(v), float32(sum)))
	}
	return Out(walkRowSum64(u, len(units), n, r, (*float64)(v), float64(sum)))
}

// walkRowEnds is rowEnds by assembly.
func walkRowEnds(units []walkUnit, nodes []walkNode, ranks []byte, ends []uint32) {
	_ = ends[len(units)*walkMaxLanes-1]
	walkRowAt(&units[0][0], len(units), (*uint64)(unsafe.SliceData(nodes)), unsafe.SliceData(ranks), &ends[0])
}

// walkTreeEnds writes the indices at which walks end or, if narrow is set, the
// numbers there, by assembly. Tiles have size bytes.
func walkTreeEnds(nodes []walkNode, root uint32, s walkSteps, narrow bool, tiles []byte, size int, at []uint32) {
	numbers := 0
	if narrow {
		numbers = 1
	}
	for n := max(walkAsmSteps/s.most, 1); len(at) > 0; {
		n = min(n, len(at)/8)
		walkTreeAt((*uint64)(&nodes[0]), root, s.sure, s.most, numbers, &tiles[0], size, n, &at[0])
		tiles, at = tiles[n*size:], at[8*n:]
	}
}

// walkRowVectors is addVectors by assembly.
func walkRowVectors[Out Float](acc, vectors []Out, pitch int, at []uint32) {
	var sums [8]Out
	size := int(unsafe.Sizeof(sums[0]))
	for n := 32 / size; len(acc) > 0; {
		n = copy(sums[:n], acc)
		s, v := unsafe.Pointer(&sums), unsafe.Pointer(&vectors[0])
		if size == 4 {
			walkRowVectors32((*float32)(s), (*float32)(v), 4*pitch, &at[0], len(at))
		} else {
			walkRowVectors64((*float64)(s), (*float64)(v), 8*pitch, &at[0], len(at))
		}
		copy(acc, sums[:n])
		acc, vectors = acc[n:], vectors[32/size:]
	}
}

// walkRowsVectors is addVectorsRows by assembly.
func walkRowsVectors[Out Float](sums, vectors []Out, pitch int, at []uint32) {
	size := int(unsafe.Sizeof(sums[0]))
	for n := max(walkAsmBytes/(size*pitch), 1); len(at) > 0; {
		n = min(n, len(at))
		s, v := unsafe.Pointer(&sums[0]), unsafe.Pointer(&vectors[0])
		if size == 4 {
			walkRowsVectors32((*float32)(s), (*float32)(v), 4*pitch, &at[0], n)
		} else {
			walkRowsVectors64((*float64)(s), (*float64)(v), 8*pitch, &at[0], n)
		}
		sums, at = sums[n*pitch:], at[n:]
	}
}

// walkAsmBytes is the size of the sums to which one call into assembly adds.
const walkAsmBytes = 1 << 16
