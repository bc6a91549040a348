package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hew/internal/nearest"
	"hew/report"
)

// reportFlags are the flags of hew report.
type reportFlags struct {
	out    string
	format string
	figure string
}

func newReport() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "report RECORDS…",
		Short: "Show what hew bench and hew tune measured, as a page",
		Long: `Show records of hew bench --json and of hew tune as a page with plots and tables:
the model, what the passes did, accuracy against speed, engines side by side, servers
under load, and the machine and commands. The page is one HTML file that needs nothing
else and no network; it is light or dark as the reader's system is, and can be printed.

A name that ends in .md or .csv gives the tables as Markdown, or all of them as one
CSV table; one that ends in .svg gives one figure, that of --figure, for a page of
yours. Of measurements that were made again, the newest counts.`,
		Example: `  hew report records.jsonl -o report.html
  hew bench churn.json --server --json | hew report - -o report.md
  hew report bench.jsonl tune.jsonl -o - --format csv
  hew report tune.jsonl -o front.svg --figure tradeoff-speed`,
		Args: models(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			write, err := f.writer()
			if err != nil {
				return err
			}
			var records report.Records
			for _, name := range args {
				if err := readRecords(cmd, &records, name); err != nil {
					return err
				}
			}
			return f.create(cmd.OutOrStdout(), func(w io.Writer) error { return write(report.New(&records), w) })
		},
	}
	cmd.Flags().StringVarP(&f.out, "out", "o", "report.html", "file to write [- = standard output]")
	cmd.Flags().StringVar(&f.format, "format", "", "html, md, csv or svg [by the name of the file; md for standard output]")
	cmd.Flags().StringVar(&f.figure, "figure", "tradeoff-speed", "figure to write as SVG, by its identifier in the page")
	return cmd
}

// extensions are the ends of names that say a format.
var extensions = map[string]string{".html": "html", ".htm": "html", ".md": "md", ".markdown": "md", ".csv": "csv", ".svg": "svg"}

// writer returns what writes the format that is asked for.
func (f *reportFlags) writer() (func(*report.Report, io.Writer) error, error) {
	format := f.format
	switch {
	case format != "":
	case f.out == "-":
		format = "md"
	default:
		format = extensions[strings.ToLower(filepath.Ext(f.out))]
		if format == "" {
			return nil, usagef("the name %s says no format; end it in .html, .md, .csv or .svg, or use --format", f.out)
		}
	}
	switch format {
	case "html":
		return (*report.Report).HTML, nil
	case "md":
		return (*report.Report).Markdown, nil
	case "csv":
		return (*report.Report).CSV, nil
	case "svg":
		return func(r *report.Report, w io.Writer) error { return r.SVG(w, f.figure) }, nil
	}
	return nil, usagef("unknown format %q%s", format, nearest.Hint(format, []string{"html", "md", "csv", "svg"}))
}

func readRecords(cmd *cobra.Command, records *report.Records, name string) error {
	if name == "-" {
		return records.Read("standard input", cmd.InOrStdin())
	}
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	return records.Read(name, in)
}

// create writes the file, and none if that fails.
func (f *reportFlags) create(stdout io.Writer, write func(io.Writer) error) error {
	var made bytes.Buffer
	if err := write(&made); err != nil {
		return err
	}
	if f.out == "-" {
		_, err := made.WriteTo(stdout)
		return err
	}
	return os.WriteFile(f.out, made.Bytes(), 0o666)
}
