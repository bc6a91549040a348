package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"hew/compile"
	"hew/ir"
	"hew/kernel"
	"hew/predict"
	"hew/rows"
	"hew/score"
)

func newPredict() *cobra.Command {
	var output, out, engine, iterations, base string
	var flags modelFlags
	cmd := &cobra.Command{
		Use:   "predict MODEL ROWS",
		Short: "Score a file of rows",
		Long: `Score a file of rows. ROWS is a .csv, .npy, .svm, .jsonl or .parquet file, or -
for CSV from standard input. Columns are matched with the model's features by
name where the file has names. In CSV, a categorical feature holds the category's
text; in .npy, its code. Nothing, NaN and what --missing names are missing values.

Outputs are the trainer's own: predict is what its predict gives, margin the sum
of the trees, leaf the node reached in each tree. Of an XGBoost model, proba and
label are those of its classifier object, which uses the rounds up to the best one
if training stopped early. A scikit-learn model has those of proba (predict_proba),
decision (decision_function), score (score_samples) and label that its object has;
of several outputs, proba_0 is the first. All engines give the same bits.`,
		Example: `  hew predict churn.json customers.csv
  hew predict churn.json customers.parquet --output margin -o margin.npy
  hew predict churn.json rows.npy --output proba --iterations 0:100 --engine table
  hew predict pipeline.joblib customers.csv --output proba -o proba.npy`,
		Args: models(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := cmp.Or(compile.CheckEngine(engine, kernel.ThisCPU()), score.CheckOutput(output), rows.Writable(out)); err != nil {
				return usageError{err}
			}
			e, err := flags.load(cmd, args[0], args[1])
			if err != nil {
				return err
			}
			if e, err = takeRounds(cmd, e, iterations, output); err != nil {
				return err
			}
			table, err := flags.in.read(cmd, args[1], e)
			if err != nil {
				return err
			}
			r := score.Request{Output: output, X: table.X}
			if base != "" {
				if r.Base, err = readBase(base, table.NumRows, e); err != nil {
					return err
				}
			}
			if r.Engine, err = compile.NewEngine(e, engine, kernel.ThisCPU(), flags.without()...); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			result, err := score.Run(e, r)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return writeOutput(cmd, out, result)
		},
	}
	f := cmd.Flags()
	f.StringVar(&output, "output", "predict", "what to compute: "+score.Outputs())
	f.StringVarP(&out, "out", "o", "", "file to write: .npy, .csv, .jsonl or .parquet [CSV on standard output]")
	f.StringVar(&engine, "engine", "auto", engineHelp)
	f.StringVar(&iterations, "iterations", "", "boosting rounds A:B, from A up to but without B [all]")
	f.StringVar(&base, "base-margin", "", ".npy file of rows × outputs that replaces the base margin")
	flags.addModel(cmd)
	return cmd
}

// engineHelp says what the flag --engine may be.
const engineHelp = "what computes: interp, table (portable code), simd (AVX2 or AVX-512), or auto, the fastest of them"

// takeRounds returns the rounds of e that were asked for or, if none were, those
// from which the trainer computes the output.
func takeRounds(cmd *cobra.Command, e *ir.Ensemble, iterations, output string) (*ir.Ensemble, error) {
	if iterations != "" {
		r, err := score.ParseRounds(iterations)
		if err != nil {
			return nil, usagef("--iterations %v", err)
		}
		return r.Of(e)
	}
	r := score.DefaultRounds(e, output)
	if r != (score.Rounds{}) {
		fmt.Fprintf(cmd.ErrOrStderr(), "hew: %s uses rounds %d:%d, up to the best one\n", output, r.First, r.Last)
	}
	return r.Of(e)
}

// writeOutput writes a result to the named file or, as CSV, to standard output.
func writeOutput(cmd *cobra.Command, name string, result rows.Output) error {
	return writeTo(cmd, name, func(w io.Writer) error { return rows.Write(name, w, result) })
}

// writeTo writes to the named file or, for "" and "-", to standard output.
func writeTo(cmd *cobra.Command, name string, write func(io.Writer) error) (err error) {
	if name == "" || name == "-" {
		return write(cmd.OutOrStdout())
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	return write(f)
}

// rowFlags are the flags of every command that reads rows.
type rowFlags struct {
	noHeader bool
	missing  string
}

func (r *rowFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&r.noHeader, "no-header", false, "the CSV file has no header; columns are in the model's order")
	cmd.Flags().StringVar(&r.missing, "missing", "", "number that means missing, besides NaN, as in -999")
}

// read reads a file of rows for e, or standard input for "-".
func (r *rowFlags) read(cmd *cobra.Command, name string, e *ir.Ensemble) (*rows.Table, error) {
	info := compile.Info(e, "")
	return r.readAs(cmd, name, rows.Options{Features: info.Features, Type: info.Input})
}

// readAs is read with options of the caller's.
func (r *rowFlags) readAs(cmd *cobra.Command, name string, o rows.Options) (*rows.Table, error) {
	o.NoHeader = r.noHeader
	if r.missing != "" {
		v, err := strconv.ParseFloat(r.missing, 64)
		if err != nil {
			return nil, usagef("--missing %q is not a number", r.missing)
		}
		o.Missing = &v
	}
	in, err := openInput(cmd, name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return rows.Read(name, in, o)
}

// openInput opens a file, or standard input for "-".
func openInput(cmd *cobra.Command, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(cmd.InOrStdin()), nil
	}
	return os.Open(name)
}

// readBase reads the base margins of n rows.
func readBase(name string, n int, e *ir.Ensemble) (predict.Values, error) {
	f, err := os.Open(name)
	if err != nil {
		return predict.Values{}, err
	}
	defer f.Close()
	base, err := score.ReadBase(f, n, e.Outputs, predict.Type(e.Sum.String()))
	if err != nil {
		return predict.Values{}, fmt.Errorf("%s: %w", name, err)
	}
	return base, nil
}
