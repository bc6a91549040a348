package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/spf13/cobra"

	"hew/build"
	"hew/compile"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/kernel"
	"hew/predict"
)

// A subject is an engine on trial.
type subject struct {
	name  string
	exact bool // whether it must give the reference's bits

	// use calls a function with the engine, singly with one that scores each row by
	// a call of its own. They return the error with which the engine ended the
	// function, if it did.
	use, singly func(func(predict.Predictor)) error

	diff nodiff.Diff
	err  error
}

// try adds the outcome of a trial to what is known of s.
func (s *subject) try(t *nodiff.Trial) {
	s.err = s.singly(func(p predict.Predictor) { t.Alone(&s.diff, p) })
	if s.err == nil {
		s.err = s.use(func(p predict.Predictor) { t.Batches(&s.diff, p) })
	}
}

// verifyEngines compares all engines for e, and all code, with the reference on
// the rows in x.
func verifyEngines(cmd *cobra.Command, file string, e *ir.Ensemble, flags *compileFlags, x predict.Values) (equal bool, err error) {
	local, err := localEngines(e, "", flags.without())
	if err != nil {
		return false, err
	}
	var subjects []*subject
	for _, p := range local {
		subjects = append(subjects, &subject{
			name: p.Source.Engine, exact: true,
			use:    func(f func(predict.Predictor)) error { f(p); return nil },
			singly: func(f func(predict.Predictor)) error { f(nodiff.Singly(p)); return nil },
		})
	}
	models, err := compileStrategies(cmd, e, file, build.ModelName(file), flags)
	if err != nil {
		return false, err
	}
	program, err := buildWorker(cmd, models)
	if err != nil {
		return false, err
	}
	defer program.Close()
	compiled, err := codeSubjects(program, models)
	if err != nil {
		return false, err
	}
	subjects = append(subjects, compiled...)
	if err := try(cmd, e, subjects, x); err != nil {
		return false, err
	}
	printLine(cmd.OutOrStdout(), "calls", "each row alone, and batches of %v rows", nodiff.Batches(len(e.Features)))
	equal = true
	for _, s := range subjects {
		printLine(cmd.OutOrStdout(), s.name, "%v", s.diff)
		equal = equal && (s.diff.OK() || !s.exact)
	}
	return equal, nil
}

// try puts the subjects on trial with the rows in x, several at a time.
func try(cmd *cobra.Command, e *ir.Ensemble, subjects []*subject, x predict.Values) error {
	bar := progress(cmd.ErrOrStderr(), "verifying")
	done, rows := 0, x.Len()/len(e.Features)
	for t := range nodiff.Trials(interp.New(e), compile.Info(e, ""), x) {
		if cmd.Context().Err() != nil {
			return context.Cause(cmd.Context())
		}
		slots := make(chan struct{}, runtime.GOMAXPROCS(0))
		var wg sync.WaitGroup
		for _, s := range subjects {
			slots <- struct{}{}
			wg.Go(func() {
				s.try(t)
				<-slots
			})
		}
		wg.Wait()
		for _, s := range subjects {
			if s.err != nil {
				return fmt.Errorf("%s: %w", s.name, s.err)
			}
		}
		if done += t.Fresh(); bar != nil {
			bar(done, rows)
		}
	}
	return nil
}

// localEngines returns the engines of this process, but for the reference: table,
// and simd at each level, without some passes. If package kernel cannot evaluate e,
// there is none, or the one that takes the reference's margins and computes stages.
func localEngines(e *ir.Ensemble, name string, without []string) ([]predict.Predictor, error) {
	var engines []predict.Predictor
	for _, cpu := range compile.Levels(kernel.ThisCPU()) {
		p, err := compile.Predictor(e, name, "auto", cpu, without...)
		if err != nil {
			return nil, err
		}
		if p.Source.Engine != "interp" {
			engines = append(engines, p)
		} else if len(e.Answers) > 0 && len(engines) == 0 {
			p.Source.Engine = "interp and stages"
			engines = append(engines, p)
		}
	}
	return engines, nil
}

// codeSubjects starts a process for each level of the processor. Code of strategy
// simd chooses what it does by HEW_CPU; other code does the same at every level.
func codeSubjects(program *workerProgram, models []build.Model) ([]*subject, error) {
	var subjects []*subject
	for i, cpu := range compile.Levels(kernel.ThisCPU()) {
		client, err := program.start("HEW_CPU=" + cpu.String())
		if err != nil {
			return nil, err
		}
		for k, m := range models {
			name := codeName(m)
			if m.Info.Source.Engine == "simd" {
				name += " " + cpu.String()
			} else if i > 0 {
				continue
			}
			subjects = append(subjects, &subject{
				name: name, exact: m.Info.Source.Exact,
				use:    func(f func(predict.Predictor)) error { return client.Use(k, f) },
				singly: func(f func(predict.Predictor)) error { return client.UseSingly(k, f) },
			})
		}
	}
	return subjects, nil
}
