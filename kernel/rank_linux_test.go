package kernel

import (
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// TestRankPageEnd ranks values that end, and values that begin, where a page that
// cannot be read does: a load beyond them kills the test.
func TestRankPageEnd(t *testing.T) {
	t.Run("float32", func(t *testing.T) { testRankPageEnd[float32](t) })
	t.Run("float64", func(t *testing.T) { testRankPageEnd[float64](t) })
}

func testRankPageEnd[In Float](t *testing.T) {
	page := syscall.Getpagesize()
	size := int(unsafe.Sizeof(In(0)))
	const pages = 100
	mem, err := syscall.Mmap(-1, 0, (pages+2)*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Munmap(mem)) }()
	require.NoError(t, syscall.Mprotect(mem[:page], syscall.PROT_NONE))
	require.NoError(t, syscall.Mprotect(mem[(pages+1)*page:], syscall.PROT_NONE))
	all := unsafe.Slice((*In)(unsafe.Pointer(&mem[page])), pages*page/size)

	for _, cpu := range rankCPUs() {
		for seed := range uint64(30) {
			c := newRankTest[In](seed)
			rows := 1 + c.IntN(20)
			x := c.rows(rows)
			if len(x) > len(all) {
				continue
			}
			want := c.want(x, rows)
			r := newRanker[In](c.features, c.cols, cpu)
			ranks := make([]byte, wholeLines(len(c.cols)))
			block := make([]byte, 64*len(c.cols))
			for _, at := range [][]In{all[:len(x)], all[len(all)-len(x):]} {
				copy(at, x)
				r.block(block, 64, at, rows)
				for i := range rows {
					r.row(ranks, at[i*c.features:(i+1)*c.features])
					for j := range c.cols {
						require.Equal(t, want[j*rows+i], ranks[j])
						require.Equal(t, want[j*rows+i], block[64*j+i])
					}
				}
			}
		}
	}
}
