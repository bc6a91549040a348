package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"hew/kernel"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"hew": func() {
			os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		},
	})
}

// TestScript runs the user stories in testdata/script: one file each, which
// says what a user types and what comes of it.
func TestScript(t *testing.T) {
	golden, err := filepath.Abs("../../testdata/golden-xgboost")
	require.NoError(t, err)
	require.DirExists(t, golden)
	sklearn, err := filepath.Abs("../../testdata/golden-sklearn")
	require.NoError(t, err)
	require.DirExists(t, sklearn)
	bad, err := filepath.Abs("../../testdata/bad")
	require.NoError(t, err)
	t.Setenv("HEW_CPU", "") // scripts do not see it, so conditions must not
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			// The go command keeps what it compiled: the scripts build programs.
			for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY", "GOFLAGS", "GOSUMDB", "HOME"} {
				if v, ok := os.LookupEnv(name); ok {
					env.Setenv(name, v)
				}
			}
			env.Setenv("GOLDEN", golden)
			env.Setenv("SKLEARN", sklearn)
			env.Setenv("WRAPPED", filepath.Join(sklearn, "../golden-wrapped"))
			env.Setenv("BAD", bad)
			return nil
		},
		Condition: condition,
		Cmds:      map[string]func(*testscript.TestScript, bool, []string){"status": status},
	})
}

func condition(cond string) (bool, error) {
	switch cond {
	case "long":
		return !testing.Short(), nil
	case "simd":
		return kernel.ThisCPU() != kernel.Generic, nil
	}
	return false, fmt.Errorf("unknown condition %q", cond)
}

// status runs a command that must end with the given status.
//
//	status 2 hew frobnicate
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); !errors.As(err, &exit) || exit.ExitCode() != want {
		ts.Fatalf("%s: %v, want exit status %d", args[1], err, want)
	}
}
