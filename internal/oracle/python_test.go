//go:build oracle

package oracle_test

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

// environment returns the Python of a virtual environment that has the packages
// of requirements.txt. It is made once and kept in the user's cache.
func environment(t *testing.T) string {
	if *python != "" {
		return *python
	}
	pins, err := os.ReadFile("requirements.txt")
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	dir := filepath.Join(cache, fmt.Sprintf("hew-oracle-%.6x", sha256.Sum256(pins)))
	exe, ready := filepath.Join(dir, "bin", "python"), filepath.Join(dir, "ready")
	if _, err := os.Stat(ready); err == nil {
		return exe
	}
	require.NoError(t, os.RemoveAll(dir)) // what an interrupted run left
	run(t, "python3", "-m", "venv", dir)
	run(t, exe, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "-r", "requirements.txt")
	require.NoError(t, os.WriteFile(ready, nil, 0o666))
	return exe
}

// run runs a program and returns its standard output; it fails with the end of
// what the program wrote to standard error.
func run(t *testing.T, program string, args ...string) string {
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
