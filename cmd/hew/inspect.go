package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"hew/compile"
	"hew/inspect"
	"hew/kernel"
)

func newInspect() *cobra.Command {
	var asJSON bool
	var flags modelFlags
	cmd := &cobra.Command{
		Use:   "inspect MODEL",
		Short: "Say what a model file holds and what hew will do with it",
		Example: `  hew inspect churn.json
  hew inspect --json churn.ubj | jq .trees
  cat churn.json | hew inspect -`,
		Args: models(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := flags.load(cmd, args[0], "")
			if err != nil {
				return err
			}
			engine, err := compile.EnginePlan(e, kernel.ThisCPU())
			if err != nil {
				return err
			}
			m := inspect.Describe(e, append(compile.Plan(e), engine...))
			if !asJSON {
				return m.Print(cmd.OutOrStdout())
			}
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetIndent("", "  ")
			enc.SetEscapeHTML(false)
			return enc.Encode(m)
		},
	}
	flags.addInput(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with every feature")
	return cmd
}
