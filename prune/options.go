package prune

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"hew/internal/lossy"
	"hew/internal/nearest"
	"hew/ir"
)

// Options say which lossy passes to run. The zero value is none.
type Options struct {
	Truncate     int     // boosting rounds to keep, or BestRound; 0 for all
	Trees        Count   // trees to drop: those that the loss on the rows misses least
	MinCover     float64 // least training weight on each side of a split; 0 for any
	Epsilon      float64 // leaves that differ by no more become one; 0 for none
	ReducedError bool    // whether subtrees that do not lower the loss on the rows become leaves
	Refit        float64 // ridge penalty of leaf values fitted to the rows; 0 to keep them
}

// BestRound as Options.Truncate keeps the rounds up to the best one.
const BestRound = -1

// A Count is a number of things, or a percentage of all of them.
type Count struct {
	N       int
	Percent float64
}

// of returns the number that c is of all things.
func (c Count) of(all int) int { return c.N + int(c.Percent*float64(all)/100) }

func (c Count) String() string {
	if c.Percent > 0 {
		return strconv.FormatFloat(c.Percent, 'g', -1, 64) + "%"
	}
	return strconv.Itoa(c.N)
}

// A key is one of the words that options are written with, and the pass that it asks for.
type key struct {
	name  string
	form  string // of its value, for errors; empty for a key without one
	read  func(o *Options, value string) bool
	text  func(o *Options) string // the value in canonical form
	asked func(o *Options) bool

	doc       string
	needsRows bool
	run       func(o Options, e *ir.Ensemble, d *lossy.Data) (lossy.Change, error)
}

// keys are in the order in which the passes run: what is dropped need not be pruned, and
// values are fitted once it is known which leaves there are.
var keys = []key{
	{
		name: "truncate", form: "best or a number of rounds",
		read:  func(o *Options, v string) bool { return readRounds(&o.Truncate, v) },
		text:  func(o *Options) string { return roundsText(o.Truncate) },
		asked: func(o *Options) bool { return o.Truncate != 0 },
		doc:   "keep the first boosting rounds",
		run: func(o Options, e *ir.Ensemble, _ *lossy.Data) (lossy.Change, error) {
			return truncate(e, o.rounds(e))
		},
	},
	{
		name: "trees", form: "a number of trees, or a percentage below 100%",
		read:  func(o *Options, v string) bool { return readCount(&o.Trees, v) },
		text:  func(o *Options) string { return o.Trees.String() },
		asked: func(o *Options) bool { return o.Trees != Count{} },
		doc:   "drop the trees that the loss on the rows misses least", needsRows: true,
		run: func(o Options, e *ir.Ensemble, d *lossy.Data) (lossy.Change, error) {
			return dropTrees(e, d, o.Trees.of(len(e.Trees)))
		},
	},
	number("min-cover", func(o *Options) *float64 { return &o.MinCover }, key{
		doc: "make leaves of splits with a side that little training weight reached",
		run: func(o Options, e *ir.Ensemble, _ *lossy.Data) (lossy.Change, error) {
			return minCover(e, o.MinCover), nil
		},
	}),
	number("epsilon", func(o *Options) *float64 { return &o.Epsilon }, key{
		doc: "make one leaf of each subtree whose leaves differ little",
		run: func(o Options, e *ir.Ensemble, _ *lossy.Data) (lossy.Change, error) {
			return epsilon(e, o.Epsilon), nil
		},
	}),
	{
		name:  "reduced-error",
		read:  func(o *Options, _ string) bool { o.ReducedError = true; return true },
		asked: func(o *Options) bool { return o.ReducedError },
		doc:   "make leaves of subtrees that do not lower the loss on the rows", needsRows: true,
		run: func(_ Options, e *ir.Ensemble, d *lossy.Data) (lossy.Change, error) { return reducedError(e, d) },
	},
	number("refit", func(o *Options) *float64 { return &o.Refit }, key{
		doc: "fit the values of the leaves to the rows, held near the old ones", needsRows: true,
		run: func(o Options, e *ir.Ensemble, d *lossy.Data) (lossy.Change, error) {
			return refit(e, d, o.Refit)
		},
	}),
}

// number completes a key whose value is a positive number.
func number(name string, field func(*Options) *float64, k key) key {
	k.name, k.form = name, "a positive number"
	k.read = func(o *Options, v string) bool { return readPositive(field(o), v) }
	k.text = func(o *Options) string { return strconv.FormatFloat(*field(o), 'g', -1, 64) }
	k.asked = func(o *Options) bool { return *field(o) != 0 }
	return k
}

// Parse reads options as "truncate=best,epsilon=1e-4,reduced-error": each key once, in
// any order.
func Parse(text string) (Options, error) {
	var o Options
	if text == "" {
		return o, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		if err := o.read(part); err != nil {
			return Options{}, err
		}
	}
	return o, nil
}

func (o *Options) read(part string) error {
	name, value, hasValue := strings.Cut(part, "=")
	var names []string
	for _, k := range keys {
		names = append(names, k.name)
		switch {
		case k.name != name:
		case k.asked(o):
			return fmt.Errorf("%s is given twice", name)
		case k.form == "" && hasValue:
			return fmt.Errorf("%s takes no value", name)
		case k.form != "" && !hasValue:
			return fmt.Errorf("%s needs a value: %s", name, k.form)
		case !k.read(o, value):
			return fmt.Errorf("%s=%.40s: want %s", name, value, k.form)
		default:
			return nil
		}
	}
	hint := nearest.Hint(name, names)
	if hint == "" {
		hint = "; there are " + strings.Join(names, ", ")
	}
	return fmt.Errorf("unknown pruning %.40q%s", name, hint)
}

// String returns o as Parse reads it, keys in the order in which their passes run.
func (o Options) String() string {
	var parts []string
	for _, k := range keys {
		switch {
		case !k.asked(&o):
		case k.form == "":
			parts = append(parts, k.name)
		default:
			parts = append(parts, k.name+"="+k.text(&o))
		}
	}
	return strings.Join(parts, ",")
}

func readRounds(rounds *int, v string) bool {
	if v == "best" {
		*rounds = BestRound
		return true
	}
	n, err := strconv.Atoi(v)
	*rounds = n
	return err == nil && n > 0
}

func roundsText(rounds int) string {
	if rounds == BestRound {
		return "best"
	}
	return strconv.Itoa(rounds)
}

func readCount(c *Count, v string) bool {
	if percent, ok := strings.CutSuffix(v, "%"); ok {
		return readPositive(&c.Percent, percent) && c.Percent < 100
	}
	n, err := strconv.Atoi(v)
	c.N = n
	return err == nil && n > 0
}

func readPositive(x *float64, v string) bool {
	f, err := strconv.ParseFloat(v, 64)
	*x = f
	return err == nil && f > 0 && !math.IsInf(f, 0)
}

// Check reports what o asks of e that cannot be done, and why; hasRows says whether
// there are rows with labels.
func (o Options) Check(e *ir.Ensemble, hasRows bool) error {
	if o == (Options{}) {
		return nil
	}
	if e.Linear != nil {
		return errors.New("a linear model has no trees to prune")
	}
	if len(e.Trees) == 0 {
		return errors.New("the model has no trees to prune")
	}
	left, err := o.checkTruncate(e)
	if err != nil {
		return err
	}
	if err := o.checkTrees(e, left); err != nil {
		return err
	}
	if o.MinCover > 0 && !hasCovers(e) {
		return errors.New("min-cover: the model file has no covers, the training weights that reached the nodes")
	}
	return o.checkRows(e, hasRows)
}

// checkTruncate returns the number of trees that are left when rounds were cut off.
func (o Options) checkTruncate(e *ir.Ensemble) (trees int, err error) {
	if o.Truncate == 0 {
		return len(e.Trees), nil
	}
	if err := CheckRounds(e); err != nil {
		return 0, fmt.Errorf("truncate: %w", err)
	}
	rounds := o.rounds(e)
	switch {
	case rounds == 0:
		return 0, errors.New("truncate=best: the model file records no best round; give the number of rounds to keep")
	case rounds > e.NumRounds():
		return 0, fmt.Errorf("truncate=%d: the model has %d rounds", rounds, e.NumRounds())
	}
	return int(e.Rounds[rounds]), nil
}

// rounds returns the number of rounds of e to keep: 0 if the best one is not known.
func (o Options) rounds(e *ir.Ensemble) int {
	if o.Truncate == BestRound {
		return e.BestRound + 1
	}
	return o.Truncate
}

func (o Options) checkTrees(e *ir.Ensemble, left int) error {
	if o.Trees == (Count{}) {
		return nil
	}
	if err := CheckRounds(e); err != nil {
		return fmt.Errorf("trees: %w", err)
	}
	if n := o.Trees.of(left); n == 0 || n >= left {
		return fmt.Errorf("trees=%v: that is %d of %d trees; one has to go, and one to stay", o.Trees, n, left)
	}
	return nil
}

// checkRows reports passes that need rows, or a loss to measure on them.
func (o Options) checkRows(e *ir.Ensemble, hasRows bool) error {
	for _, p := range o.Passes() {
		if !p.NeedsRows {
			continue
		}
		if !hasRows {
			return fmt.Errorf("%s needs rows with labels, to measure the loss on", p.Name)
		}
		l, err := lossOf(e)
		if err == nil && p.Name == "refit" {
			err = l.checkCurve(e)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return nil
}

// Passes returns the passes that o asks for, in the order in which they must run. They are
// for ensembles about which Check has nothing to report.
func (o Options) Passes() []lossy.Pass {
	var passes []lossy.Pass
	for _, k := range keys {
		if k.asked(&o) {
			passes = append(passes, lossy.Pass{Name: k.name, Doc: k.doc, NeedsRows: k.needsRows,
				Run: func(e *ir.Ensemble, d *lossy.Data) (lossy.Change, error) { return k.run(o, e, d) }})
		}
	}
	return passes
}
