package load

import (
	"bytes"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"sync"

	"hew/ir"
	"hew/load/internal/fault"
)

// A file is a model file of which the head has been read.
type file struct {
	name string // "" for standard input
	head []byte
	rest io.Reader
	size int64 // bytes in all if that is known, or 0
	sum  *digest

	options Options
}

// stream makes a reader of files of one that reads a stream.
func stream(read func(io.Reader) (*ir.Ensemble, error)) func(*file) (*ir.Ensemble, error) {
	return func(f *file) (*ir.Ensemble, error) {
		return read(io.MultiReader(bytes.NewReader(f.head), io.TeeReader(f.rest, f.sum)))
	}
}

// A digest is the SHA-256 of a file, computed beside whatever else happens to it.
type digest struct {
	hash.Hash
	working sync.WaitGroup
}

// later adds data, which nobody changes, in a goroutine.
func (d *digest) later(data []byte) { d.working.Go(func() { d.Write(data) }) }

// text returns the digest of all that was added.
func (d *digest) text() string {
	d.working.Wait()
	return hex.EncodeToString(d.Sum(nil))
}

// maxSize bounds the files that are read into memory as a whole.
const maxSize = 16 << 30

// sizeOf returns the number of bytes that r will give if that is known, or 0.
func sizeOf(r io.Reader) int64 {
	switch r := r.(type) {
	case *os.File:
		if info, err := r.Stat(); err == nil && info.Mode().IsRegular() {
			return info.Size()
		}
	case interface{ Len() int }:
		return int64(r.Len())
	}
	return 0
}

// bytes returns all of the file. If its size is known, nothing is copied.
func (f *file) bytes() ([]byte, error) {
	size := max(int64(len(f.head)), min(f.size, maxSize))
	data := make([]byte, len(f.head), size+1) // with room to see the end
	copy(data, f.head)
	for {
		n, err := f.rest.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case err == io.EOF:
			f.sum.later(data[len(f.head):])
			return data, nil
		case err != nil:
			return nil, err
		case len(data) > maxSize:
			return nil, fault.Unsupportedf("a file of more than %d bytes is not supported", int64(maxSize))
		case len(data) == cap(data):
			grown := make([]byte, len(data), len(data)+len(data)/2)
			copy(grown, data)
			data = grown
		}
	}
}
