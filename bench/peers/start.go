package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"hew/bench"
	"hew/bench/measure"
	"hew/bench/worker"
	"hew/predict"
)

// A Model is what peers score.
type Model struct {
	File string // as the trainer wrote it

	// Text holds the trees in LightGBM's text form; it is nil if that cannot say
	// them, which leaves out the peers that read it.
	Text []byte

	Features, Outputs int       // values of a row and of its prediction
	BaseMargin        []float64 // one per margin
}

// A Choice says which peers to start.
type Choice struct {
	// Names are the peers that are wanted: it is an error if one of them cannot be
	// had. Without names those are started that are installed and read the model.
	Names []string

	// Skip is told of each peer that is left out. It may be nil if there are names.
	Skip func(error)

	// Working is told of work that takes long, and returns what is called after it.
	// It may be nil.
	Working func(what string) (done func())
}

// A Set is peers that run.
type Set struct {
	Engines []bench.Engine
	clients []*worker.Client
	dir     string // of files made for them
}

// Start starts peers from the installation in dir and gives them the rows in x, which
// are float32. Each has scored them once.
func Start(ctx context.Context, dir string, m Model, x predict.Values, c Choice) (*Set, error) {
	chosen, err := choose(c.Names)
	if err != nil {
		return nil, err
	}
	if x.Type() != predict.Float32 {
		return nil, fmt.Errorf("peers take rows of float32, not of %s", x.Type())
	}
	temp, err := os.MkdirTemp("", "hew-peers-")
	if err != nil {
		return nil, err
	}
	s := &Set{dir: temp}
	b := starter{Set: s, installation: installation(dir), model: m, x: x, choice: c, made: map[form]*artifact{}}
	for i := range chosen {
		switch err := b.start(ctx, &chosen[i]); {
		case err == nil:
		case ctx.Err() != nil || len(c.Names) > 0:
			return nil, errors.Join(err, s.Close())
		default:
			c.Skip(err)
		}
	}
	return s, nil
}

// Close ends the peers.
func (s *Set) Close() error {
	var errs []error
	for _, c := range s.clients {
		errs = append(errs, c.Close())
	}
	s.clients = nil
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// A starter starts the peers of a set.
type starter struct {
	*Set
	installation
	model  Model
	x      predict.Values
	choice Choice
	made   map[form]*artifact
}

func (s *starter) start(ctx context.Context, p *peer) error {
	engine, err := s.engine(ctx, p)
	if err != nil {
		return fmt.Errorf("peer %s: %w", p.name, err)
	}
	s.Engines = append(s.Engines, engine)
	return nil
}

func (s *starter) engine(ctx context.Context, p *peer) (bench.Engine, error) {
	// What is missing is told before a model is compiled for it.
	if _, err := s.command(p, ""); err != nil {
		return bench.Engine{}, err
	}
	made, err := s.prepare(ctx, p)
	if err != nil {
		return bench.Engine{}, err
	}
	args, err := s.command(p, made.path)
	if err != nil {
		return bench.Engine{}, err
	}
	client, err := worker.Run(exec.Command(args[0], append(append(args[1:], made.path), s.shape(p.gives)...)...))
	if err != nil {
		return bench.Engine{}, err
	}
	s.clients = append(s.clients, client)
	if err := client.SetRows(0, s.x); err != nil {
		return bench.Engine{}, err
	}
	outputs, err := s.score(client, p.gives)
	build := made.build
	made.build = nil // told once, by the first peer that it was made for
	return bench.Engine{
		Name: p.name, Foreign: true, Build: build,
		Measure: func(spec measure.Spec, d time.Duration) (measure.Sample, error) { return client.Measure(0, spec, d) },
		Score:   func() (bench.Outputs, error) { return outputs, nil },
	}, err
}

// shape returns the arguments that tell a worker how many values there are.
func (s *starter) shape(g gives) []string {
	m := &s.model
	margins, outputs := 0, 0
	if g.margins {
		margins = len(m.BaseMargin)
	}
	if g.predictions {
		outputs = m.Outputs
	}
	args := []string{strconv.Itoa(m.Features), strconv.Itoa(margins), strconv.Itoa(outputs)}
	if !g.base && g.margins {
		for _, v := range m.BaseMargin {
			args = append(args, strconv.FormatFloat(v, 'g', -1, 64))
		}
	}
	return args
}

// singly is how many rows are scored by a call of their own, the others in a batch:
// both are compared with the reference. A single row may take milliseconds.
const singly = 256

func (s *starter) score(c *worker.Client, g gives) (o bench.Outputs, err error) {
	features := s.model.Features
	rows := s.x.Len() / features
	alone := min(singly, rows)
	part := func(begin, end int) func(p predict.Predictor) {
		x := s.x.Slice(begin*features, end*features)
		return func(p predict.Predictor) {
			if g.margins {
				p.Margin(o.Margin.Slice(begin*p.NumMargins, end*p.NumMargins), x)
			}
			if g.predictions {
				p.Predict(o.Predict.Slice(begin*p.NumOutputs, end*p.NumOutputs), x)
			}
		}
	}
	info := c.Models()[0]
	if g.margins {
		o.Margin = predict.MakeValues(predict.Float32, rows*info.NumMargins)
	}
	if g.predictions {
		o.Predict = predict.MakeValues(predict.Float32, rows*info.NumOutputs)
	}
	if err := c.UseSingly(0, part(0, alone)); err != nil {
		return o, err
	}
	return o, c.Use(0, part(alone, rows))
}

// text returns the file of the trees in LightGBM's form.
func (s *starter) text() (string, error) {
	if s.model.Text == nil {
		return "", errors.New("the trees cannot be said in LightGBM's text form")
	}
	path := filepath.Join(s.dir, "trees.txt")
	return path, os.WriteFile(path, s.model.Text, 0o666)
}
