package kernel

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// fenced returns n values twice: once so that they begin where a page begins and
// once so that they end where one ends. The page before and the one after cannot
// be touched.
func fenced[T any](t *testing.T, n int) [2][]T {
	page, size := syscall.Getpagesize(), int(unsafe.Sizeof(*new(T)))
	pages := (n*size+page-1)/page + 2
	mem, err := syscall.Mmap(-1, 0, pages*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Munmap(mem)) })
	require.NoError(t, syscall.Mprotect(mem[:page], syscall.PROT_NONE))
	require.NoError(t, syscall.Mprotect(mem[(pages-1)*page:], syscall.PROT_NONE))
	inside := mem[page : (pages-1)*page]
	at := func(b []byte) []T { return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n) }
	return [2][]T{at(inside), at(inside[len(inside)-n*size:])}
}

// TestEngineStaysInside scores rows between pages that cannot be touched: a load
// or a store beyond the slices kills the test.
func TestEngineStaysInside(t *testing.T) {
	for name, s := range modelShapes {
		if s.trees == 0 {
			continue
		}
		r := rand.New(rand.NewPCG(10, 11))
		m := randomModel(s, r)
		const rows = 530
		values := randomRows[float32](m, rows, r)
		want, _ := naive(m, values, []float32(nil))
		for _, n := range []int{1, 3, 65, rows} {
			x, dst, leaves := fenced[float32](t, n*s.features), fenced[float32](t, n*s.outputs), fenced[int32](t, n*s.trees)
			for _, cpu := range testLevels() {
				e, err := New[float32, float32](m, cpu)
				require.NoError(t, err)
				for side := range 2 {
					copy(x[side], values)
					e.Margin(dst[side], x[side])
					e.Leaf(leaves[side], x[side])
					for i, v := range dst[side] {
						require.True(t, sameBits(want[i], v), "%s, %v, %d rows, value %d", name, cpu, n, i)
					}
				}
			}
		}
	}
}
