package codegen

import (
	"fmt"
	"strings"

	"hew/ir"
)

// Columns are printed as functions of one number each, operation by operation. A
// column that is a feature as it stands has none.

// A columnPrinter prints the operations of columns.
type columnPrinter struct {
	*printer
	needs  map[string]bool // functions that are called
	text   strings.Builder
	tables strings.Builder
	table  int
}

// columnsOfRow returns the columns in front of trees and those that stages derive.
func columnsOfRow(e *ir.Ensemble) []*ir.Column {
	var all []*ir.Column
	for j := range e.Columns {
		all = append(all, &e.Columns[j])
	}
	for i := range e.Post {
		for j := range e.Post[i].Columns {
			all = append(all, &e.Post[i].Columns[j])
		}
	}
	return all
}

// all prints a function for each column, in the order of columnsOfRow.
func (c *columnPrinter) all() {
	for i, col := range columnsOfRow(c.e) {
		if len(col.Ops) == 0 {
			continue
		}
		fmt.Fprintf(&c.text, "// column%d is made of %s.\nfunc column%[1]d(v float64) float64 {\n", i, atSign(comment(c.e.Features[col.Feature].Name)))
		for j := range col.Ops {
			c.op(&col.Ops[j])
		}
		c.text.WriteString("	return v\n}\n\n")
	}
}

// columnValue returns the value of the column with a number, as float64, in terms of
// row x.
func columnValue(i int, c *ir.Column) string {
	if len(c.Ops) == 0 {
		return fmt.Sprintf("float64(x[%d])", c.Feature)
	}
	return fmt.Sprintf("column%d(float64(x[%d]))", i, c.Feature)
}

// columnFiles returns columns.go: what is computed from a row in front of trees or by
// stages.
func (p *printer) columnFiles() ([]File, error) {
	if len(columnsOfRow(p.e)) == 0 {
		return nil, nil
	}
	c := columnPrinter{printer: p, needs: map[string]bool{}}
	c.all()
	var b strings.Builder
	if p.e.Columns != nil {
		fmt.Fprintf(&b, "// numColumns is the number of values that trees see of a row.\nconst numColumns = %d\n\n"+
			"// columns computes what trees see of row x.\nfunc columns(dst *[numColumns]Input, x *[NumFeatures]Input) {\n", len(p.e.Columns))
		for j := range p.e.Columns {
			value := "Input(" + columnValue(j, &p.e.Columns[j]) + ")"
			if len(p.e.Columns[j].Ops) == 0 {
				value = fmt.Sprintf("x[%d]", p.e.Columns[j].Feature)
			}
			fmt.Fprintf(&b, "	dst[%d] = %s\n", j, value)
		}
		b.WriteString("}\n\n")
		if p.manyColumns() {
			b.WriteString("// rowPool holds the columns of a row, too many for the stack.\n" +
				"var rowPool = @sync.Pool{New: func() any { return new([numColumns]Input) }}\n\n")
		}
	}
	b.WriteString(c.text.String())
	for _, name := range columnHelperNames {
		if c.needs[name] {
			b.WriteString(columnHelpers[name])
		}
	}
	b.WriteString(c.tables.String())
	f := p.newFile()
	f.Add(code(b.String()))
	file, err := render("columns.go", f)
	files := []File{file}
	if len(p.e.Answers) == 0 { // else link.go brings them
		more, lerr := p.libmFiles(p.libmNames(map[string]bool{}))
		if files = append(files, more...); err == nil {
			err = lerr
		}
	}
	return files, err
}

// op prints an operation on v. Conversions keep products apart from sums.
func (c *columnPrinter) op(o *ir.Op) {
	a, b := number64(o.A), number64(o.B)
	switch o.Code {
	case ir.OpRound:
		c.line("v = float64(float32(v))")
	case ir.OpAdd:
		c.line("v += %s", a)
	case ir.OpSub:
		c.line("v -= %s", a)
	case ir.OpMul:
		c.line("v = float64(v * %s)", a)
	case ir.OpDiv:
		c.line("v /= %s", a)
	case ir.OpClip:
		c.line("if v < %s {\nv = %[1]s\n} else if v > %s {\nv = %[2]s\n}", a, b)
	case ir.OpFill:
		c.line("if v != v {\nv = %s\n}", a)
	case ir.OpReplace:
		c.line("if v == %s {\nv = %s\n}", a, b)
	case ir.OpIsMissing:
		c.needs["columnTruth"] = true
		c.line("v = columnTruth(v != v)")
	case ir.OpEqual:
		c.needs["columnTruth"] = true
		c.line("v = columnTruth(v == %s)", a)
	case ir.OpIn:
		c.needs["columnTruth"], c.needs["columnFind"] = true, true
		c.line("v = columnTruth(columnFind(%s[:], v) >= 0)", c.numbers(o.Keys))
	case ir.OpLookup:
		c.needs["columnFind"], c.needs["columnLookup"] = true, true
		c.line("v = columnLookup(v, %s[:], %s[:], %s, %s)", c.numbers(o.Keys), c.numbers(o.Values), a, b)
	case ir.OpBin:
		c.needs["columnBin"], c.needs["columnAbove"] = true, true
		c.line("v = columnBin(v, %s[:])", c.numbers(o.Keys))
	default:
		c.curve(o, a, b)
	}
}

func (c *columnPrinter) curve(o *ir.Op, a, b string) {
	need := func(names ...string) {
		for _, n := range names {
			c.needs[n] = true
		}
	}
	switch o.Code {
	case ir.OpInterp:
		need("columnInterp", "columnAbove")
		c.line("v = columnInterp(v, %s[:], %s[:], 1)", c.numbers(o.Keys), c.numbers(o.Values))
	case ir.OpQuantile:
		need("columnQuantile", "columnInterp", "columnAbove")
		keys, values := c.numbers(o.Keys), c.numbers(o.Values)
		c.line("v = columnQuantile(v, %s[:], %s[:], %v)", keys, values, o.A != 0)
		if o.A != 0 {
			need("ndtri", "columnNormal")
			c.line("v = columnNormal(v)")
		}
	case ir.OpYeoJohnson:
		need("columnYeoJohnson", "expm1", "log1p", "pow")
		c.line("v = columnYeoJohnson(%s, %v, v)", a, o.B != 0)
	case ir.OpBoxCox:
		need("columnBoxCox", "expm1", "log", "pow")
		c.line("v = columnBoxCox(%s, v)", a)
	case ir.OpCall:
		c.call(ir.Func(o.A))
	}
}

// calls are NumPy's functions as Go text, with the functions of package libm that
// they call.
var calls = map[ir.Func][2]string{
	ir.FuncLog: {"log(v)", "log"}, ir.FuncLog1p: {"log1p(v)", "log1p"}, ir.FuncLog2: {"log2(v)", "log2"},
	ir.FuncLog10: {"log10(v)", "log10"}, ir.FuncExp: {"exp(v)", "exp"}, ir.FuncExpm1: {"expm1(v)", "expm1"},
	ir.FuncSqrt: {"@math.Sqrt(v)"}, ir.FuncCbrt: {"cbrt(v)", "cbrt"}, ir.FuncSquare: {"float64(v * v)"}, ir.FuncAbs: {"@math.Abs(v)"},
	ir.FuncNegative: {"-v"}, ir.FuncReciprocal: {"1 / v"}, ir.FuncSign: {"columnSign(v)", "columnSign"},
	ir.FuncFloor: {"@math.Floor(v)"}, ir.FuncCeil: {"@math.Ceil(v)"}, ir.FuncRint: {"@math.RoundToEven(v)"}, ir.FuncTanh: {"tanh(v)", "tanh"},
}

func (c *columnPrinter) call(f ir.Func) {
	c.needs[calls[f][1]] = true
	c.line("v = %s", calls[f][0])
}

func (c *columnPrinter) line(format string, args ...any) {
	fmt.Fprintf(&c.text, "	"+format+"\n", args...)
}

// numbers returns the name of a table.
func (c *columnPrinter) numbers(v []float64) string {
	c.table++
	name := fmt.Sprintf("numbers%d", c.table)
	c.tables.WriteString(tableText(name, "constants of a column", v))
	return name
}

// columnHelperNames is the order in which the functions of columns are printed.
var columnHelperNames = []string{"columnTruth", "columnSign", "columnFind", "columnLookup", "columnAbove", "columnBin", "columnInterp",
	"columnQuantile", "columnNormal", "columnYeoJohnson", "columnBoxCox"}

// columnHelpers are the functions that columns call; package interp defines them.
var columnHelpers = map[string]string{
	"columnTruth": `
// columnTruth returns 1 if b, else 0.
func columnTruth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
`,
	"columnSign": `
// columnSign returns the sign of v.
func columnSign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return v + 0
}
`,
	"columnFind": `
// columnFind returns the index of v in keys, which ascend, or -1.
func columnFind(keys []float64, v float64) int {
	lo, hi := 0, len(keys)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); keys[mid] < v {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(keys) && keys[lo] == v {
		return lo
	}
	return -1
}
`,
	"columnLookup": `
// columnLookup returns the value of key v, or those of other and of missing ones.
func columnLookup(v float64, keys, values []float64, other, missing float64) float64 {
	if v != v {
		return missing
	}
	if i := columnFind(keys, v); i >= 0 {
		return values[i]
	}
	return other
}
`,
	"columnAbove": `
// columnAbove returns the index of the first of keys above v.
func columnAbove(keys []float64, v float64) int {
	lo, hi := 0, len(keys)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); keys[mid] > v {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}
`,
	"columnBin": `
// columnBin returns the number of edges up to v.
func columnBin(v float64, edges []float64) float64 {
	if v != v {
		return v
	}
	return float64(columnAbove(edges, v))
}
`,
	"columnInterp": `
// columnInterp is numpy.interp or, with sign -1, that of -v among the negated and
// reversed keys and values, negated again.
func columnInterp(v float64, keys, values []float64, sign float64) float64 {
	n := len(keys)
	key := func(i int) float64 { return keys[i] }
	value := func(i int) float64 { return values[i] }
	j := 0
	if sign < 0 {
		v = -v
		key = func(i int) float64 { return -keys[n-1-i] }
		value = func(i int) float64 { return -values[n-1-i] }
		for hi := n; j < hi; {
			if mid := int(uint(j+hi) >> 1); key(mid) > v {
				hi = mid
			} else {
				j = mid + 1
			}
		}
	} else {
		j = columnAbove(keys, v)
	}
	j--
	switch {
	case v != v:
		return v
	case j < 0:
		return sign * value(0)
	case j == n-1:
		return sign * value(n-1)
	case key(j) == v:
		return sign * value(j)
	}
	slope := (value(j+1) - value(j)) / (key(j+1) - key(j))
	y := float64(slope*(v-key(j))) + value(j)
	if y != y {
		y = float64(slope*(v-key(j+1))) + value(j+1)
		if y != y && value(j) == value(j+1) {
			y = value(j)
		}
	}
	return sign * y
}
`,
	"columnQuantile": `
// columnQuantile returns the share of the training rows below v.
func columnQuantile(v float64, keys, values []float64, normal bool) float64 {
	const threshold = 1e-7
	low, high := keys[0], keys[len(keys)-1]
	y := float64(0.5 * (columnInterp(v, keys, values, 1) + columnInterp(v, keys, values, -1)))
	switch {
	case normal && v-threshold < low, !normal && v == low:
		return 0
	case normal && v+threshold > high, !normal && v == high:
		return 1
	}
	return y
}
`,
	"columnNormal": `
// columnNormal returns the quantile of the normal distribution, within bounds.
func columnNormal(v float64) float64 {
	low, high := ndtri(1e-7-0x1p-52), ndtri(1-(1e-7-0x1p-52))
	y := ndtri(v)
	switch {
	case y < low:
		return low
	case y > high:
		return high
	}
	return y
}
`,
	"columnYeoJohnson": `
// columnYeoJohnson is the transform of Yeo and Johnson.
func columnYeoJohnson(lambda float64, stable bool, v float64) float64 {
	const eps = 0x1p-52
	power := func(v, l float64) float64 {
		if stable {
			return expm1(float64(l*log1p(v))) / l
		}
		return (pow(v+1, l) - 1) / l
	}
	switch {
	case v >= 0 && @math.Abs(lambda) < eps:
		return log1p(v)
	case v >= 0:
		return power(v, lambda)
	case v != v:
		return v
	case @math.Abs(lambda-2) > eps:
		return -power(-v, 2-lambda)
	default:
		return -log1p(-v)
	}
}
`,
	"columnBoxCox": `
// columnBoxCox is the transform of Box and Cox.
func columnBoxCox(lambda, v float64) float64 {
	if @math.Abs(lambda) < 1e-19 {
		return log(v)
	}
	if product := float64(lambda * log(v)); product < 709.78 {
		return expm1(product) / lambda
	}
	return (pow(v, lambda) - 1) / lambda
}
`,
}
