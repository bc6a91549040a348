package serve

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"hew/predict"
)

// Main is the main function of a server of the given predictors. args are the
// arguments without the program's name. It returns the exit status: 0 after
// --version, -h and a stop by SIGTERM or SIGINT that lost nothing, 1 after a
// failure, 2 after a wrong flag or environment variable.
func Main(args []string, stdout, stderr io.Writer, predictors []predict.Predictor, fronts ...Front) int {
	c := DefaultConfig()
	c.Log = stderr
	fs := flag.NewFlagSet("server", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // the error is printed below, the usage on demand
	c.Flags(fs, fronts...)
	err := Environ(fs, os.LookupEnv)
	version := fs.Bool("version", false, "print the models and versions, and exit") // of no variable
	if err == nil {
		err = fs.Parse(args)
	}
	if err == nil && fs.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err == nil {
		err = c.check()
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		usage(stdout, fs)
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "%s (-h shows the flags)\n", err)
		return 2
	case *version:
		printVersions(stdout, predictors)
		return 0
	}
	prepare(predictors)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := Run(ctx, c, predictors, fronts...); err != nil {
		NewLog(stderr, c.LogLevel).Error("failed", "error", err)
		return 1
	}
	return 0
}

// prepare has each predictor score rows of missing values. Generated code makes its
// tables when it is first called, perhaps only by a call with some more rows than a
// few: no request should have to wait for that.
func prepare(predictors []predict.Predictor) {
	const most, values = 64, 1 << 18 // a wide model has no other way for few rows
	for _, p := range predictors {
		rows := max(1, min(most, values/p.NumFeatures))
		x := predict.MakeValues(p.Input, rows*p.NumFeatures)
		for i := range x.Len() {
			x.Set(i, math.NaN())
		}
		margins := predict.MakeValues(p.Output, rows*p.NumMargins)
		p.Margin(margins, x)
		for i, a := range p.Answers {
			p.Answer(i, predict.MakeValues(p.Output, rows*a.Width), margins, x)
		}
	}
}

// Flags defines the flags of a server, which set c. Environ sets them from the
// environment.
func (c *Config) Flags(fs *flag.FlagSet, fronts ...Front) {
	c.addrFlag(fs, httpFront(c.ReadTimeout), "REST")
	linked := map[string]bool{}
	for _, f := range fronts {
		c.addrFlag(fs, f, f.Title)
		linked[f.Name] = true
	}
	if !linked["grpc"] {
		fs.Func("grpc", "not in this server; only off is accepted", noGRPC)
	}
	fs.Int64Var(&c.MaxBody, "max-body", c.MaxBody, "largest request body in `bytes`, also after unpacking")
	fs.IntVar(&c.MaxRows, "max-rows", c.MaxRows, "most `rows` in a request")
	fs.DurationVar(&c.ReadTimeout, "read-timeout", c.ReadTimeout, "longest `time` for a request to arrive")
	fs.DurationVar(&c.DrainDelay, "drain-delay", c.DrainDelay, "`time` from SIGTERM, when readiness is off, until listening ends")
	fs.DurationVar(&c.DrainTimeout, "drain-timeout", c.DrainTimeout, "longest `time` for requests in flight to finish after that")
	fs.Var(&c.LogLevel, "log-level", "least `level` to log: debug (every request), info, warn or error")
}

func (c *Config) addrFlag(fs *flag.FlagSet, f Front, title string) {
	usage := fmt.Sprintf("`address` of %s, off for none (default %s)", title, f.Addr)
	fs.Func(f.Name, usage, func(addr string) error {
		if addr == "" {
			return errors.New("empty address")
		}
		c.Addrs[f.Name] = addr
		return nil
	})
}

func noGRPC(addr string) error {
	if addr == Off {
		return nil
	}
	return errors.New("this server was built without gRPC; build it without --rest-only")
}

// Environ sets the flags from the environment variables that are named after
// them: HEW_MAX_BODY sets --max-body. Call it before the flags are parsed, so
// that a flag wins.
func Environ(fs *flag.FlagSet, lookup func(string) (string, bool)) error {
	var errs []error
	fs.VisitAll(func(f *flag.Flag) {
		name := envName(f.Name)
		if value, ok := lookup(name); ok {
			if err := fs.Set(f.Name, value); err != nil {
				errs = append(errs, fmt.Errorf("invalid value %q for environment variable %s: %w", value, name, err))
			}
		}
	})
	return errors.Join(errs...)
}

func envName(flag string) string {
	return "HEW_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func usage(w io.Writer, fs *flag.FlagSet) {
	fmt.Fprintln(w, "Flags (each also as an environment variable, --max-body as HEW_MAX_BODY; a flag wins):")
	fs.VisitAll(func(f *flag.Flag) {
		kind, text := flag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "false" {
			text += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(w, "  --%-24s %s\n", strings.TrimSpace(f.Name+" "+kind), text)
	})
}

func printVersions(w io.Writer, predictors []predict.Predictor) {
	for _, p := range predictors {
		s := &p.Source
		fmt.Fprintf(w, "%s version %s: %s (%s, sha256 %s), engine %s, exact %s, hew %s, %s\n", p.Name, p.Version,
			s.File, s.Format, s.SHA256, s.Engine, strconv.FormatBool(s.Exact), s.Hew, runtime.Version())
	}
}
