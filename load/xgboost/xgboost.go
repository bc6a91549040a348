// Package xgboost reads XGBoost JSON and UBJSON models.
//
// Both containers hold the same document, and one walk over it (model.go) serves
// both: it asks a document (json.go, ubjson.go) for objects, strings and whole
// arrays of numbers, which is where the time goes, and never holds more of the
// file than a window of fixed size and the arrays of one tree. The arrays become
// nodes of the ir at once (tree.go); what depends on facts that stand later in the
// file, such as the version that wrote it, is settled at the end (finish.go).
//
// The rules are XGBoost's own at the version that wrote the file; each cites the
// source that it follows.
package xgboost

import (
	"bytes"
	"io"

	"hew/ir"
	"hew/load/internal/fault"
)

// ReadJSON reads a model that Booster.save_model wrote as JSON.
func ReadJSON(r io.Reader) (*ir.Ensemble, error) {
	return read(newJSON(r), "json")
}

// ReadUBJSON reads a model that Booster.save_model wrote as UBJSON.
func ReadUBJSON(r io.Reader) (*ir.Ensemble, error) {
	return read(newUBJSON(r), "ubjson")
}

// ReadSnapshot reads what a pickled Booster holds: a model and, beside it, the
// configuration of the training, which does not matter.
//
// Source: dmlc/xgboost:src/learner.cc, LearnerIO::Save. Up to 1.5 it is JSON.
func ReadSnapshot(snapshot []byte) (*ir.Ensemble, error) {
	var d document = newUBJSON(bytes.NewReader(snapshot))
	if len(snapshot) > 1 && (snapshot[1] == '"' || snapshot[1] == '\n' || snapshot[1] == ' ') {
		d = newJSON(bytes.NewReader(snapshot))
	}
	m := newModel(d)
	err := m.fieldsOf("the snapshot", []field{{key: "Model", read: m.readModel, required: true}})
	if err != nil {
		return nil, err
	}
	return m.ensemble("pickle")
}

func read(d document, container string) (*ir.Ensemble, error) {
	m := newModel(d)
	if err := m.readDocument(); err != nil {
		return nil, err
	}
	return m.ensemble(container)
}

// ensemble returns what has been read.
func (m *model) ensemble(container string) (*ir.Ensemble, error) {
	e, err := m.finish()
	if err != nil {
		return nil, err
	}
	e.Source.Trainer = "xgboost"
	e.Source.Container = container
	if err := e.Verify(); err != nil {
		return nil, fault.Formatf("%v", err)
	}
	return e, nil
}

// A document is a cursor over a JSON or UBJSON document. Each method but fail
// reads the value at the cursor, whole, and reports a value of another kind as an
// error.
type document interface {
	// object calls field for each key, which is valid until the next read, with
	// the cursor at the key's value; field must read it.
	object(field func(key []byte) error) error

	// array calls element, which must read one value, for each element.
	array(element func() error) error

	// text reads a string, or a number or truth value as its text.
	text() (string, error)

	// floats and ints append the numbers of an array to dst. Numbers may be
	// integers for floats and truth values for ints.
	floats(dst []float32) ([]float32, error)
	ints(dst []int32) ([]int32, error)

	// skip reads a value of any kind.
	skip() error

	// value reads a value of any kind, nested in the given number of others; Member
	// tells what it is.
	value(depth int) (any, error)

	// end reports an error if anything follows.
	end() error

	// fail returns an ErrFormat at the cursor.
	fail(format string, args ...any) error
}

// maxDepth bounds the nesting of what is skipped; a model nests 8 deep.
const maxDepth = 64

// maxKey bounds the length of a key, which must fit the window.
const maxKey = 4096
