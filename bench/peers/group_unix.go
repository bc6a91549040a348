//go:build unix

package peers

import (
	"os/exec"
	"syscall"
	"time"
)

// endGroup has cmd end with all that it started when its context ends.
func endGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
}
