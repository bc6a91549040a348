//go:build unix

package build

import (
	"os"
	"runtime"
	"syscall"
)

// peak returns the resident memory of the largest of the processes that the
// finished command was or waited for: the compiler or the linker.
func peak(s *os.ProcessState) int64 {
	usage, ok := s.SysUsage().(*syscall.Rusage)
	switch {
	case !ok:
		return 0
	case runtime.GOOS == "darwin": // counts bytes, the others kilobytes
		return int64(usage.Maxrss)
	default:
		return int64(usage.Maxrss) * 1024
	}
}
