//go:build !amd64 || purego

package kernel

// Fast is what others have.
func Fast(n int) int { return n + 1 }

// A CPU is a processor.
type CPU struct{ _ int }

// ThisCPU returns the processor.
func ThisCPU() (c CPU) { return c }
