package codegen

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A generated package carries the sources of package kernel as files of its own:
// it imports the standard library alone, and nobody knows where it will stand.
// What kernel exports would be a part of the package's API, so that kernel.Model
// becomes kernelModel. A name that the package has already is changed in the same
// way.

// A carrier rewrites the sources of kernel for a generated package.
type carrier struct {
	*printer
	sources  map[string][]byte
	portable bool
	fset     *token.FileSet
	files    map[string]*ast.File
	uses     map[*ast.Ident]types.Object
	scope    *types.Scope
	renamed  map[string]string
}

// carry returns sources as files of the package, in the order of their names.
// Portable ones are what a processor without assembly gets, on every processor.
// The names in taken are the package's own.
func (p *printer) carry(sources map[string][]byte, portable bool, taken map[string]bool) ([]File, error) {
	c := &carrier{printer: p, sources: sources, portable: portable, fset: token.NewFileSet(), files: map[string]*ast.File{}}
	if err := c.parse(); err != nil {
		return nil, err
	}
	c.resolve()
	if err := c.rename(taken); err != nil {
		return nil, err
	}
	var files []File
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		var text []byte
		var err error
		switch {
		case c.files[name] != nil:
			text, err = c.goText(name)
		case filepath.Ext(name) == ".s" && !portable:
			text = c.assembly(name)
		default:
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files = append(files, File{"kernel_" + name, text})
	}
	return files, nil
}

// parse reads the Go files that the package needs.
func (c *carrier) parse() error {
	for name, text := range c.sources {
		if filepath.Ext(name) != ".go" {
			continue
		}
		f, err := parser.ParseFile(c.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if line := constraintOf(f); line != "" && c.portable {
			expr, err := constraint.Parse(line)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if !expr.Eval(func(tag string) bool { return tag == "purego" }) {
				continue
			}
		}
		c.files[name] = f
	}
	return nil
}

// constraintOf returns the build constraint of a file, or nothing.
func constraintOf(f *ast.File) string {
	for _, group := range f.Comments {
		for _, comment := range group.List {
			if comment.Pos() < f.Package && constraint.IsGoBuild(comment.Text) {
				return comment.Text
			}
		}
	}
	return ""
}

// resolve finds out what identifiers stand for. The errors don't matter: other
// packages are not there, and of declarations for several processors the first
// counts. All of one name are renamed in the same way.
func (c *carrier) resolve() {
	var files []*ast.File
	for _, name := range slices.Sorted(maps.Keys(c.files)) {
		files = append(files, c.files[name])
	}
	info := types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: noImporter{}, Error: func(error) {}}
	pkg, _ := conf.Check("kernel", c.fset, files, &info)
	c.uses, c.scope = info.Uses, pkg.Scope()
}

type noImporter struct{}

func (noImporter) Import(string) (*types.Package, error) { return nil, errors.New("not imported") }

// rename chooses new names for the declarations that need them.
func (c *carrier) rename(taken map[string]bool) error {
	c.renamed = map[string]string{}
	for _, name := range c.scope.Names() {
		if !token.IsExported(name) && !taken[name] {
			continue
		}
		first, size := utf8.DecodeRuneInString(name)
		to := "kernel" + string(unicode.ToUpper(first)) + name[size:]
		if taken[to] || c.scope.Lookup(to) != nil {
			return fmt.Errorf("kernel's %s would become %s, which is taken", name, to)
		}
		c.renamed[name] = to
	}
	return nil
}

// An edit replaces a part of a file.
type edit struct {
	from, to int
	text     string
}

// goText returns a Go file of kernel as one of the package.
func (c *carrier) goText(name string) ([]byte, error) {
	f, text := c.files[name], c.sources[name]
	body := c.offset(f.Name.End())
	var edits []edit
	for _, d := range f.Decls {
		edits = append(edits, c.declared(d)...)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if obj := c.uses[id]; obj != nil && c.declares(obj) {
				edits = append(edits, c.renaming(id)...)
			}
		}
		return true
	})
	for _, group := range f.Comments {
		for _, comment := range group.List { // of other programs, which the user of the package may not have
			if strings.HasPrefix(comment.Text, "//go:generate ") {
				edits = append(edits, edit{c.offset(comment.Pos()), c.offset(comment.End()), ""})
			}
		}
	}
	var b bytes.Buffer
	c.origin(&b, name)
	if line := constraintOf(f); line != "" && !c.portable {
		fmt.Fprintf(&b, "%s\n\n", line)
	}
	fmt.Fprintf(&b, "package %s", c.o.Package)
	slices.SortFunc(edits, func(a, b edit) int { return a.from - b.from })
	for _, e := range edits {
		if e.from < body {
			continue
		}
		b.Write(text[body:e.from])
		b.WriteString(e.text)
		body = e.to
	}
	b.Write(text[body:])
	return format.Source(b.Bytes())
}

// declares reports whether the name of obj is that of a declaration of kernel. An
// embedded field has the name of its type.
func (c *carrier) declares(obj types.Object) bool {
	v, ok := obj.(*types.Var)
	if !ok || !v.Embedded() {
		return obj.Parent() == c.scope
	}
	t := v.Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := t.(interface{ Obj() *types.TypeName })
	return ok && named.Obj().Parent() == c.scope
}

func (c *carrier) offset(p token.Pos) int { return c.fset.Position(p).Offset }

// origin begins a file of the package.
func (c *carrier) origin(b *bytes.Buffer, name string) {
	fmt.Fprintf(b, "%s\n//\n// Copied from %s of hew's package kernel, where names that begin with\n// kernel here are exported without it.\n\n", c.generatedBy(), name)
}

// renaming returns the edit that renames id, if it has a new name.
func (c *carrier) renaming(id *ast.Ident) []edit {
	to, ok := c.renamed[id.Name]
	if !ok {
		return nil
	}
	return []edit{{c.offset(id.Pos()), c.offset(id.End()), to}}
}

// declared returns the edits of a declaration that rename what it declares, in
// its comment too.
func (c *carrier) declared(d ast.Decl) []edit {
	var edits []edit
	add := func(id *ast.Ident, docs ...*ast.CommentGroup) {
		edits = append(edits, c.renaming(id)...)
		for _, doc := range docs {
			edits = append(edits, c.mentions(id.Name, doc)...)
		}
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			add(d.Name, d.Doc)
		}
	case *ast.GenDecl:
		for _, id := range declaredBy(d) {
			add(id, d.Doc)
		}
	}
	return edits
}

// mentions returns the edits that rename what a comment calls by its name.
func (c *carrier) mentions(name string, doc *ast.CommentGroup) []edit {
	to, ok := c.renamed[name]
	if !ok || doc == nil || !token.IsExported(name) {
		return nil
	}
	var edits []edit
	word := regexp.MustCompile(`\b(?:(A)n )?` + name + `\b`) // An Engine is A kernelEngine
	for _, comment := range doc.List {
		at := c.offset(comment.Pos())
		for _, m := range word.FindAllStringSubmatchIndex(comment.Text, -1) {
			text := to
			if m[2] >= 0 {
				text = "A " + to
			}
			edits = append(edits, edit{at + m[0], at + m[1], text})
		}
	}
	return edits
}

// symbol matches what assembly calls the package's own: func cpuid in a comment,
// ·cpuid elsewhere.
var symbol = regexp.MustCompile(`(·|\bfunc )([\pL_][\pL_\pN]*)`)

// assembly returns an assembly file of kernel as one of the package.
func (c *carrier) assembly(name string) []byte {
	text := c.sources[name]
	if line, rest, _ := bytes.Cut(text, []byte("\n")); bytes.HasPrefix(line, []byte("// Code generated ")) {
		text = bytes.TrimLeft(rest, "\n")
	}
	text = symbol.ReplaceAllFunc(text, func(match []byte) []byte {
		m := symbol.FindSubmatch(match)
		if to, ok := c.renamed[string(m[2])]; ok {
			return append(m[1][:len(m[1]):len(m[1])], to...)
		}
		return match
	})
	var b bytes.Buffer
	c.origin(&b, name)
	b.Write(text)
	return b.Bytes()
}
