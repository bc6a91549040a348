package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"hew/ir"
	"hew/load"
)

// loadModel reads a model file, or standard input for "-", and tells what a user
// should know about it.
func loadModel(cmd *cobra.Command, name string) (*ir.Ensemble, error) {
	var e *ir.Ensemble
	var err error
	if name == "-" {
		e, err = load.Read(name, cmd.InOrStdin())
	} else {
		e, err = load.File(name)
	}
	if err != nil {
		return nil, err
	}
	for _, w := range e.Source.Warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "hew: %s: warning: %s\n", name, w)
	}
	return e, nil
}
