package compile

import (
	"errors"
	"fmt"
	"io"
	"time"

	"hew/ir"
)

// ErrHelp is returned for Options.PrintAfter "help", after the list of passes
// was written to Options.Dump and before any work was done.
var ErrHelp = errors.New("print-after: help requested")

// Run rewrites e by all passes, in place, and reports what each did.
//
// Margins and predictions keep their bits if the report is exact. Leaf numbers
// may not: a pass may merge leaves that add the same, and remove trees that add
// nothing.
func Run(e *ir.Ensemble, o Options) (*Report, error) {
	if err := o.checkPrintAfter(); err != nil {
		return nil, err
	}
	*e = *e.Clone() // of trees that share their nodes since an earlier run, none may
	return run(e, o.passes(), o)
}

func run(e *ir.Ensemble, passes []pass, o Options) (*Report, error) {
	r := &Report{Before: SizeOf(e), After: SizeOf(e), Exact: true}
	columns := e.Columns != nil
	for _, p := range passes {
		if columns && p.merges && !r.merged {
			r.before = e.Clone()
		}
		if p.applies == nil || p.applies(e) {
			if err := r.step(e, p); err != nil {
				return nil, err
			}
		}
		if o.PrintAfter == p.name {
			if err := e.Print(o.Dump); err != nil {
				return nil, fmt.Errorf("print after %s: %w", p.name, err)
			}
		}
	}
	if !r.merged {
		r.before = nil
	}
	return r, nil
}

// step runs a pass and reports what it did.
func (r *Report) step(e *ir.Ensemble, p pass) error {
	s := Step{Pass: p.name, Doc: p.doc, Exact: p.exact, Before: r.After}
	start := time.Now()
	if err := p.run(e); err != nil {
		return fmt.Errorf("pass %s: %w", p.name, err)
	}
	s.Time = time.Since(start)
	r.merged = r.merged || p.merges && SizeOf(e) != s.Before
	return r.finish(e, s)
}

// finish completes what is reported about a pass that has run.
func (r *Report) finish(e *ir.Ensemble, s Step) error {
	if err := e.Verify(); err != nil {
		return fmt.Errorf("pass %s left a malformed ensemble: %w", s.Pass, err)
	}
	s.After = SizeOf(e)
	r.After = s.After
	r.Exact = r.Exact && s.Exact
	r.Steps = append(r.Steps, s)
	return nil
}

// Plan says in a line each what Package does with e.
func Plan(e *ir.Ensemble) []string {
	if e.Linear != nil {
		return []string{"strategy branch: one multiplication and addition per " + linearTerm(e) + " and output"}
	}
	var lines []string
	for _, p := range passes {
		if p.applies != nil && !p.applies(e) {
			continue
		}
		lines = append(lines, fmt.Sprintf("pass %s, %s: %s", p.name, kind(p.exact), p.doc))
	}
	p := e.Clone()
	if _, err := run(p, passes, Options{}); err != nil {
		return append(lines, err.Error())
	}
	c, err := choose(p, "auto", 0)
	if err != nil {
		return append(lines, err.Error())
	}
	return append(lines, fmt.Sprintf("strategy %s: %s", c.strategy, c.why))
}

func linearTerm(e *ir.Ensemble) string {
	if e.Columns != nil {
		return "column"
	}
	return "feature"
}

// printPasses lists the passes in the order in which they run.
func printPasses(w io.Writer, passes []pass) error {
	for _, p := range passes {
		if _, err := fmt.Fprintf(w, "%-10s %s  %s\n", p.name, kind(p.exact), p.doc); err != nil {
			return err
		}
	}
	return nil
}
