package codegen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"

	"hew/ir"
)

// Rows are scored in blocks whose keys and margins stay in the first-level
// cache. Measured with 500 trees of depth 6: blocks of 64 rows take 3 % more time,
// of 256 rows 3 % less, of 8 rows more than rows one by one.
const (
	maxBlockRows  = 128
	maxBlockWords = 8192 // keys or margins of a block; 32 kB on the stack
)

func (p *printer) blockRows(keys int) int {
	return max(1, min(maxBlockRows, maxBlockWords/max(keys*size(p.e.Input)/4, p.e.Outputs*size(p.e.Sum)/4, 1)))
}

// columnName names a value that splits test: a feature, or what is made of one.
func (p *printer) columnName(j int32) string {
	if p.e.Columns == nil {
		return p.e.Features[j].Name
	}
	c := &p.e.Columns[j]
	name := p.e.Features[c.Feature].Name
	if _, ops, ok := strings.Cut(c.String(), ", "); ok {
		name += " (" + ops + ")"
	}
	return name
}

// columnComment is columnName in text that goes through typed.
func (p *printer) columnComment(j int32) string {
	return strings.ReplaceAll(atSign(comment(p.columnName(j))), "$", "(dollar)")
}

// sum returns v rounded to the type of sums.
func (p *printer) sum(v float64) float64 {
	if p.e.Sum == ir.Single {
		return float64(float32(v))
	}
	return v
}

// mainFile returns the file that states the contract: shape, types, Predict and
// the given declarations, Margin first. Block is the number of rows in a block, or
// 0 if nothing asks for it, and note a paragraph of the documentation, or nothing.
func (p *printer) mainFile(note string, block int, declarations ...string) (File, error) {
	f := p.newFile()
	p.header(f)
	f.PackageComment(fmt.Sprintf("// Package %s predicts with %s.", p.o.Package, p.subject()))
	f.PackageComment("//\n// Its functions take rows one after the other in one slice, any number of them.\n" +
		"// A missing value is NaN, a categorical one its code. They allocate nothing, are\n" +
		"// safe for concurrent use and panic only if a length does not fit the shape.")
	for _, note := range []string{p.refusalNote(), note} {
		if note != "" {
			f.PackageComment("//\n" + note)
		}
	}
	f.Add(p.code(p.shapeText(block))).Line()
	f.Add(p.code(p.predictText()))
	for _, d := range declarations {
		f.Line().Add(p.code(d))
	}
	return render(p.fileName(".go"), f)
}

func (p *printer) header(f *jen.File) {
	lines := [][2]string{{"model", p.modelLine()}, {"objective", orNone(comment(p.e.Source.Objective))}, {"shape", p.shapeLine()}}
	if len(p.e.Answers) > 0 {
		lines = append(lines, [2]string{"answers", p.answersLine()})
	}
	lines = append(lines, [][2]string{
		{"passes", orNone(comment(strings.Join(p.o.Passes, ", ")))},
		{"strategy", p.strategyLine()},
		{"exact", p.exactLine()},
	}...)
	f.HeaderComment("//")
	for _, line := range lines {
		f.HeaderComment(fmt.Sprintf("// %-10s %s", line[0]+":", line[1]))
	}
}

// exactLine tells whether the bits are the trainer's and, if not, how far off a margin
// may be.
func (p *printer) exactLine() string {
	switch bound := p.e.Source.Bound; {
	case p.o.Exact:
		return "yes"
	case bound == nil:
		return "no"
	default:
		return fmt.Sprintf("no; margins are within %.3g of the trainer's on every row", slices.Max(bound))
	}
}

// modelLine tells where the model comes from.
func (p *printer) modelLine() string {
	s := &p.e.Source
	trainer := comment(strings.Join(strings.Fields(s.Trainer+" "+s.Version+" "+s.Container), " "))
	model := comment(s.File)
	if model == "" {
		model = "not from a file"
	}
	if trainer != "" {
		model += " (" + trainer + ")"
	}
	if s.SHA256 != "" {
		model += ", sha256 " + comment(s.SHA256)
	}
	return model
}

// shapeLine tells how large the model is.
func (p *printer) shapeLine() string {
	shape := count(len(p.e.Features), "feature") + ", "
	if p.e.Columns != nil {
		shape += count(len(p.e.Columns), "column") + " made of them, "
	}
	shape += count(p.e.Outputs, "output") + ", "
	if p.e.Linear != nil {
		return shape + "linear"
	}
	depth, leaves := 0, 0
	for i := range p.e.Trees {
		depth, leaves = max(depth, p.e.Trees[i].Depth()), leaves+p.e.Trees[i].NumLeaves()
	}
	return shape + fmt.Sprintf("%s, depth <= %d, %s", count(len(p.e.Trees), "tree"), depth, count(leaves, "leaf"))
}

// answersLine names the answers with their widths.
func (p *printer) answersLine() string {
	var list []string
	widths := answerWidths(p.e)
	for i, a := range p.e.Answers {
		list = append(list, fmt.Sprintf("%s (%d)", a.Name, widths[i]))
	}
	return comment(strings.Join(list, ", "))
}

// strategyLine names the strategy and says why it was chosen.
func (p *printer) strategyLine() string {
	if p.o.Why == "" {
		return p.strategy
	}
	return fmt.Sprintf("%s (%s)", p.strategy, p.o.Why)
}

// count returns a number with its noun.
func count(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case noun == "leaf":
		noun = "leave"
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// subject says what the package predicts with, for its documentation.
func (p *printer) subject() string {
	kind := "tree ensemble"
	switch {
	case p.e.Linear != nil:
		kind = "linear model"
	case len(p.e.Trees) == 0 && len(p.e.Post) > 0:
		kind = "model"
	}
	if name := comment(p.e.Source.File); name != "" {
		return fmt.Sprintf("the %s %s", kind, name)
	}
	return "a " + kind
}

func (p *printer) shapeText(block int) string {
	text := fmt.Sprintf(`// The shape of the model.
const (
	NumFeatures = %d // values in a row
	NumOutputs = %d // values of Predict for a row
	NumMargins = %d // values of Margin for a row
	NumTrees = %d // values of Leaf for a row
)

// Input is the type of a feature, the one in which the trainer compares.
type Input = $in

// Output is the type of a prediction, the one in which the trainer sums.
type Output = $out
`, len(p.e.Features), p.e.Width(), p.e.Outputs, len(p.o.Leaves.Trees))
	if block > 0 {
		text += fmt.Sprintf(`
// blockRows is the number of rows that are scored together.
const blockRows = %d
`, block)
	}
	return text
}

// predictText prints Predict for the kinds of links: none, one that maps each
// margin, one that maps the margins of a row in place, one value for a row.
func (p *printer) predictText() string {
	doc := `// Predict writes the predictions for the rows in x to dst: NumOutputs values for
// each NumFeatures values, row by row.
func Predict(dst []Output, x []Input) {
`
	if len(p.e.Answers) > 0 {
		return p.answersText(doc)
	}
	switch p.e.Link {
	case ir.Identity:
		return doc + "	Margin(dst, x)\n}\n"
	case ir.Argmax:
		return doc + `	rows := countRows(len(dst), NumOutputs, len(x))
	if rows == 1 {
		var m [NumMargins]$out
		Margin(m[:], x)
		dst[0] = link(&m)
		return
	}
	var m [blockRows * NumMargins]$out
	for i := 0; i < rows; i += blockRows {
		n := min(blockRows, rows-i)
		Margin(m[:n*NumMargins], x[i*NumFeatures:(i+n)*NumFeatures])
		for j := range n {
			dst[i+j] = link((*[NumMargins]$out)(m[j*NumMargins:]))
		}
	}
}
`
	case ir.Softmax, ir.Sort, ir.Gaps:
		return doc + `	Margin(dst, x)
	for ; len(dst) > 0; dst = dst[NumMargins:] {
		link((*[NumMargins]$out)(dst))
	}
}
`
	default:
		return doc + `	Margin(dst, x)
	for i, m := range dst {
		dst[i] = link(m)
	}
}
`
	}
}

// marginDoc begins Margin.
func (p *printer) marginDoc() string {
	text := `// Margin writes the margins of the rows in x to dst, the sums before the link:
// NumMargins values for each NumFeatures values, row by row.
func Margin(dst []Output, x []Input) {
`
	if len(p.e.Answers) > 0 {
		return strings.Replace(text, "the sums before the link", "what answers are made of", 1)
	}
	return text
}

// block returns the value of blockRows, or 0 if branch code does not need it.
func (p *printer) block(t *treePrinter) int {
	if n := p.blockRows(t.columns.len()); len(p.e.Trees) > 0 && n > 1 || p.e.Link == ir.Argmax {
		return n
	}
	return 0
}

// marginText prints Margin and what it calls.
func (p *printer) marginText(t *treePrinter, groups int) string {
	switch {
	case p.e.Linear != nil:
		return p.marginDoc() + p.linearText() + countRowsText(p.o.Package)
	case len(p.e.Trees) == 0:
		return p.marginDoc() + `	for i := range countRows(len(dst), NumMargins, len(x)) {
		copy(dst[i*NumMargins:], base[:])
	}
}
` + countRowsText(p.o.Package)
	}
	row, block := p.sumTexts(groups)
	if p.blockRows(t.columns.len()) == 1 {
		return p.marginDoc() + rowByRowText + p.marginRowText(t.columns.len()) + row + countRowsText(p.o.Package)
	}
	return p.marginDoc() + blocksText + p.marginRowText(t.columns.len()) + row + fmt.Sprintf(blockText, p.blockKeysText()) + block + countRowsText(p.o.Package)
}

// sumTexts prints how the margins of a row and of a block of rows are summed.
// Both keep the order of the trees for each row.
func (p *printer) sumTexts(groups int) (row, block string) {
	var rows, blocks strings.Builder
	for g := range groups {
		fmt.Fprintf(&rows, "	addRow%d(m, k)\n", g)
		fmt.Fprintf(&blocks, "	add%d(m, k)\n", g)
	}
	if p.e.BaseLast {
		return "	*m = [NumMargins]$out{}\n" + rows.String() + `	for j, b := range base {
		m[j] += b
	}
}
`, "	clear(m)\n" + blocks.String() + `	for i := range k {
		for j, b := range base {
			m[i*NumMargins+j] += b
		}
	}
}
`
	}
	return "	*m = base\n" + rows.String() + "}\n", `	for i := range k {
		copy(m[i*NumMargins:], base[:])
	}
` + blocks.String() + "}\n"
}

const rowByRowText = `	for i := range countRows(len(dst), NumMargins, len(x)) {
		marginRow((*[NumMargins]$out)(dst[i*NumMargins:]), (*[NumFeatures]$in)(x[i*NumFeatures:]))
	}
}
`

// blocksText is the rest of Margin. For a few rows, calls in a row are faster than
// the loops of a block.
const blocksText = `	rows := countRows(len(dst), NumMargins, len(x))
	for i := 0; i < rows; {
		if rows-i < 12 {
			marginRow((*[NumMargins]$out)(dst[i*NumMargins:]), (*[NumFeatures]$in)(x[i*NumFeatures:]))
			i++
			continue
		}
		n := min(blockRows, rows-i)
		marginBlock(dst[i*NumMargins:(i+n)*NumMargins], x[i*NumFeatures:(i+n)*NumFeatures])
		i += n
	}
}
`

// rowText begins marginRow; keys that are too many for the stack are pooled.
func (p *printer) marginRowText(keys int) string {
	head := `
func marginRow(m *[NumMargins]$out, x *[NumFeatures]$in) {
`
	x := "x"
	if p.e.Columns != nil {
		head += p.columnsMemory() + "	columns(c, x)\n"
		x = "c"
	}
	if keys*size(p.e.Input)/4 <= maxBlockWords {
		return head + "	k := new(keys) // on the stack\n	k.encode(" + x + ")\n"
	}
	return `
// keysPool holds the keys of a row, too many for the stack.
var keysPool = @sync.Pool{New: func() any { return new(keys) }}
` + head + `	k := keysPool.Get().(*keys)
	defer keysPool.Put(k)
	k.encode(` + x + `)
`
}

// blockText begins marginBlock. Tree by tree, the rows of a block share the code
// in the cache.
const blockText = `
// marginBlock scores up to blockRows rows, tree by tree, so that they share the
// code of a tree in the cache.
func marginBlock(m []$out, x []$in) {
	var block [blockRows]keys
	k := block[:len(x)/NumFeatures]
%s`

// blockKeysText makes the keys of a block.
func (p *printer) blockKeysText() string {
	if p.e.Columns == nil {
		return "	for i := range k {\n		k[i].encode((*[NumFeatures]$in)(x[i*NumFeatures:]))\n	}\n"
	}
	return p.columnsMemory() + "	for i := range k {\n		columns(c, (*[NumFeatures]$in)(x[i*NumFeatures:]))\n		k[i].encode(c)\n	}\n"
}

// linearText follows dmlc/xgboost:src/gbm/gblinear.cc, as ir.Linear states it.
func (p *printer) linearText() string {
	row := "x[i*NumFeatures : (i+1)*NumFeatures]"
	columns := ""
	if p.e.Columns != nil {
		row, columns = "c", "		columns(c, (*[NumFeatures]$in)(x[i*NumFeatures:]))\n"
	}
	product := "v * w"
	if p.e.Input != p.e.Sum {
		product = "$out(v) * w"
	}
	text := `	for i := range countRows(len(dst), NumMargins, len(x)) {
		m := dst[i*NumMargins : (i+1)*NumMargins]
		copy(m, base[:])
` + columns + `		for j, v := range ` + row + ` {
			if v != v { // missing
				continue
			}
			for k, w := range weights[j] {
				m[k] += $out(` + product + `) // rounded before the addition
			}
		}
	}
}
`
	if columns != "" {
		text = p.columnsMemory() + text
	}
	return text
}

// columnsMemory prints the memory c for the columns of a row: on the stack or, if they
// are too many, from a pool.
func (p *printer) columnsMemory() string {
	if !p.manyColumns() {
		return "	c := new([numColumns]$in)\n"
	}
	return "	c := rowPool.Get().(*[numColumns]$in)\n	defer rowPool.Put(c)\n"
}

// manyColumns reports whether the columns of a row are too many for the stack.
func (p *printer) manyColumns() bool {
	return len(p.e.Columns)*size(p.e.Input)/4 > maxBlockWords
}

func countRowsText(name string) string {
	return fmt.Sprintf(`
// countRows returns the number of rows in x; it panics unless dst has room for
// exactly width values for each.
func countRows(dst, width, x int) int {
	rows := x / NumFeatures
	if rows*NumFeatures != x {
		panic(@fmt.Sprintf("%s: %%d values in x, not a multiple of %%d", x, NumFeatures))
	}
	if dst != rows*width {
		panic(@fmt.Sprintf("%[1]s: %%d values in dst, not %%d × %%d for the rows in x", dst, rows, width))
	}
	return rows
}
`, name)
}

// baseText prints the base margins, the weights of a linear model and the
// numbers that have no literal.
func (p *printer) baseText(t *treePrinter) string {
	base := make([]float64, p.e.Outputs)
	for k, b := range p.e.BaseMargin {
		base[k] = b
		if p.e.Linear != nil {
			base[k] = p.sum(p.e.Linear.Bias[k] + b)
		} else if p.e.BaseLast && len(p.e.Trees) == 0 {
			base[k] += 0 // added to zero, -0 becomes +0
		}
	}
	var b strings.Builder
	b.WriteString("// base is where the margins of a row start" + map[bool]string{true: "; here it is added last"}[p.e.BaseLast] + ".\n")
	b.WriteString("var base = [NumMargins]$out{")
	special := t.uses.special
	for k, v := range base {
		if k > 0 && k%8 == 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s, ", number(v, p.e.Sum))
		special = special || isSpecial(v)
	}
	b.WriteString("}\n")
	if l := p.e.Linear; l != nil {
		noun := "feature"
		if p.e.Columns != nil {
			noun = "column"
		}
		fmt.Fprintf(&b, "\n// weights has a row for each %s.\nvar weights = [$cols][NumMargins]$out{\n", noun)
		for j := range p.e.NumColumns() {
			b.WriteByte('{')
			for k, w := range l.Weights[j*p.e.Outputs : (j+1)*p.e.Outputs] {
				if k > 0 {
					b.WriteString(", ")
				}
				b.WriteString(number(w, p.e.Sum))
				special = special || isSpecial(w)
			}
			fmt.Fprintf(&b, "}, // %s\n", p.columnComment(int32(j)))
		}
		b.WriteString("}\n")
	}
	if special {
		b.WriteString(specialText)
	}
	return b.String()
}

const specialText = `
// Numbers that have no literal.
var (
	inf = $out(@math.Inf(1))
	nan = $out(@math.NaN())
	negZero = $out(@math.Copysign(0, -1))
)
`
