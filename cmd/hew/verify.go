package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"hew/compile"
	"hew/internal/nodiff"
	"hew/ir"
	"hew/predict"
	"hew/score"
)

func newVerify() *cobra.Command {
	var rowFile, expect, output, iterations string
	var boundary int
	var ulps uint64
	var flags compileFlags
	cmd := &cobra.Command{
		Use:   "verify MODEL",
		Short: "Prove that every engine gives the model's numbers, bit for bit",
		Long: `Prove that every engine gives the model's numbers, bit for bit. The model is
compiled in every strategy and built; then the compiled code, the engines of this
process at each level of the processor, and the reference evaluator score the same
rows, each alone and all in batches of several sizes: rows made from the model's own
thresholds, at which engines go wrong, and those of --rows. With --expect, the
reference's numbers are compared with those that the trainer gave for the rows of
--rows. Any difference is exit status 1; --ulps allows the trainer's numbers some,
for those that it computes with functions whose last bits depend on its machine.`,
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
			case ulps > 0 && expect == "":
				return usagef("--ulps is about the numbers of --expect; give --expect too")
			case boundary < -1 || boundary == 0 && rowFile == "":
				return usagef("--boundary %d leaves nothing to verify", boundary)
			}
			if err := score.CheckOutput(output); err != nil {
				return usageError{err}
			}
			e, err := flags.load(cmd, args[0], rowFile)
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
			var given predict.Values
			if rowFile != "" {
				table, err := flags.in.read(cmd, rowFile, e)
				if err != nil {
					return err
				}
				if given = table.X; boundary == 0 && table.NumRows == 0 {
					return fmt.Errorf("%s: no rows: there is nothing to verify", rowFile)
				}
				printLine(cmd.OutOrStdout(), "rows", "%d of %s", table.NumRows, rowFile)
			}
			equal, err := verifyEngines(cmd, args[0], e, &flags, concat(x, given))
			if err != nil {
				return err
			}
			if flags.trained != nil {
				old := nodiff.Rows(flags.trained, boundary, 2) // at the thresholds that were
				within, err := verifyBound(cmd.OutOrStdout(), flags.trained, e, concat(old, concat(x, given)))
				if err != nil {
					return err
				}
				equal = equal && within
			}
			if expect != "" {
				same, err := verifyExpected(cmd.OutOrStdout(), e, given, output, expect, ulps)
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
	f.Uint64Var(&ulps, "ulps", 0, "how far the numbers of --expect may be from the reference's, in steps of their type")
	f.StringVar(&output, "output", "predict", "which numbers --expect holds: "+score.Outputs())
	f.StringVar(&iterations, "iterations", "", "boosting rounds A:B, from A up to but without B [all]")
	flags.addAll(cmd)
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

func concat(a, b predict.Values) predict.Values {
	return predict.Values{F32: append(a.F32, b.F32...), F64: append(a.F64, b.F64...)}
}

// verifyBound compares how far lossy passes moved the margins of the rows in x with how
// far they may have.
func verifyBound(w io.Writer, before, after *ir.Ensemble, x predict.Values) (within bool, err error) {
	a, err := score.Run(before, score.Request{Output: "margin", X: x})
	if err != nil {
		return false, err
	}
	b, err := score.Run(after, score.Request{Output: "margin", X: x})
	if err != nil {
		return false, err
	}
	moved := compile.Moved(values(&a), values(&b), after.Outputs)
	within = true
	for k, d := range moved {
		within = within && d <= after.Source.Bound[k]
	}
	printLine(w, "trained model", "margins moved by at most %.3g on %d rows; certified for every row: %.3g",
		slices.Max(moved), x.Len()/len(after.Features), slices.Max(after.Source.Bound))
	return within, nil
}

// verifyExpected compares the reference's numbers, or texts, for the rows in x with
// those of a file, which may be so many steps of their type away.
func verifyExpected(w io.Writer, e *ir.Ensemble, x predict.Values, output, file string, ulps uint64) (equal bool, err error) {
	got, err := score.Run(e, score.Request{Output: output, X: x})
	if err != nil {
		return false, err
	}
	want, err := readLike(file, &got)
	if err != nil {
		return false, err
	}
	if got.Text != nil {
		return verifyTexts(w, output, file, got.Text, want.Text)
	}
	part, err := nodiff.CompareValues(values(&got), values(&want), x.Len()/len(e.Features))
	if err != nil {
		return false, fmt.Errorf("%s: %w", file, err)
	}
	printLine(w, "trainer", "%s of %s: %v", output, file, part)
	return part.OK() || part.MaxULP <= ulps, nil
}

// verifyTexts compares labels that are texts.
func verifyTexts(w io.Writer, output, file string, got, want []string) (equal bool, err error) {
	if len(got) != len(want) {
		return false, fmt.Errorf("%s: %d texts, want %d", file, len(want), len(got))
	}
	same, first := 0, ""
	for i := range got {
		if got[i] == want[i] {
			same++
		} else if first == "" {
			first = fmt.Sprintf("\nit differs first in number %d: %q, want %q", i, got[i], want[i])
		}
	}
	printLine(w, "trainer", "%s of %s: equal: %d of %d%s", output, file, same, len(got), first)
	return same == len(got), nil
}
