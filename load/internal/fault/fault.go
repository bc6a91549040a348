// Package fault is the form of the errors that the readers of package load
// return; load exports it.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// ErrFormat is what errors about damaged files and files of unknown formats are,
// in the sense of errors.Is.
var ErrFormat = errors.New("not a valid model file")

// ErrUnsupported is what errors about intact files are that hew cannot evaluate
// as the trainer does.
var ErrUnsupported = errors.New("model not supported")

// An Error says where in a model file something is wrong.
type Error struct {
	File       string // base name of the file; empty for standard input
	Tree, Node int    // index of the tree and the trainer's number of the node, or -1
	Offset     int64  // in bytes, where reading stopped, or -1
	Err        error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.File == "" {
		b.WriteString("standard input")
	}
	if e.Tree >= 0 {
		fmt.Fprintf(&b, ": tree %d", e.Tree)
	}
	if e.Node >= 0 {
		fmt.Fprintf(&b, ", node %d", e.Node)
	}
	if e.Offset >= 0 {
		fmt.Fprintf(&b, ": byte %d", e.Offset)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// A reason is the text of an error of one of the two kinds.
type reason struct {
	kind error
	text string
}

func (r *reason) Error() string { return r.text }

func (r *reason) Is(target error) bool { return target == r.kind }

// Formatf returns an error of the kind ErrFormat with the given text.
func Formatf(format string, args ...any) error {
	return &reason{ErrFormat, fmt.Sprintf(format, args...)}
}

// Unsupportedf returns an error of the kind ErrUnsupported with the given text.
func Unsupportedf(format string, args ...any) error {
	return &reason{ErrUnsupported, fmt.Sprintf(format, args...)}
}

// At returns err as an error at an offset of the file.
func At(offset int64, err error) error {
	return &Error{Tree: -1, Node: -1, Offset: offset, Err: err}
}

// InNode returns err as an error at a node of a tree; node may be -1.
func InNode(tree, node int, err error) error {
	return &Error{Tree: tree, Node: node, Offset: -1, Err: err}
}

// InTree returns err as an error in a tree, keeping what err says about the node
// and the offset.
func InTree(tree int, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return InNode(tree, -1, err)
	}
	if e.Tree < 0 {
		e.Tree = tree
	}
	return e
}
