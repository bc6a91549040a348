//go:build !unix

package build

import (
	"os"
	"os/exec"
)

// endTogether leaves it at the end of cmd itself: the system has no groups.
func endTogether(*exec.Cmd) {}

// peak returns 0: the system does not tell.
func peak(*os.ProcessState) int64 { return 0 }
