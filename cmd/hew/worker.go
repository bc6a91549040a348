package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"hew/bench/worker"
	"hew/build"
)

// A workerProgram links generated packages. It lies in a temporary directory, and
// any number of processes run it.
type workerProgram struct {
	dir     string
	exe     string
	cost    build.Cost
	clients []*worker.Client
}

// buildWorker builds a worker of the given models in a temporary directory. The
// program gets the name of that directory, so that the go command compiles the
// packages even if it has compiled the like before: what is measured is the work.
func buildWorker(cmd *cobra.Command, models []build.Model) (*workerProgram, error) {
	dir, err := os.MkdirTemp("", "hew-worker-")
	if err != nil {
		return nil, err
	}
	w := &workerProgram{dir: dir, exe: filepath.Join(dir, "worker")}
	p, err := build.NewProject(filepath.Base(dir), build.Worker, models)
	if err == nil {
		w.cost, err = buildIn(cmd, p, filepath.Join(dir, "src"), w.exe, build.Target{})
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return w, nil
}

// start runs the program with variables in its environment, NAME=VALUE.
func (w *workerProgram) start(env ...string) (*worker.Client, error) {
	c, err := worker.Start(w.exe, env...)
	if err == nil {
		w.clients = append(w.clients, c)
	}
	return c, err
}

// Close ends all processes and removes the program.
func (w *workerProgram) Close() error {
	var errs []error
	for _, c := range w.clients {
		errs = append(errs, c.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}
