// Command hew compiles trained tree models to Go packages and servers.
//
// Results go to standard output, everything else to standard error. The exit
// status is 0 when the work is done, 1 when it or a check failed, and 2 when the
// command was not understood.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"hew"
	"hew/compile"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes one command line and returns its exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var usage usageError
	var option compile.OptionError
	var status exitStatus
	switch {
	case err == nil || errors.Is(err, compile.ErrHelp):
		return 0
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &usage) || errors.As(err, &option) || strings.HasPrefix(err.Error(), "unknown command"):
		fmt.Fprintf(stderr, "hew: %v\nrun 'hew --help' or 'hew COMMAND --help' for usage\n", err)
		return 2
	default:
		fmt.Fprintf(stderr, "hew: %v\n", err)
		return 1
	}
}

// A usageError is a command line that makes no sense.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// An exitStatus ends the command with a status; what is to be said has been.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "hew",
		Short: "Compile tree models to Go packages and servers",
		Long: `hew reads a trained tree model, compiles it to a Go package or a static
REST/gRPC server, proves that the numbers are the trainer's own bit for bit, and
measures how much faster they come.`,
		Example: `  hew inspect churn.json
  hew compile churn.json -o internal/churn
  hew build churn.json -o churn-server && ./churn-server --http :8080`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		Version:           hew.Version,
		PersistentPreRunE: checkCPU,
	}
	root.SetVersionTemplate("hew {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(
		newInspect(), newPredict(), newVerify(),
		newRewrite("prune", "Make a model smaller by its trees"),
		newRewrite("quantize", "Make a model smaller by its numbers"),
		newCompile(), newBuild(), newServe(), newBench(), newTune(), newReport(), newVersion(),
	)
	return root
}

// models accepts the given number of model arguments; most < 0 means any number.
func models(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return usagef("%s takes %s, got %d arguments", cmd.CommandPath(), strings.TrimPrefix(cmd.Use, cmd.Name()+" "), len(args))
		}
		return nil
	}
}

// cleansUp makes a signal end the context of a command that has something to clean
// up. A second one ends the process at once, as the first does where there is
// nothing.
func cleansUp(command func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, stop)
		cmd.SetContext(ctx)
		return command(cmd, args)
	}
}
