//go:build unix

package build

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// endTogether makes the end of cmd's context end cmd and all processes that it
// started: the go command leaves compilers at work when it is killed.
func endTogether(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

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
