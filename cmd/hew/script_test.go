package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
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
	bad, err := filepath.Abs("../../testdata/bad")
	require.NoError(t, err)
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
			env.Setenv("BAD", bad)
			return nil
		},
		Condition: func(cond string) (bool, error) { return cond == "long" && !testing.Short(), nil },
	})
}
