package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"hew/build"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/predict"
	"hew/score"
)

func newVerify() *cobra.Command {
	var rowFile, expect, output, iterations string
	var boundary int
	var flags compileFlags
	var in rowFlags
	cmd := &cobra.Command{
		Use:   "verify MODEL",
		Short: "Prove that compiled code gives the model's numbers, bit for bit",
		Long: `Prove that compiled code gives the model's numbers, bit for bit. The model is
compiled and built; then the compiled code and the reference evaluator score the
same rows: rows made from the model's own thresholds, at which engines go wrong,
and those of --rows. With --expect, the reference's numbers are compared with
those that the trainer gave for the rows of --rows. Any difference is exit status 1.`,
		Example: `  hew verify churn.json
  hew verify churn.json --rows valid.csv
  hew verify churn.json --rows rows.npy --expect margin.npy --output margin`,
		Args: models(1, 1),
		RunE: cleansUp(func(cmd *cobra.Command, args []string) error {
			switch {
			case expect != "" && rowFile == "":
				return usagef("--expect needs --rows, the rows that its numbers belong to")
			case cmd.Flags().Changed("output") && expect == "":
				return usagef("--output says which numbers --expect holds; give --expect too")
			case boundary < -1 || boundary == 0 && rowFile == "":
				return usagef("--boundary %d leaves nothing to verify", boundary)
			}
			e, err := loadModel(cmd, args[0])
			if err != nil {
				return err
			}
			if e, err = slice(cmd, e, iterations, output); err != nil {
				return err
			}
			all := nodiff.NumBoundaryRows(e)
			if boundary < 0 {
				boundary = defaultBoundary(e, all)
			}
			x := nodiff.Rows(e, boundary, 1)
			printRows(cmd.OutOrStdout(), boundary, all)
			var given []float32
			if rowFile != "" {
				table, err := in.read(cmd, rowFile, e)
				if err != nil {
					return err
				}
				given = table.X
				fmt.Fprintf(cmd.OutOrStdout(), "rows     %d of %s\n", table.NumRows, rowFile)
			}
			equal, err := verifyCompiled(cmd, args[0], e, &flags, append(x, given...))
			if err != nil {
				return err
			}
			if expect != "" {
				same, err := verifyExpected(cmd.OutOrStdout(), e, given, output, expect)
				if err != nil {
					return err
				}
				equal = equal && same
			}
			if !equal {
				return exitStatus(1)
			}
			return nil
		}),
	}
	f := cmd.Flags()
	f.StringVar(&rowFile, "rows", "", "rows to try besides the made ones")
	f.IntVar(&boundary, "boundary", -1, "number of rows to make from the model [-1 = all, and 4096 random ones; fewer for a large model]")
	f.StringVar(&expect, "expect", "", ".npy file of the trainer's numbers for --rows")
	f.StringVar(&output, "output", "predict", "which numbers --expect holds: "+score.Outputs())
	f.StringVar(&iterations, "iterations", "", "boosting rounds A:B, from A up to but without B [all]")
	flags.add(cmd)
	in.add(cmd)
	return cmd
}

// defaultBoundary returns a number of rows for which a verification takes about
// half a minute at most: all around the thresholds of e, unless e is large.
func defaultBoundary(e *ir.Ensemble, all int) int {
	budget := max(20_000, 50_000_000/max(len(e.Trees), 1))
	return min(all+4096, budget, 200_000_000/len(e.Features))
}

func printRows(w io.Writer, made, all int) {
	if made < all {
		fmt.Fprintf(w, "rows     %d made, a random choice of the %d at thresholds, neighbours and special values (--boundary makes more)\n", made, all)
		return
	}
	fmt.Fprintf(w, "rows     %d made, at all thresholds, neighbours and special values\n", made)
}

// verifyCompiled compares the compiled model with the reference on the rows in x.
func verifyCompiled(cmd *cobra.Command, file string, e *ir.Ensemble, flags *compileFlags, x []float32) (equal bool, err error) {
	model, err := compileModel(cmd, e, file, build.ModelName(file), flags)
	if err != nil {
		return false, err
	}
	w, err := startWorker(cmd, []build.Model{model})
	if err != nil {
		return false, err
	}
	defer w.Close()
	var diff nodiff.Diff
	err = w.Use(0, func(p predict.Predictor) { diff = nodiff.Compare(interp.New(e), p, x) })
	if err != nil {
		return false, err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%-8s %v\n", model.Info.Source.Engine, diff)
	return diff.OK() || !model.Info.Source.Exact, nil
}

// verifyExpected compares the reference's numbers for the rows in x with those
// of a file.
func verifyExpected(w io.Writer, e *ir.Ensemble, x []float32, output, file string) (equal bool, err error) {
	want, err := readFloats(file)
	if err != nil {
		return false, err
	}
	got, err := score.Run(e, score.Request{Output: output, X: x})
	if err != nil {
		return false, err
	}
	values := got.Float32
	if values == nil {
		for _, v := range got.Int32 {
			values = append(values, float32(v))
		}
	}
	part, err := nodiff.CompareValues(values, want, len(x)/len(e.Features))
	if err != nil {
		return false, fmt.Errorf("%s: %w", file, err)
	}
	fmt.Fprintf(w, "trainer  %s of %s: %v\n", output, file, part)
	return part.OK(), nil
}
