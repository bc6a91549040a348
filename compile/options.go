package compile

import (
	"fmt"
	"go/token"
	"io"
	"slices"
	"strings"

	"hew/internal/nearest"
)

// Options say what to make of an ensemble. The zero value of each field but
// Package is a sensible default.
type Options struct {
	Package  string // name of the generated package
	Strategy string // "branch", "table", "simd" or "auto", which is also the default

	// PrintAfter names a pass after which Dump receives the text form of the
	// ensemble; "help" writes the list of passes instead and ends with ErrHelp.
	PrintAfter string
	Dump       io.Writer // nil discards

	// NoFold leaves columns as they are: a pipeline's operations are executed for
	// each row.
	NoFold bool

	// MaxMemory bounds the estimated peak memory of compiling the generated
	// package, in bytes. To stay below it, a large ensemble is printed in a
	// plainer and slower form; if none fits, Package fails. 0 stands for 1 GB,
	// which a very large ensemble may exceed in its plainest form.
	MaxMemory int64

	Version string // of hew, for the header of generated files; "dev" by default
}

// An OptionError says that an option is none: nobody has to look at a model to
// know it.
type OptionError struct{ error }

func optionf(format string, args ...any) error { return OptionError{fmt.Errorf(format, args...)} }

// check fills in defaults and reports options that Package cannot follow.
func (o *Options) check() error {
	if err := o.checkPrintAfter(); err != nil {
		return err
	}
	if err := o.checkPackage(); err != nil {
		return err
	}
	return o.checkStrategy()
}

func (o *Options) checkPrintAfter() error {
	if o.Dump == nil {
		o.Dump = io.Discard
	}
	switch names := passNames(passes); {
	case o.PrintAfter == "":
		return nil
	case o.PrintAfter == "help":
		if err := printPasses(o.Dump, passes); err != nil {
			return err
		}
		return ErrHelp
	default:
		return checkName("pass", o.PrintAfter, append(names, "help"))
	}
}

func (o *Options) checkPackage() error {
	switch p := o.Package; {
	case !token.IsIdentifier(p) || p == "_":
		return optionf("package name %q is not a Go identifier", p)
	case p == "main" || p == "init":
		return optionf("package name %q cannot be imported; choose another", p)
	case strings.HasSuffix(p, "_test"):
		return optionf("package name %q is reserved for tests; choose another", p)
	}
	if o.MaxMemory < 0 {
		return optionf("maximum compile memory %d is negative", o.MaxMemory)
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	return nil
}

func (o *Options) checkStrategy() error {
	if o.Strategy == "" {
		o.Strategy = "auto"
	}
	return checkName("strategy", o.Strategy, strategies)
}

// passes returns the passes that run.
func (o *Options) passes() []pass {
	if o.NoFold {
		return but(passes, []string{"fold"})
	}
	return passes
}

func passNames(passes []pass) []string {
	names := make([]string, len(passes))
	for i, p := range passes {
		names[i] = p.name
	}
	return names
}

// checkName reports a name that is not one of the known ones; the error suggests
// the nearest of them, or lists them if none is near.
func checkName(kind, name string, known []string) error {
	if slices.Contains(known, name) {
		return nil
	}
	hint := nearest.Hint(name, known)
	if hint == "" {
		hint = " (want one of " + strings.Join(known, ", ") + ")"
	}
	return optionf("unknown %s %q%s", kind, name, hint)
}
