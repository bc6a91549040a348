//go:build oracle

// Package python runs the Python programs that ask a trainer, each with the
// packages that it is pinned to.
package python

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Environment returns the Python of a virtual environment that has the packages
// of a requirements file. It is made once and kept in the user's cache. It needs
// Python 3.11 or later with pip and, the first time, a package index.
func Environment(t *testing.T, requirements string) string {
	pins, err := os.ReadFile(requirements)
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	dir := filepath.Join(cache, fmt.Sprintf("hew-oracle-%.6x", sha256.Sum256(pins)))
	exe, ready := filepath.Join(dir, "bin", "python"), filepath.Join(dir, "ready")
	if _, err := os.Stat(ready); err == nil {
		return exe
	}
	require.NoError(t, os.RemoveAll(dir)) // what an interrupted run left
	Run(t, "python3", "-m", "venv", dir)
	Run(t, exe, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "-r", requirements)
	require.NoError(t, os.WriteFile(ready, nil, 0o666))
	return exe
}

// Run runs a program and returns its standard output; it fails with the end of
// what the program wrote to standard error.
func Run(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		talk := stderr.String()
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, talk[max(0, len(talk)-4000):])
	}
	return stdout.String()
}

// WorkDir returns a directory that stays if the test fails.
func WorkDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "hew-oracle-")
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the models, rows and answers are in %s", dir)
			return
		}
		require.NoError(t, os.RemoveAll(dir))
	})
	return dir
}
