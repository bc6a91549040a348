package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hew/bench"
	"hew/build"
	"hew/internal/nodiff"
	"hew/ir"
	"hew/kernel"
	"hew/metric"
	"hew/predict"
	"hew/tune"
)

// tuneFlags are the flags of hew tune.
type tuneFlags struct {
	modelFlags

	rows, valid string
	classes     []string
	metric      string
	maxLoss     string
	maxBytes    string
	maxNs       float64
	budget      string
	seed        uint64
	batch       int
	slice       time.Duration
	rounds      int
	binary      bool
	asJSON      bool
	out         string
	target      string
	restOnly    bool
}

// What -o of tune writes.
const (
	targetPackage = "package"
	targetServer  = "server"
)

func newTune() *cobra.Command {
	var t tuneFlags
	cmd := &cobra.Command{
		Use:   "tune MODEL",
		Short: "Find the lossy passes that buy the most for the least accuracy",
		Long: `Find the lossy passes, settings of --prune and --quantize, that buy the most speed
and size for the least accuracy. The rows are divided at random, classes evenly and
queries as a whole: some are for passes that look at rows, some steer the search, and
the rest, by which nothing was fitted or chosen, judge what was found. --valid gives
the judge a file of its own. No row should be one that the model was trained on.

The loss is the metric, or 1 minus it if larger values are better. What is printed is
how much larger it is than the unpruned model's, with a 95% bootstrap interval of that
difference: one that holds 0 is marked as noise. --max-loss holds for the interval's
upper end. What is on the front of loss, bytes and times is measured, all in one
interleaved run, and printed: the table's settings are flags of the other commands. The
fastest that keeps to the constraints has a star or, of those as fast, the smallest. If
only --max-bytes or --max-ns is given, it is the most accurate one. -o writes it as a Go
package, with --target server as a program. If none keeps to the constraints, the exit
status is 1. Ctrl-C ends the search and prints what was found.`,
		Example: `  hew tune churn.json --rows valid.csv --label churned
  hew tune churn.json --rows valid.csv --label churned --max-loss 1% -o churn
  hew tune churn.json --rows valid.csv --label churned --max-bytes 200K -o scorer --target server
  hew tune rank.ubj --rows valid.parquet --label grade --query session --metric ndcg@10
  hew tune forest.joblib --rows fit.csv --valid valid.csv --label kind --json > records.jsonl`,
		Args: models(1, 1),
		RunE: cleansUp(func(cmd *cobra.Command, args []string) error { return t.run(cmd, args[0]) }),
	}
	f := cmd.Flags()
	f.StringVar(&t.rows, "rows", "", "rows with labels to tune by")
	f.StringVar(&t.valid, "valid", "", "rows with labels to judge by [some of --rows]")
	t.labels.add(cmd)
	f.StringSliceVar(&t.classes, "classes", nil, "labels of the classes, in the model's order, if the model file does not name them [0,1,…]")
	f.StringVar(&t.metric, "metric", "", "metric to judge by: "+strings.Join(metric.Names(), ", ")+" [the objective's]")
	f.StringVar(&t.maxLoss, "max-loss", "", "largest increase of the loss, as in 0.1% or, the same, 0.001 [0.1%, or none with --max-bytes or --max-ns]")
	f.StringVar(&t.maxBytes, "max-bytes", "", "largest size of the model's tables, as in 200K")
	f.Float64Var(&t.maxNs, "max-ns", 0, "longest time of a single row, in nanoseconds [0 = any]")
	f.StringVar(&t.budget, "budget", "3m", "time of the search, as in 3m, or number of candidates, as in 40")
	f.Uint64Var(&t.seed, "seed", 1, "seed of the division of the rows and of the bootstrap")
	f.IntVar(&t.batch, "batch", 4096, "rows per call, for the throughput of batches")
	f.DurationVar(&t.slice, "slice", 50*time.Millisecond, "time of one slice of one candidate")
	f.IntVar(&t.rounds, "rounds", 7, "slices of each candidate, of which the median counts [0 = measure nothing]")
	f.BoolVar(&t.binary, "binary", false, "also build a REST server of each candidate on the front, for the size of its binary")
	f.BoolVar(&t.asJSON, "json", false, "print a record per candidate, one JSON object per line")
	f.StringVarP(&t.out, "out", "o", "", "write the chosen candidate: the directory of a Go package or, with --target server, a program")
	f.StringVar(&t.target, "target", targetPackage, "what -o is: package, as of hew compile, or server, as of hew build")
	f.BoolVar(&t.restOnly, "rest-only", false, "a server without gRPC: link nothing but the standard library")
	t.modelFlags.addInput(cmd)
	f.BoolVar(&t.noFold, "no-fold", false, noFoldHelp)
	t.in.add(cmd)
	return cmd
}

func (t *tuneFlags) run(cmd *cobra.Command, file string) error {
	if t.rows == "" || t.labels.label == "" {
		return usagef("tune needs rows that it can judge by: --rows FILE --label COLUMN")
	}
	if err := errors.Join(t.checkTarget(), t.checkTiming()); err != nil {
		return err
	}
	plan := tune.Plan{Model: build.ModelName(file), Seed: t.seed, Speed: tune.Timing{Batch: t.batch, Slice: t.slice, Rounds: t.rounds}}
	if err := errors.Join(t.readBudget(&plan), t.readConstraints(&plan)); err != nil {
		return err
	}
	e, err := t.load(cmd, file, t.rows)
	if err != nil {
		return err
	}
	if plan.Metric, err = t.readMetric(e); err != nil {
		return err
	}
	if plan.Metric.Ranks() && t.labels.query == "" {
		return usagef("metric %s judges the rows of a query together: say with --query COLUMN which belong together", plan.Metric.Name)
	}
	if plan.Parts, plan.Speed.X, err = t.readRows(cmd, e); err != nil {
		return err
	}
	plan.Make = tune.MakerFor(e, plan.Model, kernel.ThisCPU(), t.without()...)
	plan.Progress, plan.Measuring = searching(cmd, &plan), progress(cmd.ErrOrStderr(), "measuring")
	fmt.Fprintf(cmd.ErrOrStderr(), "hew: %d rows to fit on, %d to search by, %d to judge by\n",
		plan.Parts.Fit.Len(), plan.Parts.Search.Len(), plan.Parts.Judge.Len())
	records, failure := tune.Run(cmd.Context(), plan)
	if failure == nil || errors.Is(failure, tune.ErrNothing) {
		failure = errors.Join(failure, t.addBinaries(cmd, &plan, records))
	}
	return errors.Join(t.print(cmd, file, e, &plan, records), failure, t.write(cmd, &plan, records))
}

// checkTarget checks what -o is.
func (t *tuneFlags) checkTarget() error {
	switch {
	case t.target != targetPackage && t.target != targetServer:
		return usagef("unknown target %q; there are: package, server", t.target)
	case t.target == targetServer && t.out == "":
		return usagef("--target server needs -o FILE, the program to write")
	case t.restOnly && t.target != targetServer:
		return usagef("--rest-only is about a server: add --target server")
	}
	return nil
}

// checkTiming checks how times are taken: the search comes first, and is not to be in vain.
func (t *tuneFlags) checkTiming() error {
	switch {
	case t.rounds != 0 && t.rounds < bench.MinRounds:
		return usagef("--rounds %d: a median needs at least %d; 0 measures nothing", t.rounds, bench.MinRounds)
	case t.batch < 2:
		return usagef("--batch %d: single rows are measured anyway", t.batch)
	case t.slice <= 0:
		return usagef("--slice %v is no time", t.slice)
	}
	return nil
}

// readBudget reads --budget.
func (t *tuneFlags) readBudget(plan *tune.Plan) error {
	if n, err := strconv.Atoi(t.budget); err == nil && n > 0 {
		plan.Candidates = n
		return nil
	}
	d, err := time.ParseDuration(t.budget)
	if err != nil || d <= 0 {
		return usagef("--budget %q is neither a time such as 3m nor a number of candidates", t.budget)
	}
	plan.Budget = d
	return nil
}

// readConstraints reads --max-loss, --max-bytes and --max-ns.
func (t *tuneFlags) readConstraints(plan *tune.Plan) error {
	c := &plan.Constraints
	c.MaxNs = t.maxNs
	if !(t.maxNs >= 0) || t.maxNs > 0 && t.rounds == 0 {
		return usagef("--max-ns %v: times are measured, and positive", t.maxNs)
	}
	if t.maxBytes != "" {
		n, err := parseBytes(t.maxBytes)
		if err != nil {
			return usagef("--max-bytes: %v", err)
		}
		c.MaxBytes = n
	}
	if t.maxLoss == "" {
		c.Accurate = c.MaxBytes > 0 || c.MaxNs > 0
		if c.MaxLoss = 0.001; c.Accurate {
			c.MaxLoss = -1
		}
		return nil
	}
	number, isPercent := strings.CutSuffix(t.maxLoss, "%")
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !(v >= 0 && v <= 1e6) {
		return usagef("--max-loss %q is not a share such as 0.1%% or 0.001", t.maxLoss)
	}
	if isPercent {
		v /= 100
	}
	c.MaxLoss = v
	return nil
}

func (t *tuneFlags) readMetric(e *ir.Ensemble) (metric.Metric, error) {
	if t.metric == "" {
		m, err := metric.For(e)
		if err != nil {
			err = usagef("--metric: %v", err)
		}
		return m, err
	}
	m, err := metric.Named(t.metric)
	if err == nil {
		err = m.Check(e)
	}
	if err != nil {
		err = usagef("--metric: %v", err)
	}
	return m, err
}

// readRows reads the rows, divides them, and adds made ones to those to measure with
// if there are too few.
func (t *tuneFlags) readRows(cmd *cobra.Command, e *ir.Ensemble) (p tune.Parts, x predict.Values, err error) {
	all, err := t.readFile(cmd, t.rows, e)
	if err != nil {
		return p, x, err
	}
	classes := metric.NumClasses(e) > 0
	if sameFile(t.rows, t.valid) {
		return p, x, usagef("--valid %s: these are the rows of --rows; rows that judge must be others than those that passes are fitted on", t.valid)
	}
	if x = all.X; t.valid == "" {
		p, err = tune.Split(all, classes, t.seed)
	} else {
		var judge *tune.Rows
		if judge, err = t.readFile(cmd, t.valid, e); err != nil {
			return p, x, err
		}
		x = concat(x, judge.X)
		p, err = tune.SplitWith(all, judge, classes, t.seed)
	}
	if err != nil {
		return p, x, fmt.Errorf("%s: %w", t.rows, err)
	}
	return p, enough(e, x), nil
}

// sameFile reports whether two names are those of one file.
func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// enough returns as many rows as a measurement needs: those in x, or some of them, and
// made ones if they are too few.
func enough(e *ir.Ensemble, x predict.Values) predict.Values {
	const most = 2 * bench.MinRows
	width := len(e.Features)
	if n := x.Len() / width; n > most {
		return x.Slice(0, most*width)
	}
	if missing := bench.MinRows - bench.Distinct(x, width); missing > 0 {
		x = concat(x, nodiff.Rows(e, missing+missing/2, 1))
	}
	return x
}

// readFile reads a file of rows with labels.
func (t *tuneFlags) readFile(cmd *cobra.Command, name string, e *ir.Ensemble) (*tune.Rows, error) {
	if k := metric.NumClasses(e); t.classes != nil {
		if metric.Classes(e) != nil {
			return nil, usagef("--classes: the model file names its classes: %s", strings.Join(metric.Classes(e), ", "))
		}
		if len(t.classes) != k {
			return nil, usagef("--classes: %d labels, the model has %d classes", len(t.classes), k)
		}
		named := *e
		named.Classes, e = t.classes, &named
	}
	d, err := t.labels.read(cmd, &t.in, name, e)
	if err != nil {
		return nil, err
	}
	r := &tune.Rows{X: narrowed(d.X, e.Input), NumFeatures: len(e.Features), Data: metric.Data{Label: d.Y, Weight: d.Weight, Query: d.Query}}
	if k := metric.NumClasses(e); k > 0 {
		for i, y := range r.Label {
			if !(y >= 0 && y < float64(k) && y == float64(int(y))) {
				return nil, fmt.Errorf("%s: row %d: label %v is not the number of a class, 0 to %d; name the labels in the model's order with --classes", name, i+1, y, k-1)
			}
		}
	}
	return r, nil
}

// narrowed returns numbers in a type.
func narrowed(x []float64, p ir.Precision) predict.Values {
	if p == ir.Double {
		return predict.ValuesOf(x)
	}
	narrow := make([]float32, len(x))
	for i, v := range x {
		narrow[i] = float32(v)
	}
	return predict.ValuesOf(narrow)
}

// searching returns what draws a bar while the search goes on, if standard error is a
// terminal. The bar is full when the budget is spent; the search may end before.
func searching(cmd *cobra.Command, plan *tune.Plan) func(tried, proposed int) {
	draw, start := progress(cmd.ErrOrStderr(), "searching"), time.Now()
	if draw == nil {
		return nil
	}
	return func(tried, proposed int) {
		done, total := tried, plan.Candidates
		if total == 0 {
			done, total = int(time.Since(start).Milliseconds()), int(plan.Budget.Milliseconds())
		}
		if proposed == 0 || done > total {
			done = total
		}
		draw(done, total)
	}
}
