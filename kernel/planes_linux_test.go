//go:build amd64 && !purego

package kernel

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPlaneAsmPageEnd gives assembly memory that ends where a page does that must
// not be touched: a load or store beyond it kills the test.
func TestPlaneAsmPageEnd(t *testing.T) { testPlaneAsm(t, planePageEnd) }

// planePageEnd is a planeAlloc.
func planePageEnd(t *testing.T, n int) ([]byte, func()) {
	page := syscall.Getpagesize()
	size := (n + page - 1) / page * page
	m, err := syscall.Mmap(-1, 0, size+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Munmap(m)) })
	require.NoError(t, syscall.Mprotect(m[size:], syscall.PROT_NONE))
	return m[size-n : size : size], func() {
		require.Equal(t, make([]byte, size-n), m[:size-n])
	}
}
