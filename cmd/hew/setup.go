package main

import (
	"io"
	"os"

	"hew"
	"hew/bench"
	"hew/build"
	"hew/compile"
	"hew/inspect"
	"hew/ir"
)

// setup returns the record that says what the records behind it measure: the model,
// the passes, the machine and the command.
func setup(file string, e *ir.Ensemble, flags *compileFlags) (bench.Record, error) {
	o, err := flags.options("", io.Discard)
	if err != nil {
		return bench.Record{}, err
	}
	o.PrintAfter = ""
	report, err := compile.Run(e.Clone(), o)
	if err != nil {
		return bench.Record{}, err
	}
	m := inspect.Describe(e, nil)
	card := bench.Card{
		File: m.File, SHA256: m.SHA256, Trainer: m.Format, Objective: m.Objective, Task: m.Task,
		Features: m.NumFeatures, Outputs: m.Outputs, Size: bench.Size(report.Before), Depth: m.Depth,
	}
	var passes []bench.Pass
	for _, s := range report.Steps {
		passes = append(passes, bench.Pass{
			Name: s.Pass, Doc: s.Doc, Exact: s.Exact, Seconds: s.Time.Seconds(),
			Before: bench.Size(s.Before), After: bench.Size(s.After), Certified: s.Bound,
		})
	}
	return bench.NewSetup(build.ModelName(file), hew.Version, append([]string{"hew"}, os.Args[1:]...), card, passes), nil
}
