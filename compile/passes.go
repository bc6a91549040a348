package compile

import (
	"fmt"
	"slices"

	"hew/fold"
	"hew/ir"
	"hew/prune"
)

// A pass rewrites an ensemble in place and leaves it well formed.
type pass struct {
	name   string // as in --print-after=name and in the report
	run    func(*ir.Ensemble) error
	exact  bool // margins and predictions keep their bits on every row
	merges bool // leaves, or removes them, if there are fewer nodes afterwards

	// applies reports whether the pass has to do with an ensemble at all; nil is
	// always.
	applies func(*ir.Ensemble) bool

	doc string // what it does, for --print-after=help
}

func kind(exact bool) string {
	if exact {
		return "exact"
	}
	return "lossy"
}

// passes is the pipeline, in the order in which it runs.
var passes = []pass{
	{name: "fold", run: fold.Fold, exact: true, applies: hasColumns, doc: "let splits test features in place of columns that a pipeline computes"},
	{name: "dead", run: prune.Dead, exact: true, doc: "remove the branches that no row reaches"},
	{name: "unused", run: prune.Unused, exact: true, applies: hasColumns, doc: "drop the columns that no split tests"},
	{name: "collapse", run: prune.Collapse, exact: true, merges: true, doc: "replace a split whose two sides are the same by one of them"},
	{name: "zero", run: prune.Zero, exact: true, merges: true, doc: "remove the trees that add nothing"},
	{name: "dedupe", run: prune.Dedupe, exact: true, doc: "let identical trees share one body, and leaves their vectors"},
}

func hasColumns(e *ir.Ensemble) bool { return e.Columns != nil }

// A constraint says that pass a runs before pass b. The constraints document
// and check the order of passes; they do not make it.
type constraint struct {
	a, b   string
	reason string
}

var passOrder = []constraint{
	{"fold", "dead", "what no row reaches is known once splits test the row itself"},
	{"dead", "collapse", "without its dead branches a side may turn out to be the same as the other; collapsing makes no branch dead"},
	{"dead", "unused", "a column may be tested in dead branches only"},
	{"dead", "zero", "a leaf that no row reaches may be all that a tree adds"},
	{"unused", "collapse", "leaf numbers come from the ensemble that had them all, which must have the same columns"},
	{"unused", "zero", "as with collapse, after which there are fewer leaf numbers"},
	{"collapse", "dedupe", "trees may turn out to be the same; and it rewrites nodes in place, of which none may be shared yet"},
	{"zero", "dedupe", "when sets go it rewrites nodes in place, of which none may be shared yet"},
}

func init() {
	if err := checkOrder(passes, passOrder); err != nil {
		panic(err)
	}
}

// checkOrder reports the first constraint that passes violates.
func checkOrder(passes []pass, order []constraint) error {
	place := make(map[string]int, len(passes))
	for i, p := range passes {
		if _, ok := place[p.name]; ok {
			return fmt.Errorf("pass %s is listed twice", p.name)
		}
		place[p.name] = i
	}
	for _, c := range order {
		a, okA := place[c.a]
		b, okB := place[c.b]
		switch {
		case !okA:
			return fmt.Errorf("order constraint names unknown pass %s", c.a)
		case !okB:
			return fmt.Errorf("order constraint names unknown pass %s", c.b)
		case a >= b:
			return fmt.Errorf("pass %s must run before %s: %s", c.a, c.b, c.reason)
		}
	}
	return nil
}

// but returns the passes that are not named in without.
func but(passes []pass, without []string) []pass {
	return slices.DeleteFunc(slices.Clone(passes), func(p pass) bool { return slices.Contains(without, p.name) })
}

// Doc says what the pass of the given name does; it is empty for a lossy pass.
func Doc(name string) string {
	for _, p := range passes {
		if p.name == name {
			return p.doc
		}
	}
	return ""
}
