package codegen

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"

	"hew/ir"
)

// Bounds of a file of trees: reading, formatting and comparing a file takes time
// that grows with it.
const (
	maxFileNodes = 4000
	maxFileTrees = 256
)

// Branch prints e as functions of if statements, one for each tree, big trees in
// several.
//
// A person can check each tree against the model, and the Go compiler needs time
// in proportion to the model: one function for all trees of 500 × 63 nodes takes
// it 9 GB. A batch is scored in blocks of rows, a tree at a time, so that the
// code of a tree stays in the cache; the additions of a row keep their order.
//
// Tried with 500 trees of depth 6 on real rows (AMD Zen 4, one thread; time of
// the form that is printed = 1), a row at a time: float comparisons and branches
// only 2.1, float comparisons and choices 1.3, integer comparisons and branches
// only 1.8; a loop over the rows of a block of one in place of calls in a row 1.12;
// calls through a table of functions 1.8, because the processor guesses the
// targets wrong; a walk over nodes 3.9. In blocks of 128 rows a row takes 0.7.
// Which side of a branch is the fall-through made no difference.
func Branch(e *ir.Ensemble, o Options) ([]File, error) {
	p, err := newPrinter(e, o, "branch")
	if err != nil {
		return nil, err
	}
	return gather(p.modelFiles, p.columnFiles, p.linkFiles, p.rowFiles, p.metaFiles, p.leafFiles, p.testFiles)
}

// modelFiles returns the files that compute margins: the main file and, for
// trees, keys.go, the tables and the trees.
func (p *printer) modelFiles() ([]File, error) {
	t := &treePrinter{printer: p, columns: columnsOf(p.e)}
	groups := p.groups()
	files, err := t.treeFiles(groups)
	if err != nil {
		return nil, err
	}
	main, err := p.mainFile("", p.block(t), p.marginText(t, len(groups)), p.baseText(t))
	if err != nil {
		return nil, err
	}
	more, err := t.supportFiles()
	return append(append([]File{main}, files...), more...), err
}

// supportFiles returns what the printed trees call: keys.go and the leaf vectors.
func (t *treePrinter) supportFiles() ([]File, error) {
	if len(t.e.Trees) == 0 {
		return nil, nil
	}
	keys, err := t.keysFile()
	if err != nil || t.vectors.values == nil {
		return []File{keys}, err
	}
	vectors, err := t.vectorFiles()
	return append([]File{keys}, vectors...), err
}

// groups returns the ends of the runs of trees that share a file.
func (p *printer) groups() []int {
	var ends []int
	nodes, trees := 0, 0
	bodies := bodies(p.e)
	for i := range p.e.Trees {
		n := 0
		if bodies[i] == i {
			n = len(p.e.Trees[i].Nodes)
		}
		if trees > 0 && (nodes+n > maxFileNodes || trees == maxFileTrees) {
			ends = append(ends, i)
			nodes, trees = 0, 0
		}
		nodes, trees = nodes+n, trees+1
	}
	if trees > 0 {
		ends = append(ends, len(p.e.Trees))
	}
	return ends
}

// treeFiles prints trees_000.go and so on: the trees and, at the end of each
// file, the function that adds them to margins.
func (t *treePrinter) treeFiles(groups []int) ([]File, error) {
	var plans []*plan
	t.form, plans, _ = t.choose()
	t.vectors, t.names = newVectorTable(t.e), make([]string, len(t.e.Trees))
	bodies := bodies(t.e)
	var files []File
	first := 0
	for g, end := range groups {
		f := t.newFile()
		for i := first; i < end; i++ {
			if body := bodies[i]; body != i {
				t.names[i] = t.names[body]
			} else {
				t.printTree(f, i, plans[i])
			}
		}
		t.printAdd(f, g, first, end)
		file, err := render(fmt.Sprintf("trees_%03d.go", g), f)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
		first = end
	}
	return files, nil
}

// printAdd prints the functions that add a file's trees to margins.
//
//	// addRow0 adds trees 0 to 89 to the margins of a row.
//	func addRow0(m *[NumMargins]float32, x *keys) {
//		m[0] += tree0(x)
//		m[1] += tree0(x) // tree 1 is the same
//		…
//	}
//
//	// add0 does so for a block of rows.
//	func add0(m []float32, rows []keys) {
//		for i := range rows {
//			m[i*NumMargins] += tree0(&rows[i])
//		}
//		…
//	}
func (t *treePrinter) printAdd(f *jen.File, group, first, end int) {
	var row, block strings.Builder
	for i := first; i < end; i++ {
		tree := &t.e.Trees[i]
		at := "i*NumMargins"
		switch {
		case t.e.Outputs == 1:
			at = "i"
		case tree.Output > 0:
			at = fmt.Sprintf("i*NumMargins+%d", tree.Output)
		}
		name, note := t.names[i], ""
		if name != treeName(i) {
			note = fmt.Sprintf(" // tree %d is the same", i)
		}
		if tree.Vectors != nil {
			fmt.Fprintf(&row, "addVector(m[:], %s(x))%s\n", name, note)
			fmt.Fprintf(&block, "for i := range rows {%s\naddVector(m[i*NumMargins:], %s(&rows[i]))\n}\n", note, name)
		} else {
			fmt.Fprintf(&row, "m[%d] += %s(x)%s\n", tree.Output, name, note)
			fmt.Fprintf(&block, "for i := range rows {%s\nm[%s] += %s(&rows[i])\n}\n", note, at, name)
		}
	}
	which := fmt.Sprintf("trees %d to %d", first, end-1)
	if end-first == 1 {
		which = fmt.Sprintf("tree %d", first)
	}
	f.Commentf("addRow%d adds %s to the margins of a row.", group, which)
	f.Func().Id(fmt.Sprintf("addRow%d", group)).Params(
		jen.Id("m").Op(t.typed("*[NumMargins]$out")), jen.Id("x").Op("*").Id("keys"),
	).Block(jen.Op(strings.TrimSuffix(row.String(), "\n")))
	if t.rowsOnly || t.blockRows(t.columns.len()) == 1 {
		return
	}
	f.Line()
	f.Commentf("add%d does so for a block of rows.", group)
	f.Func().Id(fmt.Sprintf("add%d", group)).Params(
		jen.Id("m").Index().Id(t.e.Sum.String()), jen.Id("rows").Index().Id("keys"),
	).Block(jen.Op(strings.TrimSuffix(block.String(), "\n")))
}
