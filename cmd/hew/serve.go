package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"hew"
	"hew/compile"
	"hew/kernel"
	"hew/predict"
	"hew/serve"
	"hew/serve/grpc"
)

func newServe() *cobra.Command {
	c := serve.DefaultConfig()
	fs := flag.NewFlagSet("serve", flag.ContinueOnError)
	c.Flags(fs, grpc.Front)
	var flags modelFlags
	flags.addGo(fs)
	engine := fs.String("engine", "auto", engineHelp)
	fromEnvironment := serve.Environ(fs, os.LookupEnv) // before cobra parses, so that a flag wins
	cmd := &cobra.Command{
		Use:   "serve [NAME=]MODEL…",
		Short: "Serve models over REST and gRPC, without building a program",
		Long: `Serve models over REST and gRPC, in this process. The program that hew build
makes is the same server over compiled code, with the same flags but --engine; each
flag can also be set by an environment variable, --max-body by HEW_MAX_BODY.`,
		Example: `  hew serve churn.json
  hew serve churn.json fraud=models/v7.ubj --http :9000 --grpc off`,
		Args: models(1, -1),
		RunE: cleansUp(func(cmd *cobra.Command, args []string) error {
			if fromEnvironment != nil {
				return usageError{fromEnvironment}
			}
			if err := compile.CheckEngine(*engine, kernel.ThisCPU()); err != nil {
				return usageError{err}
			}
			var predictors []predict.Predictor
			for _, arg := range args {
				name, file := splitModel(arg)
				e, err := flags.load(cmd, file, "")
				if err != nil {
					return err
				}
				p, err := compile.Predictor(e, name, *engine, kernel.ThisCPU(), flags.without()...)
				if err != nil {
					return fmt.Errorf("%s: %w", file, err)
				}
				p.Source.Hew = hew.Version
				predictors = append(predictors, p)
			}
			c.Log = cmd.ErrOrStderr()
			return serve.Run(cmd.Context(), c, predictors, grpc.Front)
		}),
	}
	cmd.Flags().AddGoFlagSet(fs)
	return cmd
}
