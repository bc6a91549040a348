package kernel

import "encoding/binary"

// A walkScratch is the memory that a call of rows works in.
type walkScratch struct {
	tiles []byte   // ranks of a block of rows, see walkTiles
	at    []uint32 // where the walk of each row ended
	sums  any      // []Out: of a block of rows, by row, if there are vector leaves
}

// scratch returns memory for calls of rows, one at a time.
func (w *walk[Out]) scratch() *walkScratch {
	return &walkScratch{
		tiles: aligned[byte](w.block * w.columns),
		at:    make([]uint32, w.block),
		sums:  aligned[Out](w.block * w.pitch),
	}
}

// walkSums are the sums of some rows: that of output k of row i is
// v[k*output+i*row].
type walkSums[Out Float] struct {
	v           []Out
	output, row int
}

// rows adds the leaf values of the trees [t0, t1) to acc[k*stride+i] for output k
// of row i. The ranks of row i begin at ranks[i*rowStride]; rowStride is at least
// the number of columns, rounded up to a multiple of eight.
func (w *walk[Out]) rows(acc []Out, stride int, ranks []byte, rowStride int, rows int, t0, t1 int, s *walkScratch) {
	for i := 0; i < rows; i += w.block {
		n := min(w.block, rows-i)
		ranks := ranks[i*rowStride:]
		walkTiles(s.tiles, ranks, rowStride, n, w.columns)
		given := walkSums[Out]{acc[i:], stride, 1}
		if w.pitch == 0 {
			w.rowsOfBlock(given, ranks, rowStride, n, t0, t1, s)
			continue
		}
		byRow := walkSums[Out]{s.sums.([]Out), 1, w.pitch}
		walkCopySums(byRow, given, n, w.width)
		w.rowsOfBlock(byRow, ranks, rowStride, n, t0, t1, s)
		walkCopySums(given, byRow, n, w.width)
	}
}

func walkCopySums[Out Float](dst, src walkSums[Out], rows, outputs int) {
	for k := range outputs {
		d, s := dst.v[k*dst.output:], src.v[k*src.output:]
		for i := range rows {
			d[i*dst.row] = s[i*src.row]
		}
	}
}

// rowsOfBlock is rows for rows that are in the tiles of s.
func (w *walk[Out]) rowsOfBlock(sums walkSums[Out], ranks []byte, rowStride, rows, t0, t1 int, s *walkScratch) {
	at := s.at[:(rows+7)&^7]
	for t := t0; t < t1; t++ {
		place := &w.places[t]
		g := &w.groups[place.group]
		if g.kind == walkNaive {
			for i := range rows {
				w.addNaive(sums.v[i*sums.row:], sums.output, ranks[i*rowStride:], g.naive)
			}
			continue
		}
		w.rowsNumbers(place, s.tiles, at)
		if g.vectors {
			w.addVectorsRows(sums.v, w.vectors[g.values*w.pitch:], at[:rows])
			continue
		}
		v, values := sums.v[int(w.outputs[t])*sums.output:], w.values[g.values:]
		for i, n := range at[:rows] {
			v[i*sums.row] += values[n]
		}
	}
}

// addVectorsRows adds vectors to the sums of as many rows.
func (w *walk[Out]) addVectorsRows(sums, vectors []Out, at []uint32) {
	if w.asm {
		walkRowsVectors(sums, vectors, w.pitch, at)
		return
	}
	for i, n := range at {
		s := sums[i*w.pitch:][:w.width]
		v := vectors[int(n)*w.pitch:][:len(s)]
		for k := range s {
			s[k] += v[k]
		}
	}
}

// rowsNumbers writes the leaf numbers that as many rows as at is long, which are in
// tiles, reach in one tree.
func (w *walk[Out]) rowsNumbers(place *walkPlace, tiles []byte, at []uint32) {
	g := &w.groups[place.group]
	nodes := w.nodes[g.nodes:]
	switch {
	case place.most == 0:
		for i := range at {
			at[i] = place.root
		}
	case w.asm && place.most <= walkAsmSteps:
		narrow := g.kind == walkNarrow
		walkTreeEnds(nodes, place.root, place.walkSteps, narrow, tiles, 8*w.columns, at)
		if narrow {
			return
		}
	default:
		for i := 0; i < len(at); i += 8 {
			walkTile(nodes, tiles[i*w.columns:], place.root, place.walkSteps, (*[8]uint32)(at[i:]))
		}
	}
	w.numbers(g, at)
}

// walkTiles writes ranks by tiles of eight rows, in which the eight ranks of a
// column lie together: walks of eight rows then share one address. columns is a
// multiple of eight.
func walkTiles(dst, ranks []byte, rowStride, rows, columns int) {
	for i := 0; i < rows; i += 8 {
		n := min(8, rows-i)
		for c := 0; c < columns; c += 8 {
			var x [8]uint64
			for k := range n {
				x[k] = binary.LittleEndian.Uint64(ranks[(i+k)*rowStride+c:])
			}
			walkTranspose(&x)
			d := dst[i*columns+8*c:][:64]
			for k := range x {
				binary.LittleEndian.PutUint64(d[8*k:], x[k])
			}
		}
	}
}

// walkTranspose makes byte k of x[i] byte i of x[k].
func walkTranspose(x *[8]uint64) {
	for i := range 4 {
		a, b := x[i], x[i+4]
		x[i], x[i+4] = a&0xffffffff|b<<32, a>>32|b&^0xffffffff
	}
	for _, i := range [4]int{0, 1, 4, 5} {
		const m = 0x0000ffff0000ffff
		a, b := x[i], x[i+2]
		x[i], x[i+2] = a&m|b&m<<16, a>>16&m|b&^m
	}
	for i := 0; i < 8; i += 2 {
		const m = 0x00ff00ff00ff00ff
		a, b := x[i], x[i+1]
		x[i], x[i+1] = a&m|b&m<<8, a>>8&m|b&^m
	}
}
