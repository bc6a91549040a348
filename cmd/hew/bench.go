package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"hew/bench"
	"hew/bench/leaves"
	"hew/bench/load"
	"hew/build"
	"hew/compile"
	"hew/fold"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/predict"
)

// benchFlags are the flags of hew bench.
type benchFlags struct {
	compileFlags
	rows     string
	count    int
	batches  []int
	threads  []int
	slice    time.Duration
	rounds   int
	peers    []string
	server   bool
	duration time.Duration

	connections, requestRows []int

	asJSON bool
}

func newBench() *cobra.Command {
	var b benchFlags
	cmd := &cobra.Command{
		Use:   "bench MODEL",
		Short: "Measure engines, and servers, side by side",
		Long: `Measure engines side by side on the same rows: dmitryikh/leaves, the interpreted
baseline, where it can read the model; the reference evaluator; table and simd, the
engines of this process; and the code of every strategy, which is compiled for the
purpose. Their slices of time alternate, and their outputs are compared by bits. An
engine of hew's whose bits differ gets no speedup, and the exit status is 1.

The predictors of others, which make peers installs, are measured in the same run,
each called as its users call it.

With --server, a server is built from the model and driven over REST and gRPC;
every answer is checked.`,
		Example: `  hew bench churn.json
  hew bench churn.json --rows valid.csv --batch 1,64,4096 --threads 1,2
  hew bench churn.json --server --connections 1,4,16,64 --request-rows 1,16,256 --json > records.jsonl`,
		Args: models(1, 1),
		RunE: cleansUp(func(cmd *cobra.Command, args []string) error {
			e, err := b.compileFlags.load(cmd, args[0], b.rows)
			if err != nil {
				return err
			}
			records, failure := b.run(cmd, args[0], e)
			if len(records) > 0 { // what was measured before a failure is worth having
				if b.asJSON {
					err = bench.Write(cmd.OutOrStdout(), records)
				} else {
					err = bench.Table(cmd.OutOrStdout(), records)
				}
			}
			if err = errors.Join(failure, err); err == nil && !bench.OK(records) {
				return exitStatus(1)
			}
			return err
		}),
	}
	f := cmd.Flags()
	f.StringVar(&b.rows, "rows", "", "rows to score, at least 4,096 different ones [made from the model's thresholds]")
	f.IntVar(&b.count, "count", 8192, "number of rows to make from the model")
	f.IntSliceVar(&b.batches, "batch", []int{1, 4096}, "rows per call")
	f.IntSliceVar(&b.threads, "threads", []int{1, 2}, "threads that score at a time")
	f.DurationVar(&b.slice, "slice", 100*time.Millisecond, "time of one slice of one engine")
	f.IntVar(&b.rounds, "rounds", 7, "slices of each engine, of which the median counts")
	f.StringSliceVar(&b.peers, "peers", []string{installedPeers}, "predictors of others to measure: installed, none, or names, which must be there")
	f.BoolVar(&b.server, "server", false, "also build a server and drive it over REST and gRPC")
	f.DurationVar(&b.duration, "duration", 3*time.Second, "time of one measurement of a server")
	f.IntSliceVar(&b.connections, "connections", []int{32}, "connections that ask a server for single rows at a time")
	f.IntSliceVar(&b.requestRows, "request-rows", []int{64}, "rows in the requests of 8 connections to a server")
	f.BoolVar(&b.asJSON, "json", false, "print records, one JSON object per line")
	b.compileFlags.addAll(cmd)
	return cmd
}

func (b *benchFlags) run(cmd *cobra.Command, file string, e *ir.Ensemble) ([]bench.Record, error) {
	x, err := b.makeRows(cmd, e)
	if err != nil {
		return nil, err
	}
	models, err := compileStrategies(cmd, e, file, build.ModelName(file), &b.compileFlags)
	if err != nil {
		return nil, err
	}
	head, err := setup(file, e, &b.compileFlags)
	if err != nil {
		return nil, err
	}
	records, err := b.measureEngines(cmd, file, e, models, x)
	if len(records) > 0 {
		records = slices.Insert(records, 0, head)
	}
	if err != nil || !b.server {
		return records, err
	}
	served := models[0]
	if b.strategy == allStrategies {
		auto := b.compileFlags
		auto.strategy, auto.printAfter = "auto", ""
		if served, err = compileModel(cmd, e, file, served.Info.Name, &auto); err != nil {
			return records, err
		}
	}
	measured, err := b.measureServer(cmd, e, served, x)
	return append(records, measured...), err
}

func (b *benchFlags) makeRows(cmd *cobra.Command, e *ir.Ensemble) (predict.Values, error) {
	if b.rows == "" {
		return nodiff.Rows(e, b.count, 1), nil
	}
	table, err := b.in.read(cmd, b.rows, e)
	if err != nil {
		return predict.Values{}, err
	}
	return table.X, nil
}

// measureEngines measures the reference, which comes first, leaves, the peers, the
// engines of this process and the compiled code.
func (b *benchFlags) measureEngines(cmd *cobra.Command, file string, e *ir.Ensemble, models []build.Model, x predict.Values) ([]bench.Record, error) {
	name := models[0].Info.Name
	reference := compile.Interp(e, name)
	engines := []bench.Engine{bench.Local("interp", reference, x)}
	folded, err := foldedFor(e)
	if err != nil {
		return nil, err
	}
	switch baseline, err := leaves.New(folded, x); {
	case errors.Is(err, leaves.ErrUnsupported):
		fmt.Fprintf(cmd.ErrOrStderr(), "hew: no baseline: %v\n", err)
	case err != nil:
		return nil, err
	default:
		engines = append(engines, baseline)
	}
	theirs, err := startPeers(cmd, b.peers, file, e, reference.Info, x)
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	engines = append(engines, theirs.Engines...)
	local, err := localEngines(e, name, b.without())
	if err != nil {
		return nil, err
	}
	for _, p := range local {
		engines = append(engines, bench.Local(p.Source.Engine, p, x))
	}
	for _, m := range models { // each built by itself, so that its cost is known
		w, err := buildWorker(cmd, []build.Model{m})
		if err != nil {
			return nil, err
		}
		defer w.Close()
		compiled, err := codeEngine(w, m, x)
		if err != nil {
			return nil, err
		}
		engines = append(engines, compiled)
	}
	return bench.Run(cmd.Context(), bench.Plan{
		Model: name, X: x, Features: len(e.Features),
		Batches: b.batches, Threads: b.threads, Slice: b.slice, Rounds: b.rounds,
		Progress: progress(cmd.ErrOrStderr(), "measuring"),
	}, engines)
}

// foldedFor returns e for leaves, which knows no columns.
func foldedFor(e *ir.Ensemble) (*ir.Ensemble, error) {
	if e.Columns == nil {
		return e, nil
	}
	folded := e.Clone()
	return folded, fold.Fold(folded)
}

// codeEngine returns the code of m, the one model of w, as an engine.
func codeEngine(w *workerProgram, m build.Model, x predict.Values) (bench.Engine, error) {
	client, err := w.start()
	if err != nil {
		return bench.Engine{}, err
	}
	compiled, err := bench.Remote(codeName(m), client, 0, x)
	compiled.Build = &bench.Build{Seconds: w.cost.Seconds, PeakBytes: w.cost.PeakBytes, ArtifactBytes: w.cost.ArtifactBytes}
	return compiled, err
}

// A serving is a way in which a server is driven.
type serving struct {
	connections, rows int
	rate              float64
}

// servings returns the ways in which the server is driven.
func (b *benchFlags) servings() []serving {
	var all []serving
	for _, n := range b.connections {
		all = append(all, serving{n, 1, 0}) // how many single rows a second
	}
	for _, n := range b.requestRows {
		all = append(all, serving{8, n, 0}) // how many rows a second in batches
	}
	return append(all, serving{32, 1, 200}) // how long an answer takes when the server has time
}

// measureServer builds a server from the model and drives it.
func (b *benchFlags) measureServer(cmd *cobra.Command, e *ir.Ensemble, model build.Model, x predict.Values) ([]bench.Record, error) {
	dir, err := os.MkdirTemp("", "hew-server-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	p, err := build.NewProject("server", build.Server, []build.Model{model})
	if err != nil {
		return nil, err
	}
	exe := filepath.Join(dir, "server")
	if _, err := buildIn(cmd, p, filepath.Join(dir, "src"), exe, build.Target{}); err != nil {
		return nil, err
	}
	server, err := load.Start(exe, "http", "grpc")
	if err != nil {
		return nil, err
	}
	records, err := b.drive(cmd, server, questions(e, model.Info, x))
	if err = errors.Join(err, server.Stop()); err != nil {
		return records, err
	}
	return records, b.splitScores(e, x, records)
}

// splitScores tells ranking from scoring in the records of a server.
func (b *benchFlags) splitScores(e *ir.Ensemble, x predict.Values, records []bench.Record) error {
	flags := b.compileFlags
	if flags.strategy == allStrategies {
		flags.strategy = "auto"
	}
	r, err := newRanking(e, &flags, x)
	if err != nil {
		return err
	}
	for i := range records {
		if err := r.split(&records[i]); err != nil {
			return err
		}
	}
	return nil
}

// questions returns the rows in x with the reference's predictions.
//
// Rows that a server rightly refuses are left out: those in which a feature with the
// text of its categories is no code of one, and those that the trainer refuses.
func questions(e *ir.Ensemble, info predict.Info, x predict.Values) load.Questions {
	width := len(e.Features)
	var asked predict.Values
	for i := 0; i < x.Len(); i += width {
		if row := x.Slice(i, i+width); answerable(info.Features, row) {
			asked = concat(asked, row)
		}
	}
	q := load.Questions{Model: info.Name, X: asked, Features: width, Outputs: info.NumOutputs}
	if len(info.Answers) > 0 {
		q.Output = info.Answers[0].Name
	}
	q.Want = predict.MakeValues(info.Output, asked.Len()/width*info.NumOutputs)
	interp.New(e).Typed().Predict(q.Want, asked)
	return q
}

func answerable(features []predict.Feature, row predict.Values) bool {
	for j := range features {
		f, v := &features[j], row.At(j)
		if f.Categories != nil && math.IsInf(v, 0) || f.Refused(v) != "" {
			return false
		}
	}
	return true
}

func (b *benchFlags) drive(cmd *cobra.Command, server *load.Server, q load.Questions) ([]bench.Record, error) {
	var records []bench.Record
	bar := progress(cmd.ErrOrStderr(), "serving")
	servings := b.servings()
	for i, s := range servings {
		q.BatchRows = s.rows
		targets := []load.Target{load.REST(server.REST, q), load.RESTV2(server.REST, q), load.GRPC(server.GRPC, q)}
		for j, t := range targets {
			if err := cmd.Context().Err(); err != nil {
				return records, context.Cause(cmd.Context())
			}
			r, err := load.Run(t, load.Plan{Connections: s.connections, Rate: s.rate, Duration: b.duration, Counts: server.REST})
			if err != nil {
				return records, err
			}
			records = append(records, r)
			if bar != nil {
				bar(i*len(targets)+j+1, len(servings)*len(targets))
			}
		}
	}
	return records, nil
}
