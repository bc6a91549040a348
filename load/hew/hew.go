// Package hew reads hew's own JSON form of an ensemble, which package save writes and
// package form describes.
//
// It is a stream: one tree at a time is in memory beside the ensemble.
package hew

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"hew/internal/form"
	"hew/ir"
	"hew/load/internal/fault"
)

// Bounds on sizes that a file states without holding as much data.
const (
	maxOutputs = 1 << 16
	maxWidths  = 1 << 20 // numbers that the stages give for a row, in all
)

// Read reads an ensemble.
func Read(r io.Reader) (*ir.Ensemble, error) {
	d := &reader{source: source{Reader: r}, seen: map[string]bool{}}
	d.dec = json.NewDecoder(&d.source)
	d.dec.DisallowUnknownFields()
	if err := d.document(); err != nil {
		return nil, err
	}
	e, err := d.ensemble()
	if err != nil {
		return nil, err
	}
	if err := e.Verify(); err != nil {
		var node *ir.NodeError
		if errors.As(err, &node) {
			return nil, fault.InNode(node.Tree, node.Node, fault.Formatf("%v", node.Err))
		}
		return nil, fault.Formatf("%v", err)
	}
	return e, nil
}

// A reader is what has been read of a file so far.
type reader struct {
	source     source
	dec        *json.Decoder
	in         string // what is being read, for errors
	seen       map[string]bool
	head       form.Ensemble
	input, sum ir.Precision
	trees      []ir.Tree
}

// document reads the object.
func (d *reader) document() error {
	if err := d.delimiter('{'); err != nil {
		return err
	}
	for d.dec.More() {
		token, err := d.dec.Token()
		if err != nil {
			return d.fail(err)
		}
		key := token.(string) // a decoder gives nothing else here
		if d.seen[key] {
			return d.at("key %q comes twice", key)
		}
		d.seen[key] = true
		if err := d.field(key); err != nil {
			return err
		}
	}
	if err := d.delimiter('}'); err != nil {
		return err
	}
	if _, err := d.dec.Token(); err != io.EOF {
		if err != nil {
			return d.fail(err)
		}
		return d.at("text after the end of the model")
	}
	return nil
}

// delimiter reads a bracket.
func (d *reader) delimiter(want json.Delim) error {
	token, err := d.dec.Token()
	if err != nil {
		return d.fail(err)
	}
	if token != want {
		return d.at("found %v instead of %q", token, want.String())
	}
	return nil
}

// field reads the value of a key.
func (d *reader) field(key string) error {
	h := &d.head
	switch key {
	case "hew":
		return d.version()
	case "input":
		return d.precision(key, &h.Input, &d.input)
	case "sum":
		return d.precision(key, &h.Sum, &d.sum)
	}
	for _, first := range []string{"hew", "input", "sum"} {
		if !d.seen[first] {
			return d.at("%q stands before %q, which says how to read it", key, first)
		}
	}
	h.Sets.Single = d.input == ir.Single
	h.BaseMargin = form.Of(d.sum, h.BaseMargin.Values)
	into, ok := map[string]any{
		"source": &h.Source, "features": &h.Features, "columns": &h.Columns, "sets": &h.Sets, "outputs": &h.Outputs,
		"base_margin": &h.BaseMargin, "base_last": &h.BaseLast, "link": &h.Link, "task": &h.Task, "post": &h.Post,
		"answers": &h.Answers, "classes": &h.Classes, "rounds": &h.Rounds, "best_round": &h.BestRound,
	}[key]
	switch {
	case ok:
		return d.decode(key, into)
	case key == "linear":
		h.Linear = &form.Linear{Weights: form.Of(d.sum, nil), Bias: form.Of(d.sum, nil)}
		return d.decode(key, h.Linear)
	case key == "trees":
		return d.readTrees()
	}
	return d.at("unknown key %q", key)
}

// decode reads the value of a key.
func (d *reader) decode(key string, into any) error {
	d.in = key + ": "
	err := d.dec.Decode(into)
	if err != nil {
		err = d.fail(err)
	}
	d.in = ""
	return err
}

func (d *reader) version() error {
	if err := d.decode("hew", &d.head.Hew); err != nil {
		return err
	}
	if d.head.Hew != form.Version {
		return fault.Unsupportedf("version %d of hew's form; this hew reads version %d", d.head.Hew, form.Version)
	}
	return nil
}

func (d *reader) precision(key string, name *string, p *ir.Precision) error {
	if err := d.decode(key, name); err != nil {
		return err
	}
	var ok bool
	if *p, ok = form.Named[ir.Precision](*name); !ok {
		return d.at("unknown type %.40q", *name)
	}
	return nil
}

func (d *reader) readTrees() error {
	if err := d.delimiter('['); err != nil {
		return err
	}
	d.trees = []ir.Tree{}
	for d.dec.More() {
		f := form.Tree{
			Threshold: form.Of(d.input, nil), Value: form.Of(d.sum, nil), Vectors: form.Of(d.sum, nil), Cover: form.Of(ir.Single, nil),
		}
		if err := d.dec.Decode(&f); err != nil {
			return fault.InTree(len(d.trees), d.fail(err))
		}
		t, err := treeOf(&f)
		if err != nil {
			return fault.InTree(len(d.trees), err)
		}
		d.trees = append(d.trees, t)
	}
	return d.delimiter(']')
}

// at returns an error at the place to which the file was read.
func (d *reader) at(format string, args ...any) error {
	return fault.At(d.dec.InputOffset(), fault.Formatf(format, args...))
}

// fail returns an error of the decoder, or of the reader below it, at its place.
func (d *reader) fail(err error) error {
	if d.source.err != nil && d.source.err != io.EOF {
		return fault.At(d.dec.InputOffset(), d.source.err)
	}
	offset, text := d.dec.InputOffset(), strings.TrimPrefix(err.Error(), "json: ")
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		text = "unexpected end of file"
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind) && kind.Field != "":
		text = fmt.Sprintf("%s: %s found instead of %v", kind.Field, kind.Value, kind.Type)
	case kind != nil:
		text = fmt.Sprintf("%s found instead of %v", kind.Value, kind.Type)
	}
	return fault.At(offset, fault.Formatf("%s%s", d.in, text))
}

// A source keeps the error of a reader.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (n int, err error) {
	n, err = s.Reader.Read(p)
	s.err = err
	return n, err
}
