package xgboost

import (
	"io"

	"hew/load/internal/fault"
)

// windowSize is the part of a file that is in memory at a time: large enough for
// few system calls, small enough for the second-level cache.
const windowSize = 64 << 10

// A source is a window that moves over a file.
type source struct {
	r        io.Reader
	buf      []byte // buf[pos:lim] is read from r and not yet consumed
	pos, lim int
	base     int64 // offset of buf[0] in the file
	err      error // why no more can be read; io.EOF at the end of the file
}

func newSource(r io.Reader) source {
	return source{r: r, buf: make([]byte, windowSize)}
}

// fill reads until at least n bytes are in the window, n being at most its size,
// and reports whether that succeeded.
func (s *source) fill(n int) bool {
	if s.lim-s.pos >= n {
		return true
	}
	copy(s.buf, s.buf[s.pos:s.lim])
	s.base += int64(s.pos)
	s.lim -= s.pos
	s.pos = 0
	for idle := 0; s.lim < n && s.err == nil; {
		var got int
		got, s.err = s.r.Read(s.buf[s.lim:])
		s.lim += got
		if idle++; got > 0 {
			idle = 0
		} else if idle > 100 && s.err == nil {
			s.err = io.ErrNoProgress
		}
	}
	return s.lim >= n
}

// discard consumes n bytes.
func (s *source) discard(n int64) error {
	for n > int64(s.lim-s.pos) {
		n -= int64(s.lim - s.pos)
		s.pos = s.lim
		if !s.fill(1) {
			return s.ended()
		}
	}
	s.pos += int(n)
	return nil
}

// fail returns an ErrFormat at the cursor.
func (s *source) fail(format string, args ...any) error {
	return fault.At(s.base+int64(s.pos), fault.Formatf(format, args...))
}

// ended returns the error for a file that ends too early.
func (s *source) ended() error {
	if s.err != nil && s.err != io.EOF {
		return fault.At(s.base+int64(s.lim), s.err)
	}
	return fault.At(s.base+int64(s.lim), fault.Formatf("unexpected end of file"))
}
