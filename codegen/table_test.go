package codegen_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/codegen"
	"hew/ir"
)

const carryRoot = "testdata/carry"

// smallKernel is a kernel whose names are all of the difficult kinds.
func smallKernel(t *testing.T, k codegen.Kernel) codegen.Kernel {
	t.Helper()
	k.Model, k.Sources = []byte("model"), map[string][]byte{}
	entries, err := os.ReadDir(filepath.Join(carryRoot, "kernel"))
	require.NoError(t, err)
	for _, e := range entries {
		k.Sources[e.Name()], err = os.ReadFile(filepath.Join(carryRoot, "kernel", e.Name()))
		require.NoError(t, err)
	}
	return k
}

var tableCases = []struct {
	goldenCase
	kernel codegen.Kernel
}{
	{goldenCase{name: "simd", e: with(ir.MustParse("(f0<0.5 -0.25 1)"), func(e *ir.Ensemble) { e.Link = ir.Sigmoid }),
		options: codegen.Options{Exact: true, Why: "because of the test"}}, codegen.Kernel{}},
	{goldenCase{name: "table", e: multiclass(ir.Argmax)}, codegen.Kernel{Portable: true}},
	{goldenCase{name: "mixed", e: with(ir.MustParse("(f0<0.5 1 -0)", "(f1{1:2}? [1 2] [3 4])"), func(e *ir.Ensemble) {
		e.BaseMargin, e.BaseLast = []float64{1, 2}, true
	}), options: codegen.Options{Leaves: ir.MustParse("(f0<0.5 1 (f0<3 -0 -0))", "(f1{1:2}? [1 2] [3 4])")}}, codegen.Kernel{BranchRows: 3}},
}

// TestTable compares the packages of tables, with a small kernel in place of the
// real one, with those in testdata.
func TestTable(t *testing.T) {
	for _, c := range tableCases {
		dir := filepath.Join(carryRoot, c.name)
		c.options.Package = c.name
		c.options.Golden = goldenRows(c.reference(), 10)
		files, err := codegen.Table(c.e, c.options, smallKernel(t, c.kernel))
		require.NoError(t, err)
		again, err := codegen.Table(c.e, c.options, smallKernel(t, c.kernel))
		require.NoError(t, err)
		require.Equal(t, files, again)
		if *update {
			require.NoError(t, os.RemoveAll(dir))
			writeFiles(t, dir, files)
		}
		wantFiles(t, dir, files)
	}
}

// What a package carries compiles, for this processor and another, with and
// without assembly.
func TestTableCompiles(t *testing.T) {
	if testing.Short() {
		t.Skip("runs go vet")
	}
	for _, env := range []string{"GOFLAGS=", "GOFLAGS=-tags=purego", "GOARCH=arm64"} {
		cmd := exec.Command("go", "vet", "./testdata/carry/simd", "./testdata/carry/table", "./testdata/carry/mixed")
		cmd.Env = append(os.Environ(), env)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", env, out)
	}
}

// A portable package has no assembly and no constraint on the processor.
func TestPortable(t *testing.T) {
	files, err := codegen.Table(tableCases[0].e, codegen.Options{Package: "p"}, smallKernel(t, codegen.Kernel{Portable: true}))
	require.NoError(t, err)
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
		require.NotContains(t, string(f.Data), "go:build")
		require.NotContains(t, string(f.Data), "go:generate")
	}
	require.Equal(t, []string{"p.go", "engine.go", "model.bin", "link.go", "expf.go", "row.go", "meta.go", "kernel_fast_other.go", "kernel_model.go"}, names)
}

func TestTableErrors(t *testing.T) {
	e := ir.MustParse("(f0<1 1 2)")
	k := smallKernel(t, codegen.Kernel{})
	k.Sources["bad.go"] = []byte("package kernel\n\nfunc {")
	_, err := codegen.Table(e, codegen.Options{Package: "p"}, k)
	require.ErrorContains(t, err, "bad.go:3:6")
	k.Sources["bad.go"] = []byte("package kernel\n\nfunc kernelNew() {}")
	_, err = codegen.Table(e, codegen.Options{Package: "p"}, k)
	require.EqualError(t, err, "kernel's New would become kernelNew, which is taken")
	e.Trees, e.Rounds = nil, nil
	_, err = codegen.Table(e, codegen.Options{Package: "p"}, k)
	require.EqualError(t, err, "strategy simd is for trees; there are none")
}

// The documentation says what the first call takes.
func TestLoadTime(t *testing.T) {
	for trees, want := range map[int]string{1: "takes\n// less than a millisecond.", 6: "takes\n// about 4 ms.", 60: "takes\n// about 40 ms."} {
		e := ir.MustParse(slices.Repeat([]string{deep(0, 9)}, trees)...)
		files, err := codegen.Table(e, codegen.Options{Package: "p"}, smallKernel(t, codegen.Kernel{}))
		require.NoError(t, err)
		require.Contains(t, string(files[0].Data), want)
	}
}
