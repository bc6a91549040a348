// Package load reads a trained model file, whatever its format, into an
// ir.Ensemble.
//
// The format is found by content, never by name. A reader treats its input as
// hostile: any sequence of bytes gives an error or an ensemble that passes
// ir.Ensemble.Verify, and what a file merely claims to hold is not allocated.
package load

import (
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"

	"hew/ir"
	"hew/load/internal/fault"
)

// An Error says where in a model file something is wrong:
//
//	churn.json: tree 17, node 4: left child 31 out of range [0, 15)
//	churn.json: byte 4711: unexpected end of file
type Error = fault.Error

// The kinds of errors, for errors.Is. A file that is damaged or of an unknown
// format is ErrFormat; one that is recognised, but not evaluated by hew as its
// trainer would, is ErrUnsupported.
var (
	ErrFormat      = fault.ErrFormat
	ErrUnsupported = fault.ErrUnsupported
)

// Options say how a model is read. The zero value takes the trainer's usual types.
type Options struct {
	// Float32 says that rows are float32, of a model that takes them as they come:
	// scikit-learn computes in float64 with float64 rows and partly in float32
	// with float32 rows. A model of rows of one type keeps it.
	Float32 bool
}

// File reads the model in the named file; "-" is standard input.
func File(path string) (*ir.Ensemble, error) { return Options{}.File(path) }

// Read reads a model from r. The base name of name goes into errors and into the
// ensemble's Source; "" and "-" mean standard input.
func Read(name string, r io.Reader) (*ir.Ensemble, error) { return Options{}.Read(name, r) }

// File is the function File with options.
func (o Options) File(path string) (*ir.Ensemble, error) {
	if path == "-" {
		return o.Read(path, os.Stdin)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return o.Read(path, f)
}

// headSize is how much of a file is looked at to find its format.
const headSize = 512

// Read is the function Read with options.
func (o Options) Read(name string, r io.Reader) (*ir.Ensemble, error) {
	if name == "-" {
		name = ""
	}
	if name != "" {
		name = filepath.Base(name)
	}
	d := digest{Hash: sha256.New()}
	e, err := o.read(name, r, &d)
	sum := d.text()
	if err != nil {
		return nil, inFile(name, err)
	}
	e.Source.File = name
	e.Source.SHA256 = sum
	return e, nil
}

// read reads a model and hands all its bytes to d.
func (o Options) read(name string, r io.Reader, d *digest) (*ir.Ensemble, error) {
	size := sizeOf(r)
	head := make([]byte, headSize)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	head = head[:n]
	d.Write(head)
	f, err := detect(head)
	if err != nil {
		return nil, err
	}
	return f.read(&file{name, head, r, size, d, o})
}

// inFile returns err as an *Error that names the file.
func inFile(name string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Tree: -1, Node: -1, Offset: -1, Err: err}
	}
	e.File = name
	return e
}
