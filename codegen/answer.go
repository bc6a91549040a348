package codegen

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hew/ir"
)

// Rows are scored in two steps: Margin, then the answer of each row from its margins.
// Between the steps, margins stand where the answers will, if these are at least as
// many: from the last row to the first, no answer covers margins that are still
// needed. Other answers, and labels, need memory, which is pooled: blocks that are
// large enough for an engine to share among goroutines.

// poolNumbers is the number of values in a block of memory.
const poolNumbers = 1 << 15

// answersText prints Predict, the functions of the further answers, and AnswerFrom.
func (p *printer) answersText(predictDoc string) string {
	indices := ""
	if p.e.Answers[0].Labels != nil {
		indices = ", indices into Meta.Answers[0].Labels,\n//"
	}
	var b strings.Builder
	b.WriteString(strings.Replace(predictDoc, "the predictions for the rows in x to dst: NumOutputs values for\n// each",
		fmt.Sprintf("answer %s%s for the rows in x to dst: NumOutputs values\n// for each", comment(p.e.Answers[0].Name), indices), 1))
	b.WriteString("	answer(0, dst, NumOutputs, x)\n}\n")
	widths := answerWidths(p.e)
	pool := slices.Min(widths) < p.e.Outputs
	for i, name := range p.answerNames() {
		if i == 0 {
			continue
		}
		values := count(widths[i], "value")
		if a := &p.e.Answers[i]; a.Labels != nil {
			pool = true
			fmt.Fprintf(&b, labelText, name, widths[i], i, values)
		} else {
			fmt.Fprintf(&b, answerText, name, widths[i], i, comment(a.Name), values)
		}
	}
	rows := ""
	if slices.Min(widths) < p.e.Outputs {
		rows = pooledAnswerText
	}
	fmt.Fprintf(&b, answerRowsText, rows)
	if pool {
		fmt.Fprintf(&b, numbersPoolText, max(poolNumbers, p.e.Outputs, slices.Max(widths)))
	}
	return b.String() + p.answerFromText()
}

// answerNames returns the names of the functions of answers.
func (p *printer) answerNames() []string {
	taken := namer{}
	taken.reserve(packageNames...)
	names := []string{"Predict"}
	for i, a := range p.e.Answers {
		if i > 0 {
			names = append(names, taken.exported(a.Name, fmt.Sprintf("Answer%d", i)))
		}
	}
	return names
}

const answerText = `
// %[1]s writes answer %[4]s for the rows in x to dst: %[5]s for each
// NumFeatures values.
func %[1]s(dst []Output, x []Input) { answer(%[3]d, dst, %[2]d, x) }
`

const labelText = `
// %[1]s writes classes for the rows in x to dst, as indices into
// Meta.Answers[%[3]d].Labels: %[4]s for each NumFeatures values.
func %[1]s(dst []int32, x []Input) {
	const width, block = %[2]d, poolNumbers / %[2]d
	rows := countRows(len(dst), width, len(x))
	v := numbersPool.Get().(*[poolNumbers]Output)
	defer numbersPool.Put(v)
	for i := 0; i < rows; i += block {
		n := min(block, rows-i)
		answer(%[3]d, v[:n*width], width, x[i*NumFeatures:(i+n)*NumFeatures])
		for j, class := range v[:n*width] {
			dst[i*width+j] = int32(class)
		}
	}
}
`

const answerRowsText = `
// answer writes answer i, width values for each row in x.
func answer(i int, dst []Output, width int, x []Input) {
	rows := countRows(len(dst), width, len(x))
%s	m := dst[:rows*NumMargins]
	Margin(m, x)
	AnswerFrom(i, dst, m, x)
}
`

// pooledAnswerText serves answers that are fewer than the margins.
const pooledAnswerText = `	if width < NumMargins {
		const block = poolNumbers / NumMargins
		m := numbersPool.Get().(*[poolNumbers]Output)
		defer numbersPool.Put(m)
		for r := 0; r < rows; r += block {
			n := min(block, rows-r)
			x := x[r*NumFeatures : (r+n)*NumFeatures]
			Margin(m[:n*NumMargins], x)
			AnswerFrom(i, dst[r*width:(r+n)*width], m[:n*NumMargins], x)
		}
		return
	}
`

const numbersPoolText = `
const poolNumbers = %d

// numbersPool holds memory for margins and classes of many rows.
var numbersPool = @sync.Pool{New: func() any { return new([poolNumbers]Output) }}
`

// answerFromText prints AnswerFrom.
func (p *printer) answerFromText() string {
	x, row := "x is not read and may be nil", "nil"
	if p.e.NeedsRow() {
		x, row = "x holds the rows", "(*[NumFeatures]Input)(x[r*NumFeatures:])"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `
// AnswerFrom writes answer i, of those in Meta.Answers, for rows whose margins are
// known, which may be the first values of dst; %s.
func AnswerFrom(i int, dst, margins []Output, x []Input) {
	rows := len(margins) / NumMargins
	switch i {
`, x)
	for i, w := range answerWidths(p.e) {
		text := answerForwardsText
		if w >= p.e.Outputs {
			text = answerBackwardsText
		}
		fmt.Fprintf(&b, text, i, w, row)
	}
	fmt.Fprintf(&b, "	default:\n		panic(\"%s: there is no such answer\")\n	}\n}\n", p.o.Package)
	return b.String()
}

const answerForwardsText = `	case %[1]d:
		dst = dst[:rows*%[2]d]
		for r := range rows {
			answer%[1]d((*[%[2]d]Output)(dst[r*%[2]d:]), (*[NumMargins]Output)(margins[r*NumMargins:]), %[3]s)
		}
`

const answerBackwardsText = `	case %[1]d:
		dst = dst[:rows*%[2]d]
		for r := rows - 1; r >= 0; r-- { // dst may begin with margins of the rows before
			m := [NumMargins]Output(margins[r*NumMargins:])
			answer%[1]d((*[%[2]d]Output)(dst[r*%[2]d:]), &m, %[3]s)
		}
`

// answerFiles returns link.go: a function for each answer, and what they call.
func (p *printer) answerFiles() ([]File, error) {
	s := stagePrinter{printer: p, needs: map[string]bool{}, names: map[*ir.Stage]string{}}
	var b strings.Builder
	for i := range p.e.Answers {
		b.WriteString(s.answer(i) + "\n")
	}
	for _, name := range stageHelperNames {
		if s.needs[name] {
			b.WriteString(stageHelpers[name] + "\n")
		}
	}
	b.WriteString(s.tables.String())
	f := p.newFile()
	f.Add(p.code(b.String()))
	file, err := render("link.go", f)
	libm, lerr := p.libmFiles(p.libmNames(s.needs))
	return append([]File{file}, libm...), errors.Join(err, lerr)
}

// libmCalls are the float64 functions of package libm, and for each the other one that
// it calls.
var libmCalls = map[string]string{
	"cbrt": "", "exp": "", "expm1": "", "log": "", "log10": "log", "log1p": "", "log2": "", "ndtri": "log", "pow": "exp", "tanh": "expm1",
}

// libmNames returns the functions of package libm that answers and columns call.
func (p *printer) libmNames(needs map[string]bool) []string {
	c := columnPrinter{printer: p, needs: needs}
	c.all()
	for name, other := range libmCalls {
		if needs[name] {
			needs[other] = true
		}
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(libmCalls)), func(name string) bool { return !needs[name] })
}

// A stagePrinter prints the stages of answers as functions of one row.
type stagePrinter struct {
	*printer
	needs  map[string]bool      // functions that are called
	names  map[*ir.Stage]string // of tables
	tables strings.Builder
	text   strings.Builder
}

// answer prints the function of answer i.
func (s *stagePrinter) answer(i int) string {
	a := &s.e.Answers[i]
	s.text.Reset()
	margins := "v0"
	if s.e.Sum == ir.Single && a.Vector > 0 {
		margins = "m"
		s.printf("	var v0 [NumMargins]float64\n	for k, v := range m {\n		v0[k] = float64(v)\n	}\n")
	}
	x := "_"
	for _, j := range stagesOf(s.e, a.Vector) {
		if s.e.Post[j].Code == ir.StageDerive {
			x = "x"
		}
		s.stage(j)
	}
	switch {
	case a.Vector == 0:
		s.printf("	*dst = *v0\n")
	case s.e.Sum == ir.Single:
		s.printf("	for k, v := range &v%d {\n		dst[k] = Output(v)\n	}\n", a.Vector)
	default:
		s.printf("	*dst = v%d\n", a.Vector)
	}
	return fmt.Sprintf("// answer%d is %s.\nfunc answer%[1]d(dst *[%[3]d]Output, %[6]s *[NumMargins]Output, %[4]s *[NumFeatures]Input) {\n%[5]s}\n",
		i, comment(a.Name), s.e.VectorWidth(a.Vector), x, s.text.String(), margins)
}

// stagesOf returns the stages that a vector needs, in order.
func stagesOf(e *ir.Ensemble, v int32) []int {
	used := make([]bool, len(e.Post)+1)
	used[v] = true
	var list []int
	for i := len(e.Post) - 1; i >= 0; i-- {
		if !used[i+1] {
			continue
		}
		list = append(list, i)
		for _, a := range e.Post[i].Args {
			used[a] = true
		}
	}
	slices.Reverse(list)
	return list
}

func (s *stagePrinter) printf(format string, args ...any) { fmt.Fprintf(&s.text, format, args...) }

// stage prints a stage: a variable, and what is done to it.
func (s *stagePrinter) stage(i int) {
	p := &s.e.Post[i]
	out := fmt.Sprintf("v%d", i+1)
	s.printf("	var %s [%d]float64\n", out, p.Width)
	if p.Code == ir.StageDerive {
		for j := range p.Columns {
			s.printf("	%s[%d] = %s\n", out, j, columnValue(s.firstColumn(i)+j, &p.Columns[j]))
		}
		return
	}
	in := fmt.Sprintf("v%d", p.Args[0])
	if len(p.Args) > 1 {
		in = fmt.Sprintf("a%d", i+1)
		s.printf("	var %s [%d]float64\n", in, s.argsWidth(p))
		at := 0
		for _, a := range p.Args {
			s.printf("	copy(%s[%d:], v%d[:])\n", in, at, a)
			at += s.e.VectorWidth(a)
		}
	}
	s.body(p, out, in)
}

// firstColumn returns the number of the first column that stage i derives.
func (s *stagePrinter) firstColumn(i int) int {
	n := len(s.e.Columns)
	for j := range s.e.Post[:i] {
		n += len(s.e.Post[j].Columns)
	}
	return n
}

func (s *stagePrinter) argsWidth(p *ir.Stage) int {
	n := 0
	for _, a := range p.Args {
		n += s.e.VectorWidth(a)
	}
	return n
}

// body prints what a stage makes of its arguments, in.
func (s *stagePrinter) body(p *ir.Stage, out, in string) {
	each := func(format string, args ...any) {
		s.printf("	for k, v := range %s[:] {\n		%s[k] = %s\n	}\n", in, out, fmt.Sprintf(format, args...))
	}
	call := func(name, args string) {
		s.needs[name] = true
		s.printf("	%s(%s[:], %s[:]%s)\n", name, out, in, args)
	}
	a := number64(p.A)
	switch p.Code {
	case ir.StageConcat:
		each("v")
	case ir.StageSelect:
		if len(p.Weights) > maxSelected {
			call("choose", ", "+s.weights(p)+"[:]")
			break
		}
		for k, w := range p.Weights {
			s.printf("	%s[%d] = %s[%d]\n", out, k, in, int(w))
		}
	case ir.StageDivide:
		each("v / %s", a)
	case ir.StageMultiply:
		each("float64(v * %s)", a)
	case ir.StageSubtract:
		each("v - %s", a)
	case ir.StageNegate:
		each("-v")
	case ir.StageExpit:
		s.needs["exp"] = true
		if p.A == 1 {
			each("1 / (1 + exp(-v))")
		} else {
			each("1 / (1 + exp(-float64(v * %s)))", a)
		}
	case ir.StageExp:
		s.needs["exp"] = true
		each("exp(v)")
	case ir.StageAnomaly:
		s.needs["pow"] = true
		each("-pow(2, -v/%s)", a)
	case ir.StagePositive:
		s.needs["truth"] = true
		each("truth(v > %s)", a)
	case ir.StageNotNegative:
		s.needs["truth"] = true
		each("truth(v >= %s)", a)
	case ir.StageClip:
		each("(min(max(v, -1), 1) + 1) / 2")
	case ir.StageDifference:
		s.printf("	%s[0] = %s[1] - %[2]s[0]\n", out, in)
	case ir.StageComplement:
		s.printf("	%s[0], %[1]s[1] = 1-%s[0], %[2]s[0]\n", out, in)
	case ir.StageHalves:
		s.printf("	%s[0], %[1]s[1] = -%s[0]/2, %[2]s[0]/2\n", out, in)
	case ir.StageSoftmax:
		s.needs["exp"], s.needs["pairwise"] = true, true
		call("softmax", fmt.Sprintf(", %v", p.A != 0))
	case ir.StageSoftmaxLog:
		s.needs["exp"], s.needs["log"], s.needs["pairwise"] = true, true, true
		call("softmaxLog", fmt.Sprintf(", %v", p.A != 0))
	case ir.StageNormalize:
		s.needs["pairwise"] = true
		call("normalize", ", "+a)
	case ir.StageAffine:
		call("affine", ", "+s.weights(p)+"[:]")
	case ir.StageMean, ir.StageMeanAll:
		weights, scale := "nil", a
		if p.Code == ir.StageMean {
			weights, scale = s.weights(p)+"[:]", number64(pairwiseSum(p.Weights))
		}
		call("mean", ", "+weights+", "+scale)
	case ir.StageMedian:
		s.printf("	var order%s [%d]int32\n", out, len(p.Weights))
		call("median", ", "+s.weights(p)+"[:], order"+out+"[:]")
	case ir.StageVotes:
		call("votes", ", "+s.weights(p)+"[:], "+a)
	case ir.StageFirst:
		call("first", "")
	}
}

// maxSelected is the number of numbers up to which a selection is spelled out.
const maxSelected = 16

// weights returns the name of the table of a stage's weights, which answers share.
func (s *stagePrinter) weights(p *ir.Stage) string {
	name, ok := s.names[p]
	if !ok {
		name = fmt.Sprintf("weights%d", len(s.names)+1)
		s.names[p] = name
		s.tables.WriteString(tableText(name, "the constants of a stage", p.Weights))
	}
	return name
}

// tableText prints a table of numbers.
func tableText(name, what string, values []float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n// %s are %s.\nvar %[1]s = [...]float64{", name, what)
	for i, v := range values {
		if i%8 == 0 {
			b.WriteByte('\n')
		}
		b.WriteString(number64(v) + ", ")
	}
	b.WriteString("\n}\n")
	return b.String()
}
