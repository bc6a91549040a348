package compile_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/ir"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden requires that got is the content of a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// sample has something to do for every pass that has nothing to do with columns.
func sample() *ir.Ensemble {
	return ir.MustParse(
		"(f0<0.5? (f1<2 (f0<0.75? 1 2) 3) (f1{1:2,5:} 4 4))",
		"(f1<2 (f0<0.1 0.25 0.25) -0.125)",
		"(f1<3 0 -0)",
		"(f1<2 (f0<0.1 0.25 0.25) -0.125)",
	)
}

func TestPrintAfter(t *testing.T) {
	for _, pass := range []string{"dead", "collapse", "zero", "dedupe"} {
		var dump bytes.Buffer
		_, err := compile.Run(sample(), compile.Options{PrintAfter: pass, Dump: &dump})
		require.NoError(t, err)
		golden(t, "after-"+pass+".txt", dump.String())
	}
	var list bytes.Buffer
	e := sample()
	_, err := compile.Run(e, compile.Options{PrintAfter: "help", Dump: &list})
	require.ErrorIs(t, err, compile.ErrHelp)
	require.Equal(t, sample(), e)
	golden(t, "help.txt", list.String())
}

// A pipeline is folded first, unless the columns are to stay. Leaf numbers come from
// what the pass that merged leaves was given.
func TestFold(t *testing.T) {
	piped := func() *ir.Ensemble {
		e := sample()
		e.Columns = []ir.Column{
			{Feature: 1, Ops: []ir.Op{{Code: ir.OpSub, A: 1}, {Code: ir.OpDiv, A: 0.5}}},
			{Feature: 0, Ops: []ir.Op{{Code: ir.OpFill, A: 7}}},
		}
		return e
	}
	e := piped()
	var dump bytes.Buffer
	r, err := compile.Run(e, compile.Options{PrintAfter: "fold", Dump: &dump})
	require.NoError(t, err)
	require.Equal(t, []string{"fold", "dead", "collapse", "zero", "dedupe"}, r.Passes())
	require.Nil(t, e.Columns)
	golden(t, "after-fold.txt", dump.String())

	e = piped()
	r, err = compile.Run(e, compile.Options{NoFold: true})
	require.NoError(t, err)
	require.Equal(t, []string{"dead", "unused", "collapse", "zero", "dedupe"}, r.Passes())
	require.Len(t, e.Columns, 2)

	lines := compile.Plan(piped())
	require.Contains(t, lines[0], "pass fold, exact: ")
}

func TestReport(t *testing.T) {
	r, err := compile.Run(sample(), compile.Options{})
	require.NoError(t, err)
	require.Equal(t, []string{"dead", "collapse", "zero", "dedupe"}, r.Passes(), "there are no columns to fold")
	for i := range r.Steps {
		require.Positive(t, r.Steps[i].Time)
		r.Steps[i].Time = 1500 * time.Microsecond
	}
	r.Strategy = "branch"
	r.Source = compile.Source{Files: 3, Bytes: 12_345, CompileMemory: 310e6}
	golden(t, "report.txt", r.String())

	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1 kB", 99_949: "99.9 kB", 999_600: "1 MB", 22_600e6: "22.6 GB"} {
		r.Source.Bytes = n
		require.Contains(t, r.String(), "3 files, "+want+";")
	}
}

func TestRunErrors(t *testing.T) {
	for name, want := range map[string]string{
		"ded":        `unknown pass "ded" (did you mean "dead"?)`,
		"colapse":    `unknown pass "colapse" (did you mean "collapse"?)`,
		"hlep":       `unknown pass "hlep" (did you mean "help"?)`,
		"vectorizer": `unknown pass "vectorizer" (want one of fold, dead, unused, collapse, zero, dedupe, help)`,
	} {
		_, err := compile.Run(sample(), compile.Options{PrintAfter: name})
		require.EqualError(t, err, want)
	}
}
