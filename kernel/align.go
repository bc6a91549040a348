package kernel

import "unsafe"

// line is the size of a cache line and of a 512-bit vector. What kernels load in
// lines lies at multiples of it: a Go array does so only by chance.
const line = 64

// aligned returns n zero values that begin on a line. T holds no pointers.
func aligned[T any](n int) []T {
	size := int(unsafe.Sizeof(*new(T)))
	if n == 0 {
		return nil
	}
	b := make([]byte, n*size+line-1)
	skip := -int(uintptr(unsafe.Pointer(&b[0]))) & (line - 1)
	return unsafe.Slice((*T)(unsafe.Pointer(&b[skip])), n)
}
