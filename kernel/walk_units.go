package kernel

//go:generate go -C internal/gen run ./walk -out ../../walk_amd64.s -stubs ../../walk_amd64.go -pkg kernel

// A walkUnit is a group as assembly reads it: twelve roots, sure and most, whether
// it is narrow, and where its nodes begin, in lines, and its values.
type walkUnit [16]uint32

func newWalkUnit(g *walkGroup) walkUnit {
	var u walkUnit
	copy(u[:], g.roots[:])
	u[12] = uint32(g.sure) | uint32(g.most)<<16
	if g.kind == walkNarrow {
		u[13] = 1
	}
	u[14] = uint32(g.nodes / (2 * walkPairs))
	u[15] = uint32(g.values)
	return u
}

// walkAsmSteps is the largest number of steps, all walks side by side, that one
// call into assembly takes: they are over in less than a millisecond even if each
// waits for memory.
const walkAsmSteps = 4096
