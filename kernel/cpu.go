package kernel

import "os"

// A CPU says which instructions the engines may use.
type CPU struct {
	AVX2   bool // AVX2, BMI1, BMI2, POPCNT and FMA, with the system's support
	AVX512 bool // AVX-512 F, BW, DQ, VL and CD as well
	VBMI   bool // AVX512_VBMI as well
	GFNI   bool // GFNI with 512-bit operands, and AVX512_VNNI, as well
}

// Generic uses no instruction beyond what Go needs.
var Generic = CPU{}

// ThisCPU returns what this processor and its system support, or less if the
// environment variable HEW_CPU is generic or avx2.
func ThisCPU() CPU {
	return detected.limit(os.Getenv("HEW_CPU"))
}

// limit returns c without what lies beyond the named level.
func (c CPU) limit(level string) CPU {
	switch level {
	case "generic":
		return Generic
	case "avx2":
		return CPU{AVX2: c.AVX2}
	}
	return c
}

// String returns the level of c as HEW_CPU names it: generic, avx2 or avx512.
func (c CPU) String() string {
	switch {
	case c.AVX512:
		return "avx512"
	case c.AVX2:
		return "avx2"
	}
	return "generic"
}
