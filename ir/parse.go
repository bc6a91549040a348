package ir

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Parse returns an ensemble of the trees given in the text form, all for one
// output with base margin 0. It has as many features as its splits need, and at
// least one. Its precisions are Single. Tests of passes and engines are its users.
func Parse(trees ...string) (*Ensemble, error) { return ParseAs(Single, Single, trees...) }

// ParseAs is Parse for an ensemble of the given precisions.
func ParseAs(input, sum Precision, trees ...string) (*Ensemble, error) {
	e := &Ensemble{
		Input: input, Sum: sum,
		Features: []Feature{{Name: "f0"}},
		Outputs:  1, BaseMargin: []float64{0}, Rounds: []int32{0}, BestRound: -1,
	}
	for i, text := range trees {
		p := parser{e: e, rest: text}
		if err := p.tree(); err != nil {
			return nil, fmt.Errorf("tree %d: %w near %q", i, err, p.rest)
		}
		e.Trees = append(e.Trees, p.t)
		e.Rounds = append(e.Rounds, int32(i+1))
	}
	if err := e.Verify(); err != nil {
		return nil, err
	}
	return e, nil
}

// MustParse is Parse for texts that are known to be right; it panics on others.
func MustParse(trees ...string) *Ensemble {
	e, err := Parse(trees...)
	if err != nil {
		panic(err)
	}
	return e
}

type parser struct {
	e    *Ensemble
	t    Tree
	rest string
}

func (p *parser) tree() error {
	if err := p.node(); err != nil {
		return err
	}
	if p.rest = strings.TrimSpace(p.rest); p.rest != "" {
		return fmt.Errorf("text after the tree")
	}
	return nil
}

// node parses a subtree and appends its nodes in preorder.
func (p *parser) node() error {
	i := len(p.t.Nodes)
	p.t.Nodes = append(p.t.Nodes, Node{Feature: NoFeature, Left: -1, Right: -1, Set: NoSet, ID: int32(i)})
	if !p.accept('(') {
		return p.leaf(i)
	}
	if err := p.test(i); err != nil {
		return err
	}
	p.t.Nodes[i].Left = int32(len(p.t.Nodes))
	if err := p.node(); err != nil {
		return err
	}
	p.t.Nodes[i].Right = int32(len(p.t.Nodes))
	if err := p.node(); err != nil {
		return err
	}
	if !p.accept(')') {
		return fmt.Errorf("want )")
	}
	return nil
}

func (p *parser) test(i int) (err error) {
	n := &p.t.Nodes[i]
	if !p.accept('f') {
		return fmt.Errorf("want a feature")
	}
	if n.Feature, err = p.index("<{"); err != nil {
		return err
	}
	for len(p.e.Features) <= int(n.Feature) {
		p.e.Features = append(p.e.Features, Feature{Name: fmt.Sprintf("f%d", len(p.e.Features))})
	}
	if p.accept('<') {
		n.Threshold, err = strconv.ParseFloat(p.until("?#() \n"), p.e.Input.bits())
	} else {
		p.accept('{')
		n.Set, err = p.set(p.until("}"))
		p.accept('}')
	}
	if err != nil {
		return err
	}
	n.DefaultLeft = p.accept('?')
	return p.id(n)
}

func (p *parser) set(text string) (int32, error) {
	var s Set
	for field := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ':' || r == ',' }) {
		v, err := strconv.ParseFloat(field, p.e.Input.bits())
		if err != nil {
			return 0, err
		}
		s = append(s, v)
	}
	if i := slices.IndexFunc(p.e.Sets, func(o Set) bool { return slices.Equal(o, s) }); i >= 0 {
		return int32(i), nil
	}
	p.e.Sets = append(p.e.Sets, s)
	return int32(len(p.e.Sets) - 1), nil
}

func (p *parser) leaf(i int) error {
	n := &p.t.Nodes[i]
	if p.accept('[') {
		n.Vector = int32(len(p.t.Vectors) / p.e.Outputs)
		fields := strings.Fields(p.until("]"))
		p.accept(']')
		if p.e.Outputs != len(fields) {
			p.e.Outputs, p.e.BaseMargin = len(fields), make([]float64, len(fields))
		}
		for _, f := range fields {
			v, err := strconv.ParseFloat(f, p.e.Sum.bits())
			if err != nil {
				return err
			}
			p.t.Vectors = append(p.t.Vectors, v)
		}
		return p.id(n)
	}
	v, err := strconv.ParseFloat(p.until("#() \n"), p.e.Sum.bits())
	if err != nil {
		return err
	}
	n.Value = v
	return p.id(n)
}

func (p *parser) id(n *Node) (err error) {
	if strings.HasPrefix(p.rest, "#") {
		p.rest = p.rest[1:]
		n.ID, err = p.index("() \n")
	}
	return err
}

func (p *parser) index(end string) (int32, error) {
	v, err := strconv.ParseInt(p.until(end), 10, 20)
	return int32(v), err
}

// accept skips white space and then c, if it is next.
func (p *parser) accept(c byte) bool {
	if c != '?' {
		p.rest = strings.TrimLeft(p.rest, " \t\n")
	}
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// until returns the text before the first of the end characters.
func (p *parser) until(end string) string {
	i := strings.IndexAny(p.rest, end)
	if i < 0 {
		i = len(p.rest)
	}
	text := p.rest[:i]
	p.rest = p.rest[i:]
	return text
}
