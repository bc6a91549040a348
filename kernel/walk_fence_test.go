//go:build unix

package kernel

import (
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// walkFenced returns a copy of s that ends where memory ends that may be read.
func walkFenced[T any](t *testing.T, s []T) []T {
	size := len(s) * int(unsafe.Sizeof(*new(T)))
	if size == 0 {
		return s[:0:0]
	}
	page := syscall.Getpagesize()
	whole := (size + page - 1) / page * page
	b, err := syscall.Mmap(-1, 0, whole+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	require.NoError(t, syscall.Mprotect(b[whole:], syscall.PROT_NONE))
	t.Cleanup(func() { require.NoError(t, syscall.Munmap(b)) })
	fenced := unsafe.Slice((*T)(unsafe.Pointer(&b[whole-size])), len(s))
	copy(fenced, s)
	return fenced
}
