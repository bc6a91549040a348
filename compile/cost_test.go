//go:build linux

package compile_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/load"
)

// What tables promise: the Go compiler needs little for them, whatever the size
// of the model, and a program grows by no more than the model file and a half.
func TestCostOfTables(t *testing.T) {
	if testing.Short() {
		t.Skip("builds packages")
	}
	const (
		maxTime   = 2 * time.Second // of all processors, so that what else runs here matters little
		maxMemory = 300e6
	)
	file := filepath.Join(goldenCases, "xgboost-3.2-realistic-binary-higgs-500x6", "model.ubj")
	e, err := load.File(file)
	require.NoError(t, err)
	model, err := os.Stat(file)
	require.NoError(t, err)

	dir := t.TempDir() // has a new name each time: nothing of it is in the build cache
	write(t, filepath.Join(dir, "go.mod"), []byte("module cost\n\ngo 1.26\n"))
	write(t, filepath.Join(dir, "none/main.go"), programSource("math", "math.Inf"))
	goTool(t, dir, "build", "-ldflags=-s -w", "-o", "none/program", "./none")
	for _, strategy := range []string{"table", "simd"} {
		files, report, err := compile.Package(e, compile.Options{Package: strategy, Strategy: strategy})
		require.NoError(t, err)
		for _, f := range files {
			write(t, filepath.Join(dir, strategy, f.Name), f.Data)
		}
		goTool(t, dir, "list", "-deps", "-export", "./none") // the standard library
		used, memory := cost(t, dir, "build", "./"+strategy)
		t.Logf("%s: %v, %d MB", strategy, used, memory/1e6)
		require.Less(t, used, maxTime, strategy)
		require.Less(t, memory, int64(maxMemory), strategy)
		require.InEpsilon(t, memory, report.Source.CompileMemory, 0.25, "estimate")

		name := "program" + strategy
		write(t, filepath.Join(dir, name, "main.go"), programSource("cost/"+strategy, strategy+".Predict", strategy+".Leaf"))
		goTool(t, dir, "build", "-ldflags=-s -w", "-o", name+"/program", "./"+name)
		growth := size(t, filepath.Join(dir, name, "program")) - size(t, filepath.Join(dir, "none/program"))
		t.Logf("%s: a program grows by %d kB, the model has %d kB", strategy, growth/1e3, model.Size()/1e3)
		require.Less(t, growth, model.Size()*3/2)
	}
}

// programSource returns a program that links functions of a package.
func programSource(path string, functions ...string) []byte {
	b := fmt.Appendf(nil, "package main\n\nimport (\n\t\"fmt\"\n\n\t%q\n)\n\nfunc main() {\n", path)
	for _, f := range functions {
		b = fmt.Appendf(b, "\tfmt.Println(%s)\n", f)
	}
	return append(b, "}\n"...)
}

// cost runs the go command and returns the time of its processes and the resident
// memory of the largest.
func cost(t *testing.T, dir string, args ...string) (time.Duration, int64) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "GOPROXY=off", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), int64(usage.Maxrss) * 1024
}

func size(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	require.NoError(t, err)
	return info.Size()
}
