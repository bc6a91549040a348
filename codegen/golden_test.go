package codegen_test

import (
	"bytes"
	"flag"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/codegen"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/predict"
)

var update = flag.Bool("update", false, "rewrite the packages in testdata/golden")

const goldenRoot = "testdata/golden"

func goldenRows(e *ir.Ensemble, n int) codegen.Golden {
	m := interp.New(e).Typed()
	out := predict.Type(e.Sum.String())
	g := codegen.Golden{
		X:      nodiff.Rows(e, n, 1),
		Margin: predict.MakeValues(out, n*e.Outputs),
		Leaf:   make([]int32, n*len(e.Trees)),
	}
	m.Margin(g.Margin, g.X)
	widths := []int{e.Width()}
	if len(e.Answers) > 0 {
		widths = nil
		for _, a := range e.Answers {
			widths = append(widths, e.VectorWidth(a.Vector))
		}
	}
	for i, w := range widths {
		g.Answers = append(g.Answers, predict.MakeValues(out, n*w))
		m.Answer(i, g.Answers[i], g.Margin, g.X)
	}
	m.Leaf(g.Leaf, g.X)
	return g
}

func generate(t *testing.T, c goldenCase) []codegen.File {
	t.Helper()
	c.options.Package = c.name
	c.options.Golden = goldenRows(c.reference(), max(1, 200/len(c.e.Features)))
	files, err := codegen.Branch(c.e, c.options)
	require.NoError(t, err, c.name)
	return files
}

// TestGolden compares the generated packages with those in testdata/golden,
// which TestPredictors imports.
func TestGolden(t *testing.T) {
	for _, c := range goldenCases {
		dir := filepath.Join(goldenRoot, c.name)
		files := generate(t, c)
		if *update {
			require.NoError(t, os.RemoveAll(dir))
			writeFiles(t, dir, files)
		}
		wantFiles(t, dir, files)
	}
}

// wantFiles requires that a folder holds just these files.
func wantFiles(t *testing.T, dir string, files []codegen.File) {
	t.Helper()
	require.Equal(t, len(files), countFiles(t, dir), "%s: files", dir)
	for _, f := range files {
		want, err := os.ReadFile(filepath.Join(dir, f.Name))
		require.NoError(t, err)
		if filepath.Ext(f.Name) == ".bin" {
			require.True(t, bytes.Equal(want, f.Data), "%s/%s differs: run go test ./codegen -update", dir, f.Name)
			continue
		}
		require.Equal(t, string(want), string(f.Data), "%s/%s: run go test ./codegen -update and read the difference", dir, f.Name)
	}
}

func writeFiles(t *testing.T, dir string, files []codegen.File) {
	t.Helper()
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, f.Data, 0o644))
	}
}

func countFiles(t *testing.T, dir string) int {
	t.Helper()
	n := 0
	require.NoError(t, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	}))
	return n
}

func TestDeterministic(t *testing.T) {
	for _, c := range goldenCases {
		require.Equal(t, generate(t, c), generate(t, c), c.name)
	}
}

// TestSource checks what tools see in generated files: the mark of generated
// code, gofmt's layout, the documentation, imports of the standard library.
func TestSource(t *testing.T) {
	for _, c := range goldenCases {
		for _, f := range generate(t, c) {
			if !strings.HasSuffix(f.Name, ".go") {
				continue
			}
			where := c.name + "/" + f.Name
			text, err := format.Source(f.Data)
			require.NoError(t, err, where)
			require.Equal(t, string(text), string(f.Data), where)
			file, err := parser.ParseFile(token.NewFileSet(), f.Name, f.Data, parser.ParseComments)
			require.NoError(t, err, where)
			require.True(t, ast.IsGenerated(file), where)
			require.Equal(t, c.name, file.Name.Name, where)
			if f.Name == c.name+".go" {
				require.True(t, strings.HasPrefix(file.Doc.Text(), "Package "+c.name+" predicts with "), where)
			} else {
				require.Nil(t, file.Doc, where)
			}
			for _, i := range file.Imports {
				path, err := strconv.Unquote(i.Path.Value)
				require.NoError(t, err)
				first, _, _ := strings.Cut(path, "/")
				require.NotContains(t, first, ".", where)
				require.NotEqual(t, "hew", first, where)
			}
		}
	}
}
