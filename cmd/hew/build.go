package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"hew"
	"hew/build"
	"hew/compile"
	"hew/ir"
)

func newBuild() *cobra.Command {
	var out, project, target string
	var restOnly bool
	var platform build.Target
	var flags compileFlags
	cmd := &cobra.Command{
		Use:   "build [NAME=]MODEL…",
		Short: "Build a static server binary from models",
		Long: `Build a static server binary from models. It speaks REST and gRPC, needs nothing
else on its machine and starts in milliseconds. Building needs the go command; a
gRPC server also needs its modules, from the module cache or a proxy.`,
		Example: `  hew build churn.json -o churn-server
  hew build churn.json fraud=models/v7.ubj -o scorer --rest-only
  hew build churn.json -o churn-server --project churn-src --goos linux --goarch arm64`,
		Args: models(1, -1),
		RunE: cleansUp(func(cmd *cobra.Command, args []string) error {
			switch {
			case out == "":
				return usagef("build needs -o FILE, the program to write")
			case target != "server":
				return usagef("unknown target %q; there is: server", target)
			}
			compiled, err := compileModels(cmd, args, &flags)
			if err != nil {
				return err
			}
			p, err := build.NewProject(build.ProgramName(out), serverOf(restOnly), compiled)
			if err != nil {
				return err
			}
			cost, err := buildIn(cmd, p, project, out, platform)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "go build  %.1f s, %s of memory\n%s  %s\n",
				cost.Seconds, compile.FormatBytes(cost.PeakBytes), out, compile.FormatBytes(cost.ArtifactBytes))
			return nil
		}),
	}
	f := cmd.Flags()
	f.StringVarP(&out, "out", "o", "", "the program to write")
	f.StringVar(&project, "project", "", "keep the program's source in this directory [a temporary one]")
	f.StringVar(&target, "target", "server", "kind of program")
	f.BoolVar(&restOnly, "rest-only", false, "no gRPC: link nothing but the standard library")
	f.StringVar(&platform.OS, "goos", "", "operating system to build for [this one]")
	f.StringVar(&platform.Arch, "goarch", "", "processor to build for [this one]")
	flags.add(cmd)
	return cmd
}

// compileModels loads and compiles the models that the arguments name, each a
// file or NAME=FILE.
func compileModels(cmd *cobra.Command, args []string, flags *compileFlags) ([]build.Model, error) {
	var compiled []build.Model
	for _, arg := range args {
		name, file := splitModel(arg)
		e, err := flags.load(cmd, file, "")
		if err != nil {
			return nil, err
		}
		m, err := compileModel(cmd, e, file, name, flags)
		if err != nil {
			return nil, err
		}
		compiled = append(compiled, m)
	}
	return compiled, nil
}

// compileModel compiles e to a package for a program and reports what happened.
func compileModel(cmd *cobra.Command, e *ir.Ensemble, file, name string, flags *compileFlags) (build.Model, error) {
	return compilePackage(cmd, e, file, name, build.PackageName(name), flags)
}

func compilePackage(cmd *cobra.Command, e *ir.Ensemble, file, name, pkg string, flags *compileFlags) (build.Model, error) {
	o, err := flags.options(pkg, cmd.ErrOrStderr())
	if err != nil {
		return build.Model{}, err
	}
	m, report, err := packageOf(e, name, o)
	if err != nil {
		return build.Model{}, fmt.Errorf("%s: %w", file, err)
	}
	fmt.Fprint(cmd.ErrOrStderr(), report)
	return m, nil
}

// packageOf compiles e to a package for a program.
func packageOf(e *ir.Ensemble, name string, o compile.Options) (build.Model, *compile.Report, error) {
	files, report, err := compile.Package(e, o)
	if err != nil {
		return build.Model{}, nil, err
	}
	info := compile.Info(e, name)
	info.Source.Engine, info.Source.Exact, info.Source.Hew = report.Strategy, report.Exact, hew.Version
	return build.Model{Package: o.Package, Files: files, Info: info}, report, nil
}

// serverOf is the server to build, with gRPC or without.
func serverOf(restOnly bool) build.Program {
	if restOnly {
		return build.RESTServer
	}
	return build.Server
}

// compileStrategies compiles e to packages for a program, one in each strategy that
// there is for it, if the flags say all.
func compileStrategies(cmd *cobra.Command, e *ir.Ensemble, file, name string, flags *compileFlags) ([]build.Model, error) {
	if flags.strategy != allStrategies {
		m, err := compileModel(cmd, e, file, name, flags)
		return []build.Model{m}, err
	}
	var models []build.Model
	one := *flags
	for _, one.strategy = range compile.Strategies(e) {
		m, err := compilePackage(cmd, e, file, name, build.PackageName(name+one.strategy), &one)
		if err != nil {
			return nil, err
		}
		models = append(models, m)
		one.printAfter = "" // once is enough
	}
	return models, nil
}

// codeName names the code of a model in a report, beside the engines of this
// process. There is no such engine as branch.
func codeName(m build.Model) string {
	if m.Info.Source.Engine == "branch" {
		return "branch"
	}
	return m.Info.Source.Engine + " code"
}

// splitModel returns the name under which a model is served and its file.
func splitModel(arg string) (name, file string) {
	if name, file, ok := strings.Cut(arg, "="); ok && name != "" && !strings.ContainsAny(name, `/\`) {
		return name, file
	}
	return build.ModelName(arg), arg
}

// buildIn writes p to the directory dir, or to a temporary one if dir is empty,
// and compiles it to the program out.
func buildIn(cmd *cobra.Command, p *build.Project, dir, out string, t build.Target) (build.Cost, error) {
	defer working(cmd.ErrOrStderr(), "go build")()
	if dir == "" {
		temporary, err := os.MkdirTemp("", "hew-build-")
		if err != nil {
			return build.Cost{}, err
		}
		defer os.RemoveAll(temporary)
		dir = temporary
	}
	if err := p.Write(dir); err != nil {
		return build.Cost{}, err
	}
	return build.Compile(cmd.Context(), dir, out, t)
}
