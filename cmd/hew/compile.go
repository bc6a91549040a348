package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"hew"
	"hew/bench"
	"hew/build"
	"hew/compile"
	"hew/ir"
	"hew/prune"
)

func newCompile() *cobra.Command {
	var out, pkg string
	var flags compileFlags
	cmd := &cobra.Command{
		Use:   "compile MODEL",
		Short: "Write a Go package that predicts as the model does",
		Long: `Write a Go package that predicts as the model does, bit for bit. The package
imports only the standard library and brings its own test and benchmark.`,
		Example: `  hew compile churn.json -o internal/churn
  hew compile churn.json -o churn --print-after collapse
  //go:generate hew compile ../models/churn.json -o .`,
		Args: models(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usagef("compile needs -o DIR, the directory of the package")
			}
			e, err := flags.load(cmd, args[0], "")
			if err != nil {
				return err
			}
			if pkg == "" {
				dir, err := filepath.Abs(out)
				if err != nil {
					return err
				}
				pkg = build.PackageName(filepath.Base(dir))
			}
			o, err := flags.options(pkg, cmd.OutOrStdout())
			if err != nil {
				return err
			}
			files, report, err := compile.Package(e, o)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if err := build.WriteFiles(out, files); err != nil {
				return err
			}
			fmt.Fprint(cmd.ErrOrStderr(), report)
			if flags.profile != "" && report.BranchRows == 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "hew: --profile changes nothing here: it is for branch code, and this is %s\n", report.Strategy)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&out, "out", "o", "", "directory of the package; created if it is missing")
	f.StringVar(&pkg, "package", "", "name of the package [the directory's name]")
	flags.add(cmd)
	return cmd
}

// compileFlags are the flags of every command that compiles models.
type compileFlags struct {
	modelFlags
	strategy   string
	printAfter string
	maxMemory  string
	profile    string
}

func (c *compileFlags) add(cmd *cobra.Command) {
	c.addFor(cmd, "auto", "how trees become Go: branch (if and else), table (portable tables), simd (tables with AVX2 and AVX-512), or auto")
}

// allStrategies is the strategy of commands that compare: every one that there is.
const allStrategies = "all"

// addAll adds the flags to a command that compares strategies.
func (c *compileFlags) addAll(cmd *cobra.Command) {
	c.addFor(cmd, allStrategies, "what to compile: branch, table, simd, auto, or all")
}

func (c *compileFlags) addFor(cmd *cobra.Command, strategy, help string) {
	f := cmd.Flags()
	f.StringVar(&c.strategy, "strategy", strategy, help)
	f.StringVar(&c.printAfter, "print-after", "", "print the ensemble after a pass [help = list the passes]")
	c.addModel(cmd)
	f.StringVar(&c.profile, "profile", "", "file of rows like those to come: branch code is laid out so that they jump least [the training rows, as the model counts them]")
	f.StringVar(&c.maxMemory, "max-compile-memory", "", "choose a form of the code for which the Go compiler needs less, as in 512M [1G, if that can be]")
}

// load is that of modelFlags, and counts the rows of --profile.
func (c *compileFlags) load(cmd *cobra.Command, name, rowFile string) (*ir.Ensemble, error) {
	e, err := c.modelFlags.load(cmd, name, rowFile)
	if err != nil || c.profile == "" {
		return e, err
	}
	d, err := c.labels.readAny(cmd, &c.in, c.profile, e)
	if err != nil {
		return nil, err
	}
	hot := prune.Profile(e, d.X)
	if hot == 0 {
		return nil, fmt.Errorf("--profile %s: no row, or no split that one reaches", c.profile)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "profile    %s rows; %.1f%% of their decisions go the way that more of them go\n", bench.Group(len(d.X)/len(e.Features)), 100*hot)
	return e, nil
}

func (c *compileFlags) options(pkg string, dump io.Writer) (compile.Options, error) {
	o := compile.Options{Package: pkg, Strategy: c.strategy, PrintAfter: c.printAfter, Dump: dump, NoFold: c.noFold, Version: hew.Version}
	if c.maxMemory == "" {
		return o, nil
	}
	n, err := parseBytes(c.maxMemory)
	if err != nil {
		return o, usagef("--max-compile-memory: %v", err)
	}
	o.MaxMemory = n
	return o, nil
}
