package codegen

import (
	"strconv"
	"strings"

	"github.com/dave/jennifer/jen"

	"hew/ir"
)

// metaFiles returns meta.go: what is known about the model, as plain data.
func (p *printer) metaFiles() ([]File, error) {
	f := p.newFile()
	f.Add(code(metaText)).Line()
	f.Comment("// Meta describes the model.")
	// var Meta = Metadata{
	// 	File: "churn.ubj",
	// 	…
	// }
	f.Var().Id("Meta").Op("=").Id("Metadata").CustomFunc(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}, p.metaFields)
	file, err := render("meta.go", f)
	return []File{file}, err
}

const metaText = `// A Metadata describes a model and where it comes from.
type Metadata struct {
	File string // base name of the model file
	SHA256 string // of the model file, in hex
	Format string // as in "xgboost 3.2.0 ubjson"
	Objective string // the trainer's name for it
	Task string // regression, classification or ranking
	Strategy string // how the code evaluates the model
	Exact bool // whether only exact passes ran
	Passes []string
	Hew string // version of hew that made the package
	Features []Feature // NumFeatures, in column order
	Classes []string // labels, if the model names them
}

// A Feature is a column of a row.
type Feature struct {
	Name string
	Type string // float, int, bool or categorical
	Categories []string // texts by code, if the model has them
}
`

func (p *printer) metaFields(g *jen.Group) {
	s := &p.e.Source
	field := func(name, value string) { g.Id(name).Op(": " + value) }
	field("File", quote(s.File))
	field("SHA256", quote(s.SHA256))
	field("Format", quote(strings.Join(strings.Fields(s.Trainer+" "+s.Version+" "+s.Container), " ")))
	field("Objective", quote(s.Objective))
	field("Task", quote(p.e.Task.String()))
	field("Strategy", quote(p.strategy))
	field("Exact", strconv.FormatBool(p.o.Exact))
	field("Passes", quoteAll(p.o.Passes))
	field("Hew", quote(p.o.Version))
	field("Features", p.metaFeatures())
	field("Classes", quoteAll(p.e.Classes))
}

func (p *printer) metaFeatures() string {
	var b strings.Builder
	b.WriteString("[]Feature{\n")
	for _, f := range p.e.Features {
		b.WriteString("{Name: " + quote(f.Name) + ", Type: " + quote(f.Type.String()))
		if f.Type == ir.Categorical && f.Categories != nil {
			b.WriteString(", Categories: " + quoteAll(f.Categories))
		}
		b.WriteString("},\n")
	}
	b.WriteString("}")
	return b.String()
}

// quote returns text as a Go literal; jennifer's would be the same but for one
// value of ours inside another.
func quote(text string) string { return strconv.Quote(text) }

func quoteAll(texts []string) string {
	if texts == nil {
		return "nil"
	}
	var b strings.Builder
	b.WriteString("[]string{")
	for i, t := range texts {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(t))
	}
	b.WriteString("}")
	return b.String()
}
