package peers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"hew/bench"
)

// prepareLimit is how long a model may be compiled for a peer that nobody asked
// for by name. Some take minutes for a large model.
const prepareLimit = time.Minute

// An artifact is a model in the form that a peer reads.
type artifact struct {
	path  string
	build *bench.Build // of compiled code
	err   error
}

// prepare returns the model in the form that p reads. It is made once.
func (s *starter) prepare(ctx context.Context, p *peer) (*artifact, error) {
	if s.made[p.form] == nil {
		made := &artifact{}
		switch p.form {
		case modelFile:
			made.path = s.model.File
		case treesText:
			made.path, made.err = s.text()
		default:
			*made = s.make(ctx, p)
		}
		s.made[p.form] = made
	}
	return s.made[p.form], s.made[p.form].err
}

// make runs prepare.py.
func (s *starter) make(ctx context.Context, p *peer) artifact {
	out := filepath.Join(s.dir, string(p.form)+".so")
	text, err := s.text()
	if err != nil && p.gives == sums {
		return artifact{err: err} // text is what it reads
	}
	python, err := s.python(p.env)
	if err != nil {
		return artifact{err: err}
	}
	program, err := s.file("prepare.py")
	if err != nil {
		return artifact{err: err}
	}
	if len(s.choice.Names) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, prepareLimit,
			fmt.Errorf("the model was not prepared within %v; ask for it by name to wait", prepareLimit))
		defer cancel()
	}
	if s.choice.Working != nil {
		defer s.choice.Working("preparing the model for " + p.call)()
	}
	cost, err := run(ctx, exec.CommandContext(ctx, python, "-I", program, string(p.form), s.model.File, text, out))
	if !p.form.compiled() {
		cost = nil
	}
	return artifact{out, cost, err}
}

// run runs prepare.py and returns the cost that it prints.
func run(ctx context.Context, cmd *exec.Cmd) (*bench.Build, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Env = append(os.Environ(), "PYTHONWARNINGS=ignore")
	endGroup(cmd) // compilers are children of it
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		return nil, fmt.Errorf("the model was not prepared: %w: %s", err, lines[len(lines)-1])
	}
	var cost bench.Build
	if err := json.Unmarshal(out, &cost); err != nil {
		return nil, errors.New("prepare.py does not say what it took")
	}
	return &cost, nil
}
