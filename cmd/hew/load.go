package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hew/compile"
	"hew/internal/lossy"
	"hew/internal/npy"
	"hew/ir"
	"hew/load"
	"hew/predict"
)

// modelFlags are the flags of every command that loads a model.
type modelFlags struct {
	input  string
	noFold bool

	prune, quantize string // lossy passes
	fit             string // rows for those that need them
	labels          labelFlags
	in              rowFlags // of all files of rows

	trained *ir.Ensemble    // what load read, before lossy passes; nil without
	lossy   *compile.Report // what these did
}

// What the flags say of themselves.
const (
	inputHelp  = "type of the rows of a scikit-learn model, float32 or float64 [float64, or float32 for rows in a .npy of that type]"
	noFoldHelp = "compute the columns of a pipeline for each row; by default they vanish into the splits behind them"
	pruneHelp  = "lossy passes: truncate=N|best (rounds to keep), trees=N|P% (to drop), min-cover=C, epsilon=E, reduced-error, refit=L (100 is mild, 1 strong), several with commas"
	quantHelp  = "lossy passes: thresholds=f16|bf16|uint8|uint16, merge=E, leaves=f16|bf16|int16|int8|fixed, scale=tree (with int8, int16), several with commas"
	fitHelp    = "file of rows with labels, for lossy passes that look at them"
)

func (m *modelFlags) addInput(cmd *cobra.Command) {
	cmd.Flags().StringVar(&m.input, "input", "", inputHelp)
}

// addModel adds all flags.
func (m *modelFlags) addModel(cmd *cobra.Command) {
	m.addInput(cmd)
	cmd.Flags().BoolVar(&m.noFold, "no-fold", false, noFoldHelp)
	m.addLossy(cmd)
}

// addLossy adds the flags of lossy passes.
func (m *modelFlags) addLossy(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&m.prune, "prune", "", pruneHelp)
	f.StringVar(&m.quantize, "quantize", "", quantHelp)
	f.StringVar(&m.fit, "fit", "", fitHelp)
	m.labels.add(cmd)
	m.in.add(cmd)
}

// addGo adds all flags to a flag set of the standard library.
func (m *modelFlags) addGo(fs *flag.FlagSet) {
	fs.StringVar(&m.input, "input", "", inputHelp)
	fs.BoolVar(&m.noFold, "no-fold", false, noFoldHelp)
}

// without returns the names of passes that engines of this process do without.
func (m *modelFlags) without() []string {
	if m.noFold {
		return []string{"fold"}
	}
	return nil
}

// load reads a model file, or standard input for "-", tells what a user should know
// about it, and runs the lossy passes that are asked for. The file of rows that the
// model is for, if there is one, decides about their type if the flags do not.
func (m *modelFlags) load(cmd *cobra.Command, name, rowFile string) (*ir.Ensemble, error) {
	in, err := openInput(cmd, name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	e, err := m.read(cmd, name, in, rowFile)
	if err != nil || m.prune+m.quantize+m.fit == "" {
		return e, err
	}
	return e, m.rewrite(cmd, name, e, nil)
}

// read is load without lossy passes, from a reader.
func (m *modelFlags) read(cmd *cobra.Command, name string, in io.Reader, rowFile string) (*ir.Ensemble, error) {
	o := load.Options{Float32: predict.Type(m.input) == predict.Float32}
	switch predict.Type(m.input) {
	case "":
		o.Float32 = isFloat32(rowFile)
	case predict.Float32, predict.Float64:
	default:
		return nil, usagef("--input %q: there are float32 and float64", m.input)
	}
	e, err := o.Read(name, in)
	if err != nil {
		return nil, err
	}
	if takes := compile.Info(e, "").Input; m.input != "" && takes != predict.Type(m.input) {
		return nil, usagef("--input %s: %s takes rows of %s only", m.input, name, takes)
	}
	for _, w := range e.Source.Warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "hew: %s: warning: %s\n", name, w)
	}
	return e, nil
}

// rewrite runs the lossy passes that are asked for, and the exact ones around them, and
// reports what they did, and did on rows if there are some.
func (m *modelFlags) rewrite(cmd *cobra.Command, name string, e *ir.Ensemble, measure *lossy.Data) error {
	s, err := compile.ParseSettings(m.prune, m.quantize)
	switch {
	case err != nil:
		return usageError{err}
	case m.fit != "" && m.prune+m.quantize == "":
		return usagef("--fit %s: no --prune and no --quantize looks at rows", m.fit)
	}
	for _, p := range s.Passes() {
		if p.NeedsRows && m.fit == "" {
			return usagef("%s looks at rows: give some with --fit FILE, and say with --label COLUMN what was observed", p.Name)
		}
	}
	var d *lossy.Data
	if m.fit != "" {
		if d, err = m.labels.read(cmd, &m.in, m.fit, e); err != nil {
			return err
		}
	}
	if measure != nil {
		s.Rows = measure.X
	}
	m.trained = e.Clone()
	r, err := s.Transform(e, d)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	m.lossy = r
	if err := r.Print(cmd.ErrOrStderr()); err != nil || measure == nil {
		return err
	}
	return newChange(m.trained, e, measure).print(cmd.ErrOrStderr())
}

// isFloat32 reports whether the named file is a .npy of float32 numbers. What is
// wrong with it is told when it is read.
func isFloat32(name string) bool {
	if !strings.EqualFold(filepath.Ext(name), ".npy") {
		return false
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	dtype, err := npy.ReadType(f)
	return err == nil && strings.HasSuffix(dtype, "f4")
}
