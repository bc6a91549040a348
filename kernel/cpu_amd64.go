//go:build !purego

package kernel

var detected = detect()

// cpuid executes CPUID with eax and ecx.
//
//go:noescape
func cpuid(eax, ecx uint32) (a, b, c, d uint32)

// xgetbv returns the low word of extended control register 0: which registers
// the system saves.
//
//go:noescape
func xgetbv() uint32

// detect follows Intel's Software Developer's Manual, volume 1, sections 14.3 and
// 15.2: an instruction is usable if the processor has it and the system saves the
// registers it works on.
func detect() CPU {
	const (
		fma, popcnt, osxsave, avx = 1 << 12, 1 << 23, 1 << 27, 1 << 28 // leaf 1, ecx
		bmi1, avx2, bmi2          = 1 << 3, 1 << 5, 1 << 8             // leaf 7, ebx
		f, dq, cd, bw, vl         = 1 << 16, 1 << 17, 1 << 28, 1 << 30, 1 << 31
		vbmi, gfni, vnni          = 1 << 1, 1 << 8, 1 << 11 // leaf 7, ecx
		ymm, zmm                  = 6, 6 | 7<<5             // of xgetbv: state that is saved
	)
	has := func(register, bits uint32) bool { return register&bits == bits }
	highest, _, _, _ := cpuid(0, 0)
	if highest < 7 {
		return Generic
	}
	_, _, c1, _ := cpuid(1, 0)
	if !has(c1, osxsave|avx|fma|popcnt) {
		return Generic
	}
	_, b7, c7, _ := cpuid(7, 0)
	saved := xgetbv()
	var c CPU
	c.AVX2 = has(saved, ymm) && has(b7, avx2|bmi1|bmi2)
	c.AVX512 = c.AVX2 && has(saved, zmm) && has(b7, f|dq|cd|bw|vl)
	c.VBMI = c.AVX512 && has(c7, vbmi)
	c.GFNI = c.AVX512 && has(c7, gfni|vnni)
	return c
}
