package codegen

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"path/filepath"

	"hew/ir"
)

// A Kernel is what package kernel gives to a package whose trees are data.
type Kernel struct {
	Model   []byte            // the tables, in kernel's encoding
	Sources map[string][]byte // of kernel, by file name

	// Portable leaves assembly out: strategy table in place of simd.
	Portable bool

	// BranchRows is the number of rows up to which a call runs branch code, a row
	// at a time, in place of the engine; with 0, the package has none.
	BranchRows int
}

// strategy returns the name of the strategy that k is for.
func (k *Kernel) strategy() string {
	if k.Portable {
		return "table"
	}
	return "simd"
}

// Table prints e as tables in a file and the engine of package kernel that reads
// them, with its assembly (strategy simd) or without (table). The Go compiler
// sees the same code whatever the size of the model.
//
// The engine is made by the first call rather than when the program starts: a
// program may import a model that it never asks. Leaf numbers come from the engine
// too, unless o.Leaves has others: then from a table of their own, as with Branch.
func Table(e *ir.Ensemble, o Options, k Kernel) ([]File, error) {
	if len(e.Trees) == 0 {
		return nil, fmt.Errorf("strategy %s is for trees; there are none", k.strategy())
	}
	merged := o.Leaves != nil
	p, err := newPrinter(e, o, k.strategy())
	if err != nil {
		return nil, err
	}
	parts := []func() ([]File, error){
		func() ([]File, error) { return p.tableFiles(&k, merged) },
		p.columnFiles, p.linkFiles, p.rowFiles, p.metaFiles,
		func() ([]File, error) { return p.tableTestFiles(&k, merged) },
	}
	if merged {
		parts = append(parts, p.leafFiles)
	}
	files, err := gather(parts...)
	if err != nil {
		return nil, err
	}
	taken, err := declaredNames(files)
	if err != nil {
		return nil, err
	}
	kernel, err := p.carry(k.Sources, k.Portable, taken)
	return append(files, kernel...), err
}

// declaredNames returns the names that a package's files declare.
func declaredNames(files []File) (map[string]bool, error) {
	names := map[string]bool{}
	for _, file := range files {
		if filepath.Ext(file.Name) != ".go" {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file.Name, file.Data, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					names[d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, id := range declaredBy(d) {
					names[id.Name] = true
				}
			}
		}
	}
	return names, nil
}

// declaredBy returns the names that a declaration of constants, variables or
// types declares.
func declaredBy(d *ast.GenDecl) []*ast.Ident {
	var names []*ast.Ident
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			names = append(names, s.Name)
		case *ast.ValueSpec:
			names = append(names, s.Names...)
		}
	}
	return names
}

// tableFiles returns the main file, engine.go and its tables, and the branch code
// for few rows.
func (p *printer) tableFiles(k *Kernel, merged bool) ([]File, error) {
	margin, branch, err := p.tableMargin(k)
	if err != nil {
		return nil, err
	}
	declarations := append([]string{margin}, branch.declarations...)
	if !merged {
		declarations = append(declarations, p.engineLeafText())
	}
	block := 0
	if p.e.Link == ir.Argmax {
		block = max(1, maxBlockWords/p.e.Outputs)
	}
	main, err := p.mainFile(p.loadNote(k), block, append(declarations, countRowsText(p.o.Package))...)
	if err != nil {
		return nil, err
	}
	f := p.newFile()
	f.Anon("embed")
	f.Add(p.code(fmt.Sprintf(engineText, p.o.Package)))
	engine, err := render("engine.go", f)
	return append([]File{main, engine, {"model.bin", k.Model}}, branch.files...), err
}

// branchRows is the branch code of a package that has an engine too.
type branchRows struct {
	declarations []string
	files        []File
}

// tableMargin prints Margin, and the branch code that it calls for few rows.
func (p *printer) tableMargin(k *Kernel) (margin string, b branchRows, err error) {
	if k.BranchRows == 0 {
		return p.marginDoc() + p.engineMarginText(), b, nil
	}
	t := &treePrinter{printer: p, columns: columnsOf(p.e), rowsOnly: true}
	groups := p.groups()
	b.files, err = t.treeFiles(groups)
	if err != nil {
		return "", b, err
	}
	more, err := t.supportFiles()
	b.files = append(b.files, more...)
	row, _ := p.sumTexts(len(groups))
	b.declarations = []string{p.marginRowText(t.columns.len()) + row, p.baseText(t)}
	engine, blocks := "		loaded().Margin(dst, x)\n", ""
	if p.e.Columns != nil {
		engine, blocks = engineColumnsMarginText, p.engineBlocksText()
	}
	return p.marginDoc() + fmt.Sprintf(branchMarginText, k.BranchRows, engine) + blocks, b, err
}

func (p *printer) engineMarginText() string {
	if p.e.Columns == nil {
		return `	countRows(len(dst), NumMargins, len(x))
	loaded().Margin(dst, x)
}
`
	}
	return "	rows := countRows(len(dst), NumMargins, len(x))\n" + engineColumnsMarginText + "}\n" + p.engineBlocksText()
}

// engineColumnsMarginText asks an engine for the margins of rows.
const engineColumnsMarginText = `	engineBlocks(rows, x, func(i, n int, c []Input) {
		loaded().Margin(dst[i*NumMargins:(i+n)*NumMargins], c)
	})
`

// engineBlocksText computes columns for an engine, in blocks that are large enough for
// it to share among goroutines.
func (p *printer) engineBlocksText() string {
	return fmt.Sprintf(engineBlocksText, max(1, poolNumbers/len(p.e.Columns)))
}

const engineBlocksText = `
// columnRows is the number of rows whose columns are computed at a time.
const columnRows = %d

// columnPool holds the columns of a block of rows.
var columnPool = @sync.Pool{New: func() any { return new([columnRows * numColumns]Input) }}

// engineBlocks calls f with the columns of n rows from row i on, a block after the
// other.
func engineBlocks(rows int, x []Input, f func(i, n int, c []Input)) {
	c := columnPool.Get().(*[columnRows * numColumns]Input)
	defer columnPool.Put(c)
	for i := 0; i < rows; i += columnRows {
		n := min(columnRows, rows-i)
		for j := range n {
			columns((*[numColumns]Input)(c[j*numColumns:]), (*[NumFeatures]Input)(x[(i+j)*NumFeatures:]))
		}
		f(i, n, c[:n*numColumns])
	}
}
`

const branchMarginText = `	rows := countRows(len(dst), NumMargins, len(x))
	if rows > branchRows {
%[2]s		return
	}
	for i := range rows {
		marginRow((*[NumMargins]$out)(dst[i*NumMargins:]), (*[NumFeatures]$in)(x[i*NumFeatures:]))
	}
}

// branchRows is the number of rows up to which branch code is faster than the
// engine.
const branchRows = %[1]d
`

func (p *printer) engineLeafText() string {
	if p.e.Columns == nil {
		return engineLeafText
	}
	return engineColumnsLeafText
}

const engineColumnsLeafText = `// Leaf writes NumTrees numbers to dst for each row in x: the leaves that the row
// reaches, in the trainer's numbering.
func Leaf(dst []int32, x []Input) {
	engineBlocks(countRows(len(dst), NumTrees, len(x)), x, func(i, n int, c []Input) {
		loaded().Leaf(dst[i*NumTrees:(i+n)*NumTrees], c)
	})
}
`

const engineLeafText = `// Leaf writes NumTrees numbers to dst for each row in x: the leaves that the row
// reaches, in the trainer's numbering.
func Leaf(dst []int32, x []Input) {
	countRows(len(dst), NumTrees, len(x))
	loaded().Leaf(dst, x)
}
`

// engineText is engine.go. The common path is inlined: a load and a test.
const engineText = `// tables holds the columns and trees of the model, encoded by hew's package kernel.
//
//go:embed model.bin
var tables []byte

// engine evaluates tables; nil until somebody needs it.
var engine @sync/atomic.Pointer[kernelEngine[Input, Output]]

var loading @sync.Mutex

// loaded returns the engine.
func loaded() *kernelEngine[Input, Output] {
	if e := engine.Load(); e != nil {
		return e
	}
	return load()
}

// load makes the engine, unless another goroutine just did.
func load() *kernelEngine[Input, Output] {
	loading.Lock()
	defer loading.Unlock()
	e := engine.Load()
	if e == nil {
		e = newEngine()
		engine.Store(e)
	}
	return e
}

func newEngine() *kernelEngine[Input, Output] {
	m, err := kernelDecode(tables)
	if err != nil {
		panic("%[1]s: model.bin is not what hew wrote: " + err.Error())
	}
	e, err := kernelNew[Input, Output](m, kernelThisCPU())
	if err != nil {
		panic("%[1]s: model.bin is not what hew wrote: " + err.Error())
	}
	return e
}
`

// loadNote says in the package's documentation what the first call costs.
func (p *printer) loadNote(k *Kernel) string {
	first := "first call"
	if k.BranchRows > 0 {
		first += " with more than " + count(k.BranchRows, "row")
	}
	return fmt.Sprintf("// The %s makes an engine of the embedded tables, which takes\n// %s. Large batches are shared by several goroutines.", first, loadTime(p.e))
}

// Loading takes about 700 ns per node, measured with go1.26 on an AMD Zen 4: 25 ms
// for 500 trees of 43,000 nodes, 1.3 ms for 35 trees of 1,800 nodes, and 68 ms for
// 700 trees of 57,000 nodes and seven outputs.
const loadNanoseconds = 700

// loadTime returns about how long it takes to make the engine for e.
func loadTime(e *ir.Ensemble) string {
	ms := float64(e.NumNodes()) * loadNanoseconds / 1e6
	switch {
	case ms < 1:
		return "less than a millisecond"
	case ms < 10:
		return fmt.Sprintf("about %.0f ms", ms)
	default:
		return fmt.Sprintf("about %.0f ms", 10*math.Round(ms/10))
	}
}

// tableTestFiles returns the generated test. It covers batches, which the engine
// scores otherwise than few rows, and of strategy simd the engines of lesser
// processors, on which the package may run one day.
func (p *printer) tableTestFiles(k *Kernel, merged bool) ([]File, error) {
	files, err := p.testFiles()
	if err != nil || len(files) == 0 {
		return files, err
	}
	levels, leaf := `"", "avx2", "generic"`, engineLeafTestText
	if k.Portable {
		levels = `""`
	}
	if merged {
		leaf = ""
	}
	f := p.newFile()
	f.Add(p.code(fmt.Sprintf(engineTestText, levels, leaf, p.goldenColumns())))
	test, err := render("engine_test.go", f)
	return append(files, test), err
}

const engineTestText = `// TestEngines replays the golden rows, over and over, with the engines of this
// processor and of lesser ones.
func TestEngines(t *@testing.T) {
	g := readGolden(t)
	times := 1 + min(1000/goldenRows, 1<<20/len(g.x))
	x, want := @slices.Repeat(%[3]s, times), @slices.Repeat(g.margin, times)
	for _, level := range []string{%[1]s} {
		t.Setenv("HEW_CPU", level)
		e := newEngine()
		margin := make([]$out, len(want))
		e.Margin(margin, x)
		same(t, "Margin, "+level, margin, want, NumMargins)
		for i := range goldenRows {
			m := row(margin, i, NumMargins)
			clear(m)
			e.Margin(m, row(x, i, $cols))
		}
		same(t, "Margin of a row, "+level, margin, want, NumMargins)
%[2]s	}
}
`

const engineLeafTestText = `		leaf := make([]int32, times*len(g.leaf))
		e.Leaf(leaf, x)
		if !@slices.Equal(leaf, @slices.Repeat(g.leaf, times)) {
			t.Errorf("leaves differ, %s", level)
		}
`

// goldenColumns returns what engines see of the golden rows, as Go text.
func (p *printer) goldenColumns() string {
	if p.e.Columns == nil {
		return "g.x"
	}
	return "columnsOf(g.x)"
}
