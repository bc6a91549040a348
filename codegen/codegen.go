// Package codegen prints an ensemble as Go source, one strategy per file.
//
// A strategy returns the files of a Go package that imports the standard library
// alone: Predict, Margin and Leaf for packed rows, a function for each further
// answer, Row with one named field per feature, Meta with names and provenance, and
// a test that replays golden rows. The same ensemble and options give the same bytes.
//
// jennifer does what is easily got wrong about a file: imports, quoting, layout.
// Bodies are given to it as Go text, which reads better than a chain of calls and
// is parsed by go/format all the same.
package codegen

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"go/token"
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"

	"hew/ir"
	"hew/predict"
)

// A File is a file of a generated package.
type File struct {
	Name string // relative to the package's folder, with slashes
	Data []byte
}

// Options say how to print an ensemble. Only Package is needed.
type Options struct {
	Package string   // name of the package
	Version string   // of hew, for headers; "dev" by default
	Passes  []string // that the ensemble went through, for headers
	Exact   bool     // whether all of them keep every bit
	Why     string   // why this strategy was chosen, for the header

	// MaxFuncNodes bounds the nodes of a tree that one function evaluates;
	// 0 means 200. What the Go compiler needs grows faster than the function.
	MaxFuncNodes int

	// MaxMemory is what compiling the package may need, in bytes, as estimated
	// by EstimateMemory; 0 means 1 GB. To stay below it, a large ensemble is
	// printed in a plainer and slower form. It is a wish: the plainest form is
	// printed even if it needs more.
	MaxMemory int64

	// Golden holds the rows that the generated test replays. Without rows there
	// is no test.
	Golden Golden

	// Leaves is the ensemble whose leaf numbers Leaf returns, for passes may
	// merge the leaves of the one that is printed, or remove trees; nil means the
	// same one.
	Leaves *ir.Ensemble
}

// Golden holds rows and what the reference evaluator says about them, each
// row-major: X in the type of features, the others in that of sums.
type Golden struct {
	X, Margin predict.Values
	Answers   []predict.Values // one for each answer, or the predictions if there are none
	Leaf      []int32
}

const defaultMaxFuncNodes = 200

// complete returns o with defaults, or an error if it does not fit e.
func (o Options) complete(e *ir.Ensemble) (Options, error) {
	if !token.IsIdentifier(o.Package) || o.Package == "_" {
		return o, fmt.Errorf("package name %q is not a Go identifier", o.Package)
	}
	if o.Package == "main" || o.Package == "init" {
		return o, fmt.Errorf("package name %q cannot be imported; choose another", o.Package)
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.MaxFuncNodes <= 0 {
		o.MaxFuncNodes = defaultMaxFuncNodes
	}
	o.MaxFuncNodes = max(o.MaxFuncNodes, minFuncNodes)
	if o.MaxMemory <= 0 {
		o.MaxMemory = defaultMaxMemory
	}
	if o.Leaves == nil {
		o.Leaves = e
	}
	if len(o.Leaves.Trees) < len(e.Trees) || len(o.Leaves.Features) != len(e.Features) {
		return o, fmt.Errorf("leaf numbers of %d trees over %d features for %d trees over %d features",
			len(o.Leaves.Trees), len(o.Leaves.Features), len(e.Trees), len(e.Features))
	}
	if len(o.Leaves.Columns) != len(e.Columns) {
		return o, fmt.Errorf("leaf numbers of trees over %d columns for trees over %d", len(o.Leaves.Columns), len(e.Columns))
	}
	return o, o.Golden.fits(e, len(o.Leaves.Trees))
}

// fits reports whether the parts of g have the shape of e, with leaves of so many
// trees.
func (g *Golden) fits(e *ir.Ensemble, trees int) error {
	rows := g.X.Len() / len(e.Features)
	fits := g.X.Len() == rows*len(e.Features) && g.Margin.Len() == rows*e.Outputs && len(g.Leaf) == rows*trees
	widths := answerWidths(e)
	for i, a := range g.Answers {
		fits = fits && i < len(widths) && a.Len() == rows*widths[i]
	}
	if !fits || rows > 0 && len(g.Answers) != len(widths) {
		return errors.New("golden rows and their results do not have the ensemble's shape")
	}
	return nil
}

// answerWidths returns the number of values of each answer, or of the prediction.
func answerWidths(e *ir.Ensemble) []int {
	if len(e.Answers) == 0 {
		return []int{e.Width()}
	}
	widths := make([]int, len(e.Answers))
	for i, a := range e.Answers {
		widths[i] = e.VectorWidth(a.Vector)
	}
	return widths
}

// A printer holds what the files of a package have in common.
type printer struct {
	e        *ir.Ensemble
	o        Options
	strategy string
}

func newPrinter(e *ir.Ensemble, o Options, strategy string) (*printer, error) {
	if err := e.Verify(); err != nil {
		return nil, err
	}
	o, err := o.complete(e)
	if err != nil {
		return nil, err
	}
	return &printer{e, o, strategy}, nil
}

// gather returns the files that all the parts of a package return.
func gather(parts ...func() ([]File, error)) ([]File, error) {
	var files []File
	for _, part := range parts {
		f, err := part()
		if err != nil {
			return nil, err
		}
		files = append(files, f...)
	}
	return files, nil
}

// fileName returns the name of a file. The main file and the test are named for
// the package, unless another file of the package or the go command has a
// meaning for that name: row.go is another file, in some systems Row.go is the same
// one, churn_linux.go is for Linux.
func (p *printer) fileName(suffix string) string {
	name := p.o.Package
	taken := []string{"keys", "link", "columns", "leaf", "vector", "row", "meta", "engine", "expf", "log1pf"}
	lower := strings.ToLower(name)
	if _, ok := libmCalls[lower]; ok || strings.Contains(name, "_") || slices.Contains(taken, lower) {
		name = "predict"
	}
	return name + suffix
}

// newFile returns a file with the line that marks generated code.
//
//	// Code generated by hew dev. DO NOT EDIT.
//
//	package churn
func (p *printer) newFile() *jen.File {
	f := jen.NewFile(p.o.Package)
	f.HeaderComment(p.generatedBy())
	return f
}

func (p *printer) generatedBy() string {
	return fmt.Sprintf("// Code generated by hew %s. DO NOT EDIT.", comment(p.o.Version))
}

// render returns the text of f as a file.
func render(name string, f *jen.File) (File, error) {
	var b bytes.Buffer
	if err := f.Render(&b); err != nil {
		return File{}, fmt.Errorf("%s: %w", name, err)
	}
	return File{name, b.Bytes()}, nil
}

// code returns Go text as jennifer's; "@math.Inf" in it is an identifier of a
// package to import, by its path.
func code(text string) *jen.Statement {
	s := &jen.Statement{}
	for i, part := range strings.Split(text, "@") {
		if i > 0 {
			path, rest, _ := strings.Cut(part, ".")
			name := rest[:len(rest)-len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))]
			s.Qual(path, name)
			part = rest[len(name):]
		}
		s.Op(part)
	}
	return s
}

// typed returns text with the types of the ensemble in it: $in and $out are the
// types of features and of sums, $Fin and $Fout their names in those of package math's
// functions, $key the integers that stand for features, $cols the number of
// values that trees see of a row.
func (p *printer) typed(text string) string {
	in, out := p.e.Input.String(), p.e.Sum.String()
	key, cols := "int32", "NumFeatures"
	if p.e.Input == ir.Double {
		key = "int64"
	}
	if p.e.Columns != nil {
		cols = "numColumns"
	}
	return strings.NewReplacer("$cols", cols, "$in", in, "$out", out, "$Fin", "F"+in[1:], "$Fout", "F"+out[1:], "$key", key).Replace(text)
}

// code is the function of that name, for text with types.
func (p *printer) code(text string) *jen.Statement { return code(p.typed(text)) }

// values returns numbers as a file in their own type, little-endian.
func values(v predict.Values) []byte {
	if v.F64 != nil {
		return words(v.F64)
	}
	return words(v.F32)
}

// words returns values as a file of little-endian words.
func words[T int32 | uint32 | float32 | float64](values ...[]T) []byte {
	var b []byte
	for _, v := range values {
		b, _ = binary.Append(b, binary.LittleEndian, v) // cannot fail: fixed-size values
	}
	return b
}
