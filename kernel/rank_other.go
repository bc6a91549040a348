//go:build !amd64 || purego

package kernel

const rankVectors = false

func rankRow32(*byte, *float32, *byte) { panic("no vectors") }

func rankRow64(*byte, *float64, *byte) { panic("no vectors") }

func rankBlock32(*byte, int, *float32, int, int, *byte, int, *byte) { panic("no vectors") }

func rankBlock64(*byte, int, *float64, int, int, *byte, int, *byte) { panic("no vectors") }
