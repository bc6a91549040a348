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
	"hew/load/sklearn"
	"hew/predict"
)

// A specimen is an ensemble to generate a package for, and rows to ask it about.
type specimen struct {
	name string
	e    *ir.Ensemble
	x    predict.Values

	noFold bool
}

// answers are what a predictor says about some rows.
type answers struct {
	margin, predict predict.Values
	named           []predict.Values // the answers that have names
	leaf            []int32
}

func newAnswers(e *ir.Ensemble, rows int) answers {
	gives := func(width int) predict.Values { return predict.MakeValues(predict.Type(e.Sum.String()), rows*width) }
	a := answers{margin: gives(e.Outputs), predict: gives(e.Width()), leaf: make([]int32, rows*len(e.Trees))}
	for i := range e.Answers {
		a.named = append(a.named, gives(e.VectorWidth(e.Answers[i].Vector)))
	}
	return a
}

// parts returns all numbers in the order in which a program writes them.
func (a *answers) parts() []any {
	parts := []any{numbers(a.margin), numbers(a.predict)}
	for _, v := range a.named {
		parts = append(parts, numbers(v))
	}
	return append(parts, a.leaf)
}

// numbers returns the slice that v holds.
func numbers(v predict.Values) any {
	if v.F64 != nil {
		return v.F64
	}
	return v.F32
}

// split returns the answers about the first n rows and those about the rest.
func (a answers) split(n int, e *ir.Ensemble) (first, rest answers) {
	cut := func(v predict.Values, width int) (predict.Values, predict.Values) {
		return v.Slice(0, n*width), v.Slice(n*width, v.Len())
	}
	first.margin, rest.margin = cut(a.margin, e.Outputs)
	first.predict, rest.predict = cut(a.predict, e.Width())
	for i, v := range a.named {
		f, r := cut(v, e.VectorWidth(e.Answers[i].Vector))
		first.named, rest.named = append(first.named, f), append(rest.named, r)
	}
	l := n * len(e.Trees)
	first.leaf, rest.leaf = a.leaf[:l], a.leaf[l:]
	return first, rest
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
		files, _, err := compile.Package(s.e, compile.Options{
			Package: packageName(i), Strategy: strategyFor(s.e, strategy), NoFold: s.noFold,
		})
		require.NoError(t, err, s.name)
		for _, f := range files {
			write(t, filepath.Join(dir, packageName(i), f.Name), f.Data)
		}
		var rows bytes.Buffer
		require.NoError(t, binary.Write(&rows, binary.LittleEndian, numbers(s.x)))
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
		a := newAnswers(s.e, s.x.Len()/len(s.e.Features))
		r := bytes.NewReader(data)
		for _, part := range a.parts() {
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
		leaf, from := p+".Leaf", "nil"
		if len(s.e.Trees) == 0 {
			leaf = "nil"
		}
		var widths []string
		for _, a := range s.e.Answers {
			widths, from = append(widths, fmt.Sprint(s.e.VectorWidth(a.Vector))), p+".AnswerFrom"
		}
		fmt.Fprintf(&imports, "\t\"specimens/%s\"\n", p)
		fmt.Fprintf(&table, "\task(%[1]q, shape{%[1]s.NumFeatures, %[1]s.NumMargins, %[1]s.NumOutputs, %[1]s.NumTrees, []int{%[2]s}}, %[1]s.Margin, %[1]s.Predict, %[3]s, %[4]s)\n",
			p, strings.Join(widths, ", "), leaf, from)
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

func main() {
%s}

type shape struct {
	features, margins, outputs, trees int
	widths []int // of answers
}

// ask asks the functions of a package about all rows.
func ask[In, Out float32 | float64](name string, s shape, margin, predict func(dst []Out, x []In), leaf func(dst []int32, x []In), from func(i int, dst, margins []Out, x []In)) {
	data, err := os.ReadFile(name + "/rows")
	check(err)
	var zero In
	x := make([]In, len(data)/binary.Size(zero))
	check(binary.Read(bytes.NewReader(data), binary.LittleEndian, x))
	n := len(x) / s.features
	var b bytes.Buffer
	rows := func(begin, end int) []In { return x[begin*s.features : end*s.features] }
	margins := both(name, n, s.margins, func(dst []Out, begin, end int) { margin(dst, rows(begin, end)) })
	check(binary.Write(&b, binary.LittleEndian, margins))
	check(binary.Write(&b, binary.LittleEndian, both(name, n, s.outputs, func(dst []Out, begin, end int) { predict(dst, rows(begin, end)) })))
	for i, w := range s.widths {
		check(binary.Write(&b, binary.LittleEndian, both(name, n, w, func(dst []Out, begin, end int) {
			from(i, dst, margins[begin*s.margins:end*s.margins], rows(begin, end))
		})))
	}
	if leaf != nil {
		check(binary.Write(&b, binary.LittleEndian, both(name, n, s.trees, func(dst []int32, begin, end int) { leaf(dst, rows(begin, end)) })))
	}
	check(os.WriteFile(name+"/answers", b.Bytes(), 0o644))
}

// both returns what f says about all rows; it stops the program if f says
// anything else about a row on its own.
func both[T int32 | float32 | float64](name string, n, width int, f func(dst []T, begin, end int)) []T {
	all, one := make([]T, n*width), make([]T, width)
	f(all, 0, n)
	for i := range n {
		f(one, i, i+1)
		if want := all[i*width : (i+1)*width]; !slices.EqualFunc(one, want, sameBits) {
			log.Fatalf("%%s: row %%d: %%v on its own, %%v in a batch", name, i, one, want)
		}
	}
	return all
}

func sameBits[T int32 | float32 | float64](a, b T) bool {
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

// Random ensembles of every kind, of which every third has something for each pass,
// generated and built in one batch, against the reference evaluator.
func TestRandomEnsembles(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a package for each ensemble")
	}
	testEnsembles(t, *ensembles, func(seed uint64) specimen {
		s := nodiff.Shape{Trees: 12, Depth: 8, Redundant: seed%3 == 2}
		if seed%6 == 5 { // trees that are large enough to be shared as parts of others
			s = nodiff.Shape{Trees: 6, Depth: 6, Full: true, Redundant: true}
		}
		e := s.Ensemble(seed)
		return specimen{name: fmt.Sprintf("ensemble %d", seed), e: e, x: nodiff.Rows(e, 500, seed)}
	})
}

// The same for ensembles with columns, stages and answers, in all pairs of types,
// every other one with its columns as they are.
func TestRandomPipelines(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a package for each ensemble")
	}
	testEnsembles(t, *ensembles, func(seed uint64) specimen {
		s := pipeline(seed)
		s.noFold = seed/8%2 == 1
		return s
	})
}

// The same for every recorded model of scikit-learn, every other one with its columns
// as they are, if it has any.
func TestSklearnPackages(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a package for each recorded model")
	}
	files, err := filepath.Glob(filepath.Join(sklearnCases, "*", "case.json"))
	require.NoError(t, err)
	testEnsembles(t, len(files), func(i uint64) specimen {
		dir := filepath.Dir(files[i])
		e, err := readSklearn(t, dir, sklearn.Options{})
		require.NoError(t, err)
		return specimen{name: filepath.Base(dir), e: e, x: nodiff.Rows(e, 300, i), noFold: i%2 == 1}
	})
}

// pipeline returns a random ensemble with columns, answers or both, and with sums of
// either type; only those in float64 have answers.
func pipeline(seed uint64) specimen {
	s := nodiff.Shape{Trees: 12, Depth: 6, Input: ir.Precision(seed % 2), Sum: ir.Precision(1 - seed/2%4/3)}
	s.Columns, s.Redundant = seed%3 > 0, seed%5 == 0
	s.Answers = s.Sum == ir.Double
	e := s.Ensemble(seed)
	return specimen{name: fmt.Sprintf("pipeline %d", seed), e: e, x: nodiff.Rows(e, 500, seed)}
}

func testEnsembles(t *testing.T, n int, of func(seed uint64) specimen) {
	specimens := make([]specimen, n)
	for i := range specimens {
		specimens[i] = of(uint64(i))
	}
	for _, r := range runs {
		var some []specimen
		for i := 0; i < len(specimens); i += r.every {
			some = append(some, specimens[i])
		}
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
