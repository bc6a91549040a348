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

// setup returns the record that says what the records behind it measure: the model as it
// was trained, the passes that e, which is evaluated, went through, the machine and the
// command.
func setup(file string, e *ir.Ensemble, flags *compileFlags) (bench.Record, error) {
	trained, steps := e, []compile.Step(nil)
	if flags.trained != nil {
		trained, steps = flags.trained, flags.lossy.Steps
	}
	o, err := flags.options("", io.Discard)
	if err != nil {
		return bench.Record{}, err
	}
	return setupOf(file, trained, e, steps, o)
}

// setupOf is setup for a model of which lossy passes made e in the given steps.
func setupOf(file string, trained, e *ir.Ensemble, steps []compile.Step, o compile.Options) (bench.Record, error) {
	o.PrintAfter = ""
	report, err := compile.Run(e.Clone(), o)
	if err != nil {
		return bench.Record{}, err
	}
	var passes []bench.Pass
	for _, s := range append(steps, report.Steps...) {
		passes = append(passes, bench.Pass{
			Name: s.Pass, Doc: s.Doc, Exact: s.Exact, Seconds: s.Time.Seconds(),
			Before: bench.Size(s.Before), After: bench.Size(s.After), Certified: bench.Finite(s.Bound), Measured: bench.Finite(s.Moved),
		})
	}
	m := inspect.Describe(trained, nil)
	card := bench.Card{
		File: m.File, SHA256: m.SHA256, Trainer: m.Format, Objective: m.Objective, Task: m.Task,
		Features: m.NumFeatures, Outputs: m.Outputs, Size: bench.Size(compile.SizeOf(trained)), Depth: m.Depth,
	}
	return bench.NewSetup(build.ModelName(file), hew.Version, append([]string{"hew"}, os.Args[1:]...), card, passes), nil
}
