package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"hew/internal/lossy"
	"hew/ir"
	"hew/load"
	"hew/save"
)

// newRewrite returns the command prune or quantize: a model file in, a smaller one out.
func newRewrite(name, short string) *cobra.Command {
	var out, rowFile string
	var flags modelFlags
	cmd := &cobra.Command{
		Use:   name + " MODEL",
		Short: short,
		Long: short + `. Both commands prune and quantize do the same. What comes out is a model file again: of an XGBoost model one
that XGBoost loads (.json or .ubj) and scores with the bits that hew gives; of others,
and with a name that ends in .hew.json, hew's own form, which hew reads like any model.
Without settings, only exact passes run. The report on standard error has the certified
bound of each lossy pass: how far a margin may move, on any row. With --rows it also has
what moved on those rows: margins, predictions, labels and, if --label names their column,
the metric of the objective. Bytes are those of the ensemble in memory. Gains of splits do
not stay, so that feature_importances_ of the written file say nothing.`,
		Example: fmt.Sprintf(`  hew %[1]s churn.json -o small.json --prune truncate=best,epsilon=1e-4
  hew %[1]s churn.ubj -o small.ubj --prune reduced-error --fit fit.csv --rows valid.csv --label churned
  hew %[1]s churn.json -o small.json --quantize thresholds=uint8,leaves=f16`, name),
		Args: models(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usagef("%s needs -o MODEL2, the file to write", name)
			}
			original, err := readModelFile(cmd, args[0])
			if err != nil {
				return err
			}
			e, err := flags.read(cmd, args[0], bytes.NewReader(original), cmp.Or(rowFile, flags.fit))
			if err != nil {
				return err
			}
			var measure *lossy.Data
			if rowFile != "" {
				if measure, err = flags.labels.readAny(cmd, &flags.in, rowFile, e); err != nil {
					return err
				}
			}
			if err := flags.rewrite(cmd, args[0], e, measure); err != nil {
				return err
			}
			// It may be the file that was read: nothing is lost if e cannot be written.
			var made bytes.Buffer
			if err := writeModel(&made, out, e, original); err != nil {
				return err
			}
			if err := warnOfConstants(cmd, out, e, made.Bytes()); err != nil {
				return err
			}
			return writeTo(cmd, out, func(w io.Writer) error {
				_, err := made.WriteTo(w)
				return err
			})
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "model file to write, - for standard output")
	cmd.Flags().StringVar(&rowFile, "rows", "", "rows to measure on what the passes do; others than those of --fit")
	flags.addInput(cmd)
	flags.addLossy(cmd)
	return cmd
}

// readModelFile returns the bytes of a model file, or of standard input for "-".
func readModelFile(cmd *cobra.Command, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(cmd.InOrStdin())
	}
	return os.ReadFile(name)
}

// writeModel writes e in the form that its source and the file's name ask for.
func writeModel(w io.Writer, name string, e *ir.Ensemble, original []byte) error {
	container := e.Source.Container
	own := e.Source.Trainer != "xgboost" || container != "json" && container != "ubjson"
	switch {
	case name != "-" && !strings.HasSuffix(name, ".json") && !strings.HasSuffix(name, ".ubj"):
		return fmt.Errorf("%s: the name says no form of model files; end it in .json, .ubj or .hew.json", name)
	case own && strings.HasSuffix(name, ".ubj"):
		return fmt.Errorf("%s: only an XGBoost model that was saved as .json or .ubj becomes a .ubj file; of this one there is hew's own form: name it .hew.json", name)
	case own || strings.HasSuffix(name, ".hew.json"):
		return save.JSON(w, e)
	}
	err := save.XGBoost(w, e, original, strings.HasSuffix(name, ".ubj") || name == "-" && container == "ubjson")
	if err != nil {
		return fmt.Errorf("%w; a name that ends in .hew.json gives hew's own form", err)
	}
	return nil
}

// warnOfConstants reads what is about to be written, and warns if trees of one leaf stand
// in it for a base margin: who predicts with some of the rounds must have theirs.
func warnOfConstants(cmd *cobra.Command, name string, e *ir.Ensemble, made []byte) error {
	written, err := load.Read(name, bytes.NewReader(made))
	if err != nil {
		return fmt.Errorf("what was to be written cannot be read: %w", err)
	}
	if len(written.Trees) <= len(e.Trees) {
		return nil
	}
	rounds := "the first round"
	if e.BaseLast {
		rounds = "the last round"
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "hew: %s: warning: no base_score gives the base margin, so that trees of one leaf in %s add it: predictions from a range of rounds without that round lack it\n", name, rounds)
	return nil
}
