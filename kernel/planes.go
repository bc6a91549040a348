package kernel

// planes evaluates trees for blocks of rows, one bit per row.
//
// Four steps, each for a whole block:
//
//  1. A line, one bit per row, is made for each distinct split of the trees:
//     ensembles ask the same question often. The ranks of a column are turned into
//     bit planes, and those into comparisons, one operation each.
//  2. Lines select lines up the tree, all bits of the leaves' codes at a time: see
//     bitTree.
//  3. Bit planes become one byte per row, the code of its leaf.
//  4. Codes look leaf values up, which are added to the margins in the order of
//     trees, or as integers if the order does not matter: see planeBuilder.narrow.
//
// Memory for lines is bounded, so that they stay in the second-level cache: trees
// with many distinct splits are evaluated in parts.
//
// On a Zen 4 with GFNI, 500 trees of 43 leaves on average (XGBoost, depth 6, 28
// columns) take 59 ns for a row: step 1 a seventh, 2 and 3 half, at the rate at
// which lines come from the second-level cache, and 4 a third. To do 2 for a tree
// and 4 for the one before it at once, instruction by instruction, was slower: sums
// then have to stay in memory.
type planes[Out Float] struct {
	form   planeForm
	parts  []planePart
	ops    []uint16 // four numbers each: see planeCombine
	slots  []uint16 // lines of complete trees: see planeDecode
	tables []Out    // leaf values by code
	grid   grid     // of the model
	words  []int16  // leaf values by code, of trees in narrow runs
	lines  int      // that are kept in memory
	order  [64]byte // in which assembly takes the ranks of 64 rows
}

// A planePart is the work for trees that share lines.
type planePart struct {
	columns []planeColumn
	runs    []planeRun
}

// A planeColumn makes the lines of one column: those of all ranks with certain
// high digits, to base 16, or, if groups is 0, those that ops name.
type planeColumn struct {
	column int
	groups uint // bit h for ranks 16h to 16h+15
	lines  planeOps
}

// A planeRun is a few trees that add to the same outputs, one after the other, and
// whose codes have the same number of bits.
type planeRun struct {
	lines  planeOps
	depth  int  // bits of a code
	levels bool // slots are the bits of codes, the lowest first: see newLevels
	narrow bool // with narrow tables: see planeBuilder.narrow
	trees  int
	slots  int // where those of the first tree begin
	each   int // slots of a tree
	values []planeValues
}

// planeOps are n ops from the first on. Their results are the lines from dst on.
type planeOps struct{ first, n, dst int }

// planeValues are the tables of a run's trees for an output, from the given one on.
type planeValues struct {
	output, tables int
	words          int   // the narrow tables
	bias           int32 // what their values are less than those of the leaves, in all
}

// The lines at the beginning of the memory for lines. A program names lines by the
// number of bytes before them in a block of 64 rows, in 16 bits.
const (
	noRowLine  = 0
	allRowLine = 1
	lowLine    = 2  // rank%16 >= 1, 2, … 15
	highLine   = 18 // rank/16 >= 0, 1, … 16, but from one line before
	freeLine   = 66 // between them, assembly has its own
	maxLines   = 1 << 13
)

// planeRunTrees is the largest number of trees in a run: their codes take 8 KB of
// the first-level cache.
const planeRunTrees = 16

// planeRunLines is the number of lines that are kept for the ops of a run. Those of
// one tree make fewer lines than it has leaves.
const planeRunLines = maxPlaneLeaves

// lanes returns the number of rows in a block.
func (p *planes[Out]) lanes() int { return p.form.lanes() }

// planeScratch is memory for one block.
type planeScratch struct {
	mem   []uint64 // lines
	codes []byte
}

func (p *planes[Out]) newScratch() *planeScratch {
	words := p.lines * p.lanes() / 64
	if p.lanes() == 64 {
		words = maxLines // so that portable code need not check 16-bit numbers
	}
	return &planeScratch{
		mem:   aligned[uint64](words),
		codes: aligned[byte](planeRunTrees * p.lanes()),
	}
}

// add adds to acc[output*lanes+i], for each of the rows of a block, the values of
// the trees, one after the other. The rank of row i in a column is
// ranks[column*lanes+i]. What is added for rows beyond is garbage. The order does
// not matter if free is set, which it may only be if the sums of a grid are exact.
func (p *planes[Out]) add(acc []Out, ranks []byte, rows int, s *planeScratch, free bool) {
	x := planeBlock[Out]{p, s, p.form.fewer(rows), rows}
	x.begin()
	n := p.lanes()
	for i := range p.parts {
		part := &p.parts[i]
		for _, c := range part.columns {
			x.column(c, ranks[c.column*n:][:n])
		}
		for j := range part.runs {
			r := &part.runs[j]
			x.combine(r.lines)
			x.decode(r)
			for _, v := range r.values {
				if free && r.narrow {
					x.sumWords(acc[v.output*n:][:n], r, v)
				} else {
					x.sum(acc[v.output*n:][:n], r, v.tables)
				}
			}
		}
	}
}

// A planeBlock is a block of rows on its way. Its form may be narrower than that
// of the planes.
type planeBlock[Out Float] struct {
	*planes[Out]
	*planeScratch
	form planeForm
	rows int
}

// begin writes the lines that do not change, but for the width of lines.
func (x *planeBlock[Out]) begin() {
	words := x.form.lanes() / 64
	for i := range words {
		x.mem[noRowLine*words+i], x.mem[allRowLine*words+i] = 0, ^uint64(0)
		x.mem[(highLine-1)*words+i], x.mem[(highLine+15)*words+i] = ^uint64(0), 0
	}
}
