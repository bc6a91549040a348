//go:build !amd64 || purego

package kernel

func walkHasAsm(CPU) bool { return false }

func walkRowSum[Out Float]([]walkUnit, []walkNode, []byte, []Out, Out) Out {
	panic("kernel: no assembly")
}

func walkRowEnds([]walkUnit, []walkNode, []byte, []uint32) { panic("kernel: no assembly") }

func walkTreeEnds([]walkNode, uint32, walkSteps, bool, []byte, int, []uint32) {
	panic("kernel: no assembly")
}

func walkRowVectors[Out Float]([]Out, []Out, int, []uint32) { panic("kernel: no assembly") }

func walkRowsVectors[Out Float]([]Out, []Out, int, []uint32) { panic("kernel: no assembly") }
