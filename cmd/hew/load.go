package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hew/compile"
	"hew/internal/npy"
	"hew/ir"
	"hew/load"
	"hew/predict"
)

// modelFlags are the flags of every command that loads a model.
type modelFlags struct {
	input  string
	noFold bool
}

// What the flags say of themselves.
const (
	inputHelp  = "type of the rows of a scikit-learn model, float32 or float64 [float64, or float32 for rows in a .npy of that type]"
	noFoldHelp = "compute the columns of a pipeline for each row; by default they vanish into the splits behind them"
)

func (m *modelFlags) addInput(cmd *cobra.Command) {
	cmd.Flags().StringVar(&m.input, "input", "", inputHelp)
}

// addModel adds all flags.
func (m *modelFlags) addModel(cmd *cobra.Command) {
	m.addInput(cmd)
	cmd.Flags().BoolVar(&m.noFold, "no-fold", false, noFoldHelp)
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

// load reads a model file, or standard input for "-", and tells what a user should
// know about it. The file of rows that the model is for, if there is one, decides
// about their type if the flags do not.
func (m *modelFlags) load(cmd *cobra.Command, name, rowFile string) (*ir.Ensemble, error) {
	o := load.Options{Float32: predict.Type(m.input) == predict.Float32}
	switch predict.Type(m.input) {
	case "":
		o.Float32 = isFloat32(rowFile)
	case predict.Float32, predict.Float64:
	default:
		return nil, usagef("--input %q: there are float32 and float64", m.input)
	}
	var e *ir.Ensemble
	var err error
	if name == "-" {
		e, err = o.Read(name, cmd.InOrStdin())
	} else {
		e, err = o.File(name)
	}
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
