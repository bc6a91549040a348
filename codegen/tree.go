package codegen

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"

	"hew/ir"
)

// A treePrinter prints the functions of trees and gathers what they refer to.
type treePrinter struct {
	*printer
	form     form
	columns  *columns
	uses     uses
	rowsOnly bool // nothing for blocks of rows

	vectors *vectorTable
	names   []string // of the functions of trees

	// Of the tree that is being printed.
	index int
	tree  *ir.Tree
	plan  *plan
	parts []int32
	text  strings.Builder
}

func treeName(i int) string { return fmt.Sprintf("tree%d", i) }

// uses says which declarations the printed trees refer to.
type uses struct {
	pick, pickRow bool
	special       bool // numbers without a literal
	sets          []ir.Set
	names         map[string]string // of the sets, by their text
}

// useSet returns the name of the table of a long set.
func (p *treePrinter) useSet(s ir.Set) string {
	text := s.String()
	name, ok := p.uses.names[text]
	if !ok {
		if p.uses.names == nil {
			p.uses.names = map[string]string{}
		}
		name = fmt.Sprintf("set%d", len(p.uses.sets))
		p.uses.names[text] = name
		p.uses.sets = append(p.uses.sets, s)
	}
	return name
}

// printTree adds the functions of tree i to f.
//
//	func tree17(x *keys) float32 {
//		if x[1] < key(0.5) { // tenure; missing: right
//			return -0.41
//		}
//		return pick(x[2] < key(12.75), 0.13, 0.58) // monthly_fee; missing: left
//	}
func (p *treePrinter) printTree(f *jen.File, i int, pl *plan) {
	p.index, p.tree, p.plan, p.names[i] = i, &p.e.Trees[i], pl, treeName(i)
	if pl.share.elsewhere(i, 0) {
		p.names[i] = pl.share.as[0].name // it is part of a tree before it
		return
	}
	if s := pl.share.as[0]; s != nil {
		s.name = p.names[i]
	}
	p.parts = []int32{0}
	for n := 0; n < len(p.parts); n++ {
		p.text.Reset()
		p.statements(p.parts[n])
		if n > 0 {
			others := ""
			if pl.share.as[p.parts[n]] != nil {
				others = ", and not only there"
			}
			f.Commentf("%s is a subtree of tree%d%s.", p.partName(n), i, others)
		}
		if n == 0 && !p.form.inlined() {
			f.Comment("//go:noinline")
		}
		f.Func().Id(p.partName(n)).Params(jen.Id(p.row()).Op("*").Id("keys")).Id(p.result()).Block(jen.Op(p.text.String()))
		f.Line()
	}
}

// row returns the name of the parameter, which a tree without splits ignores.
func (p *treePrinter) row() string {
	if p.tree.Nodes[0].IsLeaf() {
		return "_"
	}
	return "x"
}

// result returns the type of what a tree function returns: a value, or the row
// of a leaf vector.
func (p *treePrinter) result() string {
	if p.tree.Vectors != nil {
		return "int32"
	}
	return p.e.Sum.String()
}

func (p *treePrinter) partName(n int) string {
	if n == 0 {
		return treeName(p.index)
	}
	return fmt.Sprintf("tree%dpart%d", p.index, n)
}

// statements prints the subtree at node i as statements that return. The side
// that more training rows took comes first: Go lays it out as the fall-through.
func (p *treePrinter) statements(i int32) {
	for {
		if p.plan.choice[i] {
			p.text.WriteString("return ")
			p.expression(i, "")
			return
		}
		condition, note, first, second := p.test(&p.tree.Nodes[i], true)
		fmt.Fprintf(&p.text, "if %s { // %s\n", condition, note)
		p.side(first)
		p.text.WriteString("\n}\n")
		if p.plan.cut[second] {
			p.side(second)
			return
		}
		i = second
	}
}

// side prints a child of a branch: in place, or as a call of its own function.
func (p *treePrinter) side(i int32) {
	if !p.plan.cut[i] {
		p.statements(i)
		return
	}
	fmt.Fprintf(&p.text, "return %s(x)", p.part(i))
}

// part returns the name of the function of subtree i, which it has printed unless that
// is done.
func (p *treePrinter) part(i int32) string {
	s := p.plan.share.as[i]
	if s != nil {
		if s.name != "" {
			return s.name
		}
		i = int32(s.node) // of this tree: those before it have all been printed
	}
	name := p.partName(len(p.parts))
	p.parts = append(p.parts, i)
	if s != nil {
		s.name = name
	}
	return name
}

// expression prints the subtree at node i, all of it choices, and whatever
// follows it on its last line: nothing or a comma. Comments stand at the end of
// the line.
func (p *treePrinter) expression(i int32, end string) {
	n := &p.tree.Nodes[i]
	if n.IsLeaf() {
		value, note := p.leaf(n)
		p.text.WriteString(value + end + lineComment(note))
		return
	}
	pick := "pick"
	if p.tree.Vectors != nil {
		pick, p.uses.pickRow = "pickRow", true
	} else {
		p.uses.pick = true
	}
	condition, note, first, second := p.test(n, false)
	fmt.Fprintf(&p.text, "%s(%s,", pick, condition)
	if a, b := &p.tree.Nodes[first], &p.tree.Nodes[second]; a.IsLeaf() && b.IsLeaf() && p.tree.Vectors == nil {
		u, _ := p.leaf(a)
		v, _ := p.leaf(b)
		fmt.Fprintf(&p.text, " %s, %s)%s%s", u, v, end, lineComment(note))
		return
	}
	p.text.WriteString(lineComment(note) + "\n")
	p.expression(first, ",")
	p.text.WriteByte('\n')
	p.expression(second, ",")
	p.text.WriteString("\n)" + end)
}

func lineComment(note string) string {
	if note == "" {
		return ""
	}
	return " // " + note
}

// leaf returns what a leaf adds as Go text: a value, or the row of a vector with
// the vector itself as a comment.
func (p *treePrinter) leaf(n *ir.Node) (value, note string) {
	if p.tree.Vectors == nil {
		p.uses.special = p.uses.special || isSpecial(n.Value)
		return number(n.Value, p.e.Sum), ""
	}
	const shown = 8
	at := int(n.Vector) * p.e.Outputs
	var b strings.Builder
	for k, v := range p.tree.Vectors[at : at+p.e.Outputs] {
		if k == shown {
			b.WriteString(" …")
			break
		}
		if k > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(digits(v, p.e.Sum))
	}
	return fmt.Sprint(p.vectors.row(p.index, n)), b.String()
}
