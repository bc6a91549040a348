package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"hew/internal/nodiff"
	"hew/ir"
	"hew/score"
)

func newVerify() *cobra.Command {
	var rowFile, expect, output, iterations string
	var boundary int
	var flags compileFlags
	var in rowFlags
	cmd := &cobra.Command{
		Use:   "verify MODEL",
		Short: "Prove that every engine gives the model's numbers, bit for bit",
		Long: `Prove that every engine gives the model's numbers, bit for bit. The model is
compiled in every strategy and built; then the compiled code, the engines of this
process at each level of the processor, and the reference evaluator score the same
rows, each alone and all in batches of several sizes: rows made from the model's own
thresholds, at which engines go wrong, and those of --rows. With --expect, the
reference's numbers are compared with those that the trainer gave for the rows of
--rows. Any difference is exit status 1.`,
		Example: `  hew verify churn.json
  hew verify churn.json --rows valid.csv --strategy simd
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
			if err := score.CheckOutput(output); err != nil {
				return usageError{err}
			}
			e, err := loadModel(cmd, args[0])
			if err != nil {
				return err
			}
			if e, err = takeRounds(cmd, e, iterations, output); err != nil {
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
				if given = table.X; boundary == 0 && table.NumRows == 0 {
					return fmt.Errorf("%s: no rows: there is nothing to verify", rowFile)
				}
				printLine(cmd.OutOrStdout(), "rows", "%d of %s", table.NumRows, rowFile)
			}
			equal, err := verifyEngines(cmd, args[0], e, &flags, append(x, given...))
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
	flags.addAll(cmd)
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
		printLine(w, "rows", "%d made, a random choice of the %d at thresholds, neighbours and special values (--boundary makes more)", made, all)
		return
	}
	printLine(w, "rows", "%d made, at all thresholds, neighbours and special values", made)
}

// printLine prints a line of the report: what it is about, and a text.
func printLine(w io.Writer, about, format string, args ...any) {
	fmt.Fprintf(w, "%-17s  %s\n", about, fmt.Sprintf(format, args...))
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
	printLine(w, "trainer", "%s of %s: %v", output, file, part)
	return part.OK(), nil
}
