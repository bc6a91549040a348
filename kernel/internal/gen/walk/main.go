// Command walk writes the assembly of the walks. See kernel/walk.go for how their
// tables look.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("!purego")
	rowSum(4)
	rowSum(8)
	rowAt()
	treeAt()
	for _, size := range []int{4, 8} {
		rowVectors(size)
		rowsVectors(size)
	}
	Generate()
}

// The registers of walks side by side; a walk's index stays in its own.
var (
	lanes = []GPPhysical{RAX, RBX, RCX, RDX, R8, R9, R10, R11, R12, R13, R14, R15}
	nodes = RSI
	ranks = RDI
	spare = RBP
)

// look is walkLook.
const look = 2

// node is a part of the node at which a walk is.
func node(lane GPPhysical, offset int) Mem {
	return Mem{Base: nodes, Index: lane, Scale: 8, Disp: offset}
}

// step leaves in spare 256 times the index of the next node, and less than 256.
// The node's two parts are loaded apart, which saves instructions that take them
// apart.
func step(lane GPPhysical, rank Mem) {
	MOVWLZX(node(lane, 6), spare.As32())
	MOVBLZX(rank, spare.As32())
	ADDL(node(lane, 0), spare.As32())
}

// lookAll sets the zero flag if all walks have arrived.
func lookAll(lanes []GPPhysical) {
	MOVL(node(lanes[0], 0), spare.As32())
	for _, lane := range lanes[1:] {
		ORL(node(lane, 0), spare.As32())
	}
	TESTL(U32(0xff), spare.As32())
}

// Offsets in a walkUnit.
const (
	unitSure   = 4 * 12
	unitMost   = 4*12 + 2
	unitNarrow = 4 * 13
	unitNodes  = 4 * 14
	unitValues = 4 * 15
	unitSize   = 4 * 16
)

// A rowWalk is a function that walks one row through units.
type rowWalk struct {
	units, n, nodes, count, rest Mem // in the frame
}

func (w *rowWalk) begin(name, rest string) {
	TEXT(name, NOSPLIT, "func(units *uint32, n int, nodes *uint64, ranks *byte, "+rest)
	Pragma("noescape")
	frame := AllocLocal(8 * 8)
	slot := func(i int) Mem { return frame.Offset(8 * i) }
	w.units, w.n, w.nodes, w.count, w.rest = slot(0), slot(1), slot(2), slot(3), slot(4)
	w.keep("units", w.units)
	w.keep("n", w.n)
	w.keep("nodes", w.nodes)
	Load(Param("ranks"), ranks)
}

// keep copies a parameter to the frame.
func (w *rowWalk) keep(name string, slot Mem) {
	Load(Param(name), RAX)
	MOVQ(RAX, slot)
}

// walk leaves in the lanes where the walks of a unit end. The unit is in spare
// before and after.
func (w *rowWalk) walk() {
	MOVQ(w.units, spare)
	MOVL(Mem{Base: spare, Disp: unitNodes}, nodes.As32())
	SHLQ(U8(6), nodes)
	ADDQ(w.nodes, nodes)
	MOVWLZX(Mem{Base: spare, Disp: unitMost}, ECX)
	MOVWLZX(Mem{Base: spare, Disp: unitSure}, EAX)
	SUBL(EAX, ECX)
	MOVL(ECX, w.rest)
	MOVL(EAX, w.count)
	TESTL(EAX, EAX)
	for k, lane := range lanes {
		MOVL(Mem{Base: spare, Disp: 4 * k}, lane.As32())
	}
	JZ(LabelRef("arrived"))
	Label("round")
	for _, lane := range lanes {
		step(lane, Mem{Base: ranks, Index: spare, Scale: 1})
		SHRL(U8(8), spare.As32())
		MOVL(spare.As32(), lane.As32())
	}
	DECL(w.count)
	JNZ(LabelRef("round"))
	CMPL(w.rest, U8(0))
	JLE(LabelRef("arrived"))
	lookAll(lanes)
	JZ(LabelRef("arrived"))
	SUBL(U8(look), w.rest)
	MOVL(U32(look), w.count)
	JMP(LabelRef("round"))
	Label("arrived")
	MOVQ(w.units, spare)
}

// next goes on with the next unit; the present one is in spare.
func (w *rowWalk) next() {
	ADDQ(U8(unitSize), spare)
	MOVQ(spare, w.units)
	DECQ(w.n)
	JNZ(LabelRef("unit"))
}

// rowSum adds the values of the leaves, each of size bytes.
func rowSum(size int) {
	name := fmt.Sprintf("walkRowSum%d", 8*size)
	var w rowWalk
	w.begin(name, fmt.Sprintf("values *float%[1]d, sum float%[1]d) float%[1]d", 8*size))
	Doc(name + " is walkRowSum for n units.")
	values := AllocLocal(8)
	w.keep("values", values)
	sum := Load(Param("sum"), X0)
	Label("unit")
	w.walk()
	CMPL(Mem{Base: spare, Disp: unitNarrow}, U8(0))
	JE(LabelRef("numbered"))
	for _, lane := range lanes {
		MOVWLZX(node(lane, 4), lane.As32())
	}
	Label("numbered")
	MOVL(Mem{Base: spare, Disp: unitValues}, nodes.As32())
	SHLQ(U8(map[int]uint64{4: 2, 8: 3}[size]), nodes)
	ADDQ(values, nodes)
	for _, lane := range lanes {
		value := Mem{Base: nodes, Index: lane, Scale: uint8(size)}
		if size == 4 {
			ADDSS(value, sum.(VecPhysical))
		} else {
			ADDSD(value, sum.(VecPhysical))
		}
	}
	w.next()
	Store(sum, ReturnIndex(0))
	RET()
}

// rowAt writes where the walks end.
func rowAt() {
	var w rowWalk
	w.begin("walkRowAt", "at *uint32)")
	Doc("walkRowAt writes the ends of the walks of n units, each walkLanes of them.")
	at := AllocLocal(8)
	w.keep("at", at)
	Label("unit")
	w.walk()
	MOVQ(at, nodes)
	for k, lane := range lanes {
		MOVL(lane.As32(), Mem{Base: nodes, Disp: 4 * k})
	}
	ADDQ(U8(4*len(lanes)), at)
	w.next()
	RET()
}

// treeAt walks eight rows at a time through one tree.
func treeAt() {
	TEXT("walkTreeAt", NOSPLIT, "func(nodes *uint64, root uint32, sure, most, narrow int, tiles *byte, size int, n int, at *uint32)")
	Pragma("noescape")
	Doc("walkTreeAt writes the ends of the walks of n tiles of size bytes or, if narrow is not 0, the numbers there.")
	lanes := lanes[:8]
	count, rest, at, eight := R12, R13, R14, R15
	frame := AllocLocal(8 * 2)
	root, left := frame.Offset(0), frame.Offset(8)
	Load(Param("root"), EAX)
	MOVL(EAX, root)
	Load(Param("n"), RAX)
	MOVQ(RAX, left)
	Load(Param("nodes"), nodes)
	Load(Param("tiles"), ranks)
	Load(Param("at"), at)
	MOVL(U32(8), eight.As32())
	Label("tile")
	for _, lane := range lanes {
		MOVL(root, lane.As32())
	}
	Load(Param("sure"), count)
	Load(Param("most"), rest)
	SUBQ(count, rest)
	Label("round")
	for k, lane := range lanes {
		step(lane, Mem{Base: ranks, Index: spare, Scale: 8, Disp: k})
		SHRXL(eight.As32(), spare.As32(), lane.As32())
	}
	DECQ(count)
	JNZ(LabelRef("round"))
	TESTQ(rest, rest)
	JLE(LabelRef("arrived"))
	lookAll(lanes)
	JZ(LabelRef("arrived"))
	SUBQ(U8(look), rest)
	MOVQ(U32(look), count)
	JMP(LabelRef("round"))
	Label("arrived")
	Load(Param("narrow"), spare)
	TESTQ(spare, spare)
	JZ(LabelRef("numbered"))
	for _, lane := range lanes {
		MOVWLZX(node(lane, 4), lane.As32())
	}
	Label("numbered")
	for k, lane := range lanes {
		MOVL(lane.As32(), Mem{Base: at, Disp: 4 * k})
	}
	ADDQ(U8(4*len(lanes)), at)
	Load(Param("size"), spare)
	ADDQ(spare, ranks)
	DECQ(left)
	JNZ(LabelRef("tile"))
	RET()
}

// chunk is the number of bytes of a vector that are added at a time.
const chunk = 32

// addChunk adds what is at m to sum, which stays the first operand so that of two
// NaNs the sum's is kept, as in Go.
func addChunk(size int, m Mem, sum Op) {
	if size == 4 {
		VADDPS(m, sum, sum)
	} else {
		VADDPD(m, sum, sum)
	}
}

// rowVectors adds a chunk of each of several vectors to one sum.
func rowVectors(size int) {
	name := fmt.Sprintf("walkRowVectors%d", 8*size)
	TEXT(name, NOSPLIT, fmt.Sprintf("func(sum *float%[1]d, vectors *float%[1]d, pitch int, at *uint32, n int)", 8*size))
	Pragma("noescape")
	Doc(name + " adds 32 bytes of vectors at[0] to at[n-1], which lie pitch bytes apart, to sum.")
	sum, vectors, pitch, at, n := load("sum"), load("vectors"), load("pitch"), load("at"), load("n")
	y, offset := YMM(), GP64()
	VMOVUPS(Mem{Base: sum}, y)
	Label("vector")
	MOVL(Mem{Base: at}, offset.As32())
	IMULQ(pitch, offset)
	addChunk(size, Mem{Base: vectors, Index: offset, Scale: 1}, y)
	ADDQ(U8(4), at)
	DECQ(n)
	JNZ(LabelRef("vector"))
	VMOVUPS(y, Mem{Base: sum})
	VZEROUPPER()
	RET()
}

// rowsVectors adds a vector to the sums of each of several rows.
func rowsVectors(size int) {
	name := fmt.Sprintf("walkRowsVectors%d", 8*size)
	TEXT(name, NOSPLIT, fmt.Sprintf("func(sums *float%[1]d, vectors *float%[1]d, pitch int, at *uint32, n int)", 8*size))
	Pragma("noescape")
	Doc(name + " adds vector at[i] to row i of sums for n rows. Vectors and rows lie pitch bytes apart, a multiple of 32.")
	sums, vectors, pitch, at, n := load("sums"), load("vectors"), load("pitch"), load("at"), load("n")
	y, vector, left := YMM(), GP64(), GP64()
	Label("row")
	MOVL(Mem{Base: at}, vector.As32())
	IMULQ(pitch, vector)
	ADDQ(vectors, vector)
	MOVQ(pitch, left)
	Label("chunk")
	VMOVUPS(Mem{Base: sums}, y)
	addChunk(size, Mem{Base: vector}, y)
	VMOVUPS(y, Mem{Base: sums})
	ADDQ(U8(chunk), sums)
	ADDQ(U8(chunk), vector)
	SUBQ(U8(chunk), left)
	JNZ(LabelRef("chunk"))
	ADDQ(U8(4), at)
	DECQ(n)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// load returns a parameter in a register.
func load(name string) Register { return Load(Param(name), GP64()) }
