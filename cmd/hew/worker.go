package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"hew/bench/worker"
	"hew/build"
)

// A compiledWorker is a running program that links generated packages.
type compiledWorker struct {
	*worker.Client
	cost build.Cost
	dir  string
}

// startWorker builds a worker of the given models in a temporary directory and
// starts it. The program gets the name of that directory, so that the go command
// compiles the packages even if it has compiled the like before: what is
// measured is the work. Close removes everything.
func startWorker(cmd *cobra.Command, models []build.Model) (*compiledWorker, error) {
	dir, err := os.MkdirTemp("", "hew-worker-")
	if err != nil {
		return nil, err
	}
	w := &compiledWorker{dir: dir}
	if err := w.start(cmd, models); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return w, nil
}

func (w *compiledWorker) start(cmd *cobra.Command, models []build.Model) error {
	p, err := build.NewProject(filepath.Base(w.dir), build.Worker, models)
	if err != nil {
		return err
	}
	out := filepath.Join(w.dir, "worker")
	if w.cost, err = buildIn(cmd, p, filepath.Join(w.dir, "src"), out, build.Target{}); err != nil {
		return err
	}
	w.Client, err = worker.Start(out)
	return err
}

// Close ends the program and removes its files.
func (w *compiledWorker) Close() error {
	err := w.Client.Close()
	if e := os.RemoveAll(w.dir); err == nil {
		err = e
	}
	return err
}
