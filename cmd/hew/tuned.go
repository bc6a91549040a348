package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"hew"
	"hew/bench"
	"hew/build"
	"hew/compile"
	"hew/ir"
	"hew/tune"
)

// print writes the table of the front or, as JSON, all records behind one of the setup.
func (t *tuneFlags) print(cmd *cobra.Command, file string, e *ir.Ensemble, plan *tune.Plan, records []tune.Record) error {
	if !t.asJSON {
		return tune.Table(cmd.OutOrStdout(), records)
	}
	if len(records) == 0 {
		return nil
	}
	head, err := t.setup(file, e, plan, records)
	if err != nil {
		return err
	}
	head.Time = records[0].Time // it says what the records behind it are of
	return errors.Join(bench.Write(cmd.OutOrStdout(), []bench.Record{head}), tune.Write(cmd.OutOrStdout(), records))
}

// setup returns the record of the model and, if a candidate was chosen, of the passes that
// make it, measured on the rows that judged it.
func (t *tuneFlags) setup(file string, e *ir.Ensemble, plan *tune.Plan, records []tune.Record) (bench.Record, error) {
	o := compile.Options{NoFold: t.noFold, Version: hew.Version}
	at := chosen(records)
	if at <= 0 {
		return setupOf(file, e, e, nil, o)
	}
	s, err := compile.ParseSettings(records[at].Prune, records[at].Quantize)
	if err != nil {
		return bench.Record{}, err
	}
	s.Rows = plan.Parts.Judge.X.Float64s()
	small := e.Clone()
	report, err := s.Transform(small, plan.Parts.FitData())
	if err != nil {
		return bench.Record{}, err
	}
	return setupOf(file, e, small, report.Steps, o)
}

// chosen returns the index of the chosen record, or −1.
func chosen(records []tune.Record) int {
	return slices.IndexFunc(records, func(r tune.Record) bool { return r.Chosen })
}

// variant makes the candidate of a record again.
func variant(plan *tune.Plan, r *tune.Record) (*ir.Ensemble, error) {
	v, err := plan.Make(tune.Candidate{Prune: r.Prune, Quantize: r.Quantize}, plan.Parts.FitData())
	if err != nil {
		return nil, err
	}
	return v.Ensemble, nil
}

// addBinaries builds a server of each candidate on the front, and of the unpruned
// model, if that is asked for.
func (t *tuneFlags) addBinaries(cmd *cobra.Command, plan *tune.Plan, records []tune.Record) error {
	if !t.binary {
		return nil
	}
	dir, err := os.MkdirTemp("", "hew-tune-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for i := range records {
		r := &records[i]
		if i > 0 && !r.Front && !r.Chosen {
			continue
		}
		e, err := variant(plan, r)
		if err != nil {
			return err
		}
		m, err := t.model(e, plan.Model, build.PackageName(plan.Model))
		if err != nil {
			return err
		}
		p, err := build.NewProject("server", build.RESTServer, []build.Model{m})
		if err != nil {
			return err
		}
		cost, err := buildIn(cmd, p, "", filepath.Join(dir, "server"), build.Target{})
		if err != nil {
			return err
		}
		r.Binary = cost.ArtifactBytes
	}
	return nil
}

// model compiles e to a package.
func (t *tuneFlags) model(e *ir.Ensemble, name, pkg string) (build.Model, error) {
	m, _, err := packageOf(e, name, compile.Options{Package: pkg, NoFold: t.noFold, Version: hew.Version})
	return m, err
}

// write writes the chosen candidate as a package or a server.
func (t *tuneFlags) write(cmd *cobra.Command, plan *tune.Plan, records []tune.Record) error {
	at := chosen(records)
	if at < 0 {
		return nil
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "hew: %d candidates tried; chosen: %s\n", len(records)-1, records[at].Settings())
	if t.out == "" {
		return nil
	}
	e, err := variant(plan, &records[at])
	if err != nil {
		return err
	}
	if t.target == targetServer {
		return t.writeServer(cmd, plan, e)
	}
	dir, err := filepath.Abs(t.out)
	if err != nil {
		return err
	}
	m, err := t.model(e, plan.Model, build.PackageName(filepath.Base(dir)))
	if err != nil {
		return err
	}
	return build.WriteFiles(t.out, m.Files)
}

// writeServer builds a server of e.
func (t *tuneFlags) writeServer(cmd *cobra.Command, plan *tune.Plan, e *ir.Ensemble) error {
	m, err := t.model(e, plan.Model, build.PackageName(plan.Model))
	if err != nil {
		return err
	}
	p, err := build.NewProject(build.ProgramName(t.out), serverOf(t.restOnly), []build.Model{m})
	if err != nil {
		return err
	}
	cost, err := buildIn(cmd, p, "", t.out, build.Target{})
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s  %s\n", t.out, compile.FormatBytes(cost.ArtifactBytes))
	return nil
}
