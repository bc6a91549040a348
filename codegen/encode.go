package codegen

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"hew/ir"
)

// Trees compare integers instead of floats: a row is first translated to keys
// that are in the order of the numbers. An integer comparison has its constant
// in the instruction and folds the load of the value; with 500 trees of depth 6
// that took 0.74 of the time of float comparisons and 0.7 of the code. Missing
// values cost nothing in a tree: a missing value has the largest key, and goes
// right, or the smallest, and goes left. A feature whose splits disagree has two
// keys.

// minPlainShare is the share of the features that must be used for the keys of a
// row to begin with all features in order, used or not: a reader then finds
// feature 7 in x[7]. With fewer, translating those that nobody asks for would cost
// more than the trees of a small model. With more it costs nothing: a key out of a
// list of features takes 1.8 ns, one in a row of all of them 1.5 (28 features, AMD
// Zen 4), so that to leave out less than a fifth is slower.
const minPlainShare = 0.8

// columns are the keys of a row: first those with missing values above all
// numbers, then those with missing values below. They hold feature numbers.
type columns struct {
	above, below []int32
	index        [2]map[int32]int // of a feature, by whether it is below
}

// columnsOf returns the keys that the trees of e need.
func columnsOf(e *ir.Ensemble) *columns {
	used := [2][]bool{make([]bool, e.NumColumns()), make([]bool, e.NumColumns())}
	seen := [2]bool{}
	for i := range e.Trees {
		for j := range e.Trees[i].Nodes {
			if n := &e.Trees[i].Nodes[j]; !n.IsLeaf() {
				b := bit(splitOf(e, n).below)
				used[b][n.Feature], seen[b] = true, true
			}
		}
	}
	c := &columns{}
	for b := range used {
		first := seen[b] && (b == 0 || !seen[0])
		plain := first && share(used[b]) >= minPlainShare
		var list []int32
		for j, u := range used[b] {
			if u || plain {
				list = append(list, int32(j))
			}
		}
		c.index[b] = make(map[int32]int, len(list))
		for i, j := range list {
			c.index[b][j] = len(c.above) + i
		}
		if b == 0 {
			c.above = list
		} else {
			c.below = list
		}
	}
	return c
}

// share returns the share of the values that are true.
func share(values []bool) float64 {
	n := 0
	for _, v := range values {
		n += bit(v)
	}
	return float64(n) / float64(len(values))
}

func (c *columns) len() int { return len(c.above) + len(c.below) }

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// keysFile returns keys.go: the translation of a row to keys, and what trees
// call.
func (t *treePrinter) keysFile() (File, error) {
	f := t.newFile()
	f.Add(t.code(t.keysText())).Line()
	if t.columns.len() > 0 {
		f.Add(t.code(t.keyText())).Line()
	}
	if t.uses.pick {
		f.Add(t.code(pickText)).Line()
	}
	if t.uses.pickRow {
		f.Add(code(pickRowText)).Line()
	}
	if len(t.uses.sets) > 0 {
		f.Add(t.code(inText)).Line()
		for i, s := range t.uses.sets {
			f.Add(t.code(t.setText(i, s))).Line()
		}
	}
	return render("keys.go", f)
}

// keysText prints the type keys and its encoding from a row.
func (t *treePrinter) keysText() string {
	c := t.columns
	var b strings.Builder
	b.WriteString(`// keys are the values of a row as integers in the same order, so that trees
// compare integers, which is faster. A missing value has an extreme key.
type keys [numKeys]$key

`)
	fmt.Fprintf(&b, "const numKeys = %d", c.len())
	b.WriteString("\n\n// encode sets k to the keys of row x.\nfunc (k *keys) encode(x *[$cols]$in) {\n")
	b.WriteString(t.encodeText("above", c.above, 0) + t.encodeText("below", c.below, len(c.above)))
	b.WriteString("}\n")
	b.WriteString(t.columnText("above", c.above, "right") + t.columnText("below", c.below, "left"))
	return b.String()
}

func (t *treePrinter) encodeText(name string, features []int32, offset int) string {
	if len(features) == 0 {
		return ""
	}
	// The NaNs of one sign are where they should be.
	outside := map[string]string{
		"above": "if k[%[1]s] < keyNegInf {\nk[%[1]s] = 1<<%[2]d - 1 // missing, above all numbers\n}\n",
		"below": "if k[%[1]s] > keyInf {\nk[%[1]s] = -1 << %[2]d // missing, below all numbers\n}\n",
	}[name]
	at := "i"
	if offset > 0 {
		at = fmt.Sprintf("%d+i", offset)
	}
	head := "for i, v := range x {\n"
	if len(features) < t.e.NumColumns() {
		head = fmt.Sprintf("for i, j := range %s {\nv := x[j]\n", name)
	}
	return head + "k[" + at + "] = key(v)\n" + fmt.Sprintf(outside, at, t.keyBits()) + "}\n"
}

// columnText prints the features that keys stand for, unless they are all.
func (t *treePrinter) columnText(name string, features []int32, side string) string {
	if len(features) == 0 || len(features) == t.e.NumColumns() {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n// %s lists the features with splits that send a missing value to the %s.\n", name, side)
	fmt.Fprintf(&b, "var %s = [...]uint32{", name)
	for i, j := range features {
		if i > 0 {
			b.WriteString([2]string{",\n", ", "}[min(i%16, 1)])
		}
		fmt.Fprint(&b, j)
	}
	b.WriteString("}\n")
	return b.String()
}

// keyBits returns the number of bits of a key's magnitude.
func (p *printer) keyBits() int {
	if p.e.Input == ir.Double {
		return 63
	}
	return 31
}

func (p *printer) keyText() string {
	return fmt.Sprintf(`// The keys of the infinities.
const (
	keyInf = %#[1]x
	keyNegInf = -%#[1]x
)

// key returns the key of t: the bits of a float are a sign and a magnitude, in
// the order of the numbers. A NaN is beyond the infinity of its sign.
func key(t $in) $key {
	b := $key(@math.$Finbits(t))
	sign := b >> %[2]d
	return (b&(1<<%[2]d-1) ^ sign) - sign
}
`, keyOf(math.Inf(1), p.e.Input), p.keyBits())
}

const pickText = `// pick returns a if first, else b. It is compiled to a conditional move: where
// a branch would often be guessed wrong, taking both sides is cheaper.
func pick(first bool, a, b $out) $out {
	u, v := @math.$Foutbits(a), @math.$Foutbits(b)
	if first {
		v = u
	}
	return @math.$Foutfrombits(v)
}
`

const pickRowText = `// pickRow returns a if first, else b. It is compiled to a conditional move: where
// a branch would often be guessed wrong, taking both sides is cheaper.
func pickRow(first bool, a, b int32) int32 {
	if first {
		b = a
	}
	return b
}
`

const inText = `// in reports whether k lies in one of the intervals from an even bound up to the
// odd one after it.
func in(bounds []$key, k $key) bool {
	lo, hi := 0, len(bounds)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); bounds[mid] <= k {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo%2 == 1
}
`

// setText prints the bounds of a set as keys, an interval a line, with the
// numbers as a comment.
func (p *printer) setText(i int, s ir.Set) string {
	keyOf := func(v float64) int64 { return keyOf(v, p.e.Input) }
	digits := func(v float64) string { return digits(v, p.e.Input) }
	var b strings.Builder
	fmt.Fprintf(&b, "var set%d = [...]$key{\n", i)
	for pair := range slices.Chunk(s, 2) {
		if len(pair) == 1 {
			fmt.Fprintf(&b, "%#x, // from %s\n", keyOf(pair[0]), digits(pair[0]))
			continue
		}
		fmt.Fprintf(&b, "%#x, %#x, // from %s, below %s\n", keyOf(pair[0]), keyOf(pair[1]), digits(pair[0]), digits(pair[1]))
	}
	b.WriteString("}\n")
	return b.String()
}
