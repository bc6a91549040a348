package compile_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/internal/nodiff"
	"hew/ir"
)

// A specimen is an ensemble to generate a package for, and rows to ask it about.
type specimen struct {
	name string
	e    *ir.Ensemble
	x    []float32
}

// answers are what a predictor says about some rows.
type answers struct {
	margin, predict []float32
	leaf            []int32
}

func newAnswers(e *ir.Ensemble, rows int) answers {
	return answers{
		margin:  make([]float32, rows*e.Outputs),
		predict: make([]float32, rows*e.Link.Width(e.Outputs)),
		leaf:    make([]int32, rows*len(e.Trees)),
	}
}

// split returns the answers about the first n rows and those about the rest.
func (a answers) split(n int, e *ir.Ensemble) (first, rest answers) {
	m, p, l := n*e.Outputs, n*e.Link.Width(e.Outputs), n*len(e.Trees)
	return answers{a.margin[:m], a.predict[:p], a.leaf[:l]}, answers{a.margin[m:], a.predict[p:], a.leaf[l:]}
}

// A program links the generated packages of specimens.
type program struct {
	dir       string
	specimens []specimen
}

// build generates a package for each specimen and builds a program of all.
func build(t *testing.T, strategy string, specimens []specimen) *program {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), []byte("module specimens\n\ngo 1.26\n"))
	write(t, filepath.Join(dir, "main.go"), mainSource(specimens))
	for i, s := range specimens {
		files, _, err := compile.Package(s.e, compile.Options{Package: packageName(i), Strategy: strategyFor(s.e, strategy)})
		require.NoError(t, err, s.name)
		for _, f := range files {
			write(t, filepath.Join(dir, packageName(i), f.Name), f.Data)
		}
		var rows bytes.Buffer
		require.NoError(t, binary.Write(&rows, binary.LittleEndian, s.x))
		write(t, filepath.Join(dir, packageName(i), "rows"), rows.Bytes())
	}
	// Without the paths in it, the build cache serves the next run too.
	goTool(t, dir, "build", "-trimpath", "-o", "specimens", ".")
	return &program{dir, specimens}
}

// strategyFor returns strategy, or auto for an ensemble that has no trees.
func strategyFor(e *ir.Ensemble, strategy string) string {
	if len(e.Trees) == 0 {
		return "auto"
	}
	return strategy
}

// run returns what each package says about its rows at a level of HEW_CPU.
func (p *program) run(t *testing.T, level string) []answers {
	t.Helper()
	cmd := exec.Command(filepath.Join(p.dir, "specimens"))
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "HEW_CPU="+level)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))

	all := make([]answers, len(p.specimens))
	for i, s := range p.specimens {
		data, err := os.ReadFile(filepath.Join(p.dir, packageName(i), "answers"))
		require.NoError(t, err)
		a := newAnswers(s.e, len(s.x)/len(s.e.Features))
		r := bytes.NewReader(data)
		for _, part := range []any{a.margin, a.predict, a.leaf} {
			require.NoError(t, binary.Read(r, binary.LittleEndian, part), s.name)
		}
		require.Zero(t, r.Len(), s.name)
		all[i] = a
	}
	return all
}

func packageName(i int) string { return fmt.Sprintf("m%03d", i) }

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, data, 0o644))
}

// goTool runs the go command in a module that needs nothing but the standard
// library.
func goTool(t testing.TB, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "GOPROXY=off", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "go %s\n%s", strings.Join(args, " "), out)
}

// mainSource returns a program that asks each package about its rows, all at
// once and one at a time, and writes the answers of the batch.
func mainSource(specimens []specimen) []byte {
	var imports, table strings.Builder
	for i, s := range specimens {
		p := packageName(i)
		fmt.Fprintf(&imports, "\t\"specimens/%s\"\n", p)
		fmt.Fprintf(&table, "\t{%q, %s.NumFeatures, %s.NumMargins, %s.NumOutputs, %s.NumTrees, %s.Margin, %s.Predict, ", p, p, p, p, p, p, p)
		if len(s.e.Trees) == 0 {
			table.WriteString("nil},\n")
		} else {
			fmt.Fprintf(&table, "%s.Leaf},\n", p)
		}
	}
	return fmt.Appendf(nil, mainText, imports.String(), table.String())
}

const mainText = `package main

import (
	"bytes"
	"encoding/binary"
	"log"
	"math"
	"os"
	"slices"

%s)

var models = []struct {
	name                            string
	features, margins, outputs, trees int
	margin, predict                 func(dst, x []float32)
	leaf                            func(dst []int32, x []float32)
}{
%s}

func main() {
	for _, m := range models {
		data, err := os.ReadFile(m.name + "/rows")
		check(err)
		x := make([]float32, len(data)/4)
		check(binary.Read(bytes.NewReader(data), binary.LittleEndian, x))
		var b bytes.Buffer
		check(binary.Write(&b, binary.LittleEndian, ask(m.name, m.margin, x, m.features, m.margins)))
		check(binary.Write(&b, binary.LittleEndian, ask(m.name, m.predict, x, m.features, m.outputs)))
		if m.leaf != nil {
			check(binary.Write(&b, binary.LittleEndian, ask(m.name, m.leaf, x, m.features, m.trees)))
		}
		check(os.WriteFile(m.name+"/answers", b.Bytes(), 0o644))
	}
}

// ask returns what f says about all rows; it stops the program if f says
// anything else about a row on its own.
func ask[T int32 | float32](name string, f func(dst []T, x []float32), x []float32, features, width int) []T {
	n := len(x) / features
	all, one := make([]T, n*width), make([]T, width)
	f(all, x)
	for i := range n {
		f(one, x[i*features:(i+1)*features])
		if want := all[i*width : (i+1)*width]; !slices.EqualFunc(one, want, sameBits) {
			log.Fatalf("%%s: row %%d: %%v on its own, %%v in a batch", name, i, one, want)
		}
	}
	return all
}

func sameBits[T int32 | float32](a, b T) bool {
	if a != a && b != b {
		return true
	}
	return math.Float64bits(float64(a)) == math.Float64bits(float64(b))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
`

// A generated package passes its own test and vet, with golden rows from the
// ensemble as it was before the passes. What it carries for other processors
// passes vet too.
func TestGeneratedTest(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a package")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), []byte("module sample\n\ngo 1.26\n"))
	for _, strategy := range []string{"branch", "table", "simd"} {
		for name, e := range map[string]*ir.Ensemble{"merged": sample(), "same": ir.MustParse("(f0<1 (f1<2? 1 2) 3)")} {
			files, _, err := compile.Package(e, compile.Options{Package: "sample", Strategy: strategy})
			require.NoError(t, err)
			for _, f := range files {
				write(t, filepath.Join(dir, strategy, name, f.Name), f.Data)
			}
		}
	}
	goTool(t, dir, "vet", "./...")
	goTool(t, dir, "vet", "-tags=purego", "./...")
	goTool(t, dir, "test", "./...")
	t.Setenv("GOARCH", "arm64")
	goTool(t, dir, "vet", "./...")
}

var ensembles = flag.Int("ensembles", 40, "number of random ensembles that TestRandomEnsembles generates and builds")

// Random ensembles of every kind, generated and built in one batch, against the
// reference evaluator.
func TestRandomEnsembles(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a package for each ensemble")
	}
	specimens := make([]specimen, *ensembles)
	for i := range specimens {
		e := nodiff.Ensemble(uint64(i), 12, 8)
		specimens[i] = specimen{fmt.Sprintf("ensemble %d", i), e, nodiff.Rows(e, 500, uint64(i))}
	}
	for _, r := range runs {
		some := specimens[:(len(specimens)+r.every-1)/r.every]
		p := build(t, r.strategy, some)
		for _, level := range r.levels {
			for i, got := range p.run(t, level) {
				s := some[i]
				wantReference(t, fmt.Sprintf("%s, %s %s", s.name, r.strategy, level), s.e, s.x, got)
			}
		}
	}
}

// runs are the strategies, and the levels of HEW_CPU at which their packages are
// asked; the empty one is what this processor has. The Go compiler takes half a
// second for each package of tables, most of it the same code again, so that only
// every so manieth ensemble becomes one.
var runs = []struct {
	strategy string
	levels   []string
	every    int
}{
	{"branch", []string{""}, 1},
	{"table", []string{""}, 8},
	{"simd", []string{"", "avx2", "generic"}, 4},
	{"auto", []string{""}, 8},
}
