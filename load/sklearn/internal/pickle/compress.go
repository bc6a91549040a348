package pickle

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"regexp"

	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz/lzma"

	"hew/load/internal/fault"
)

// Limits of what compressed data may become. Models compress to about a quarter.
const (
	maxSize    = 8 << 30  // bytes
	freeSize   = 64 << 20 // bytes that may be there whatever the size of the file
	maxRatio   = 1000     // beyond freeSize
	maxDict    = 64 << 20 // bytes of the dictionary of the format .lzma
	firstRatio = 4        // the first guess
	headSize   = 512      // bytes that tell whether data are a pickle
)

// A compression is a way in which joblib compresses a pickle.
//
// Source: joblib/joblib:joblib/compressor.py.
type compression struct {
	name string
	is   func(data []byte) bool
	open func(data []byte) (io.Reader, error)
	size func(data []byte) int // the size that the data claim, or 0
}

var compressions = []compression{
	{"zlib", isZlib, func(b []byte) (io.Reader, error) { return zlib.NewReader(bytes.NewReader(b)) }, nil},
	{"gzip", startsWith("\x1f\x8b"), func(b []byte) (io.Reader, error) { return gzip.NewReader(bytes.NewReader(b)) }, gzipSize},
	{"bzip2", startsWith("BZh"), func(b []byte) (io.Reader, error) { return bzip2.NewReader(bytes.NewReader(b)), nil }, nil},
	{"xz", startsWith(xzMagic), func(b []byte) (io.Reader, error) { return &xzReader{rest: b, check: -1}, nil }, nil},
	{"lzma", startsWith("\x5d\x00\x00"), openLZMA, nil},
	{"lz4", startsWith("\x04\x22\x4d\x18"), func(b []byte) (io.Reader, error) { return lz4.NewReader(bytes.NewReader(b)), nil }, nil},
}

func startsWith(prefix string) func([]byte) bool {
	return func(b []byte) bool { return bytes.HasPrefix(b, []byte(prefix)) }
}

// isZlib checks the header's checksum, of deflate with a window of 32 KiB.
func isZlib(b []byte) bool {
	return len(b) > 1 && b[0] == 0x78 && (int(b[0])<<8+int(b[1]))%31 == 0
}

func openLZMA(b []byte) (io.Reader, error) {
	return lzma.ReaderConfig{DictCap: maxDict}.NewReader(bytes.NewReader(b))
}

// gzipSize reads the size of the last member, which is mostly the only one, modulo
// 2^32.
func gzipSize(b []byte) int {
	if len(b) < 18 {
		return 0
	}
	return int(binary.LittleEndian.Uint32(b[len(b)-4:]))
}

// Compressed returns the name of the format in which data are compressed, or "".
func Compressed(data []byte) string {
	for _, c := range compressions {
		if c.is(data) {
			return c.name
		}
	}
	return ""
}

// Is reports whether data can be a pickle by how they begin: protocols 2 and later
// with their number, the earlier ones with a mark, with an empty container that goes
// into the memo, or with a global name in two lines.
func Is(head []byte) bool {
	return len(head) > 1 && head[0] == 0x80 && head[1] <= 5 || textPickle.Match(head)
}

var textPickle = regexp.MustCompile(`^(c[A-Za-z_][\w.]*\n[A-Za-z_]\w*\n|\((d|l|i|c|o)|[\])}][qr])`)

// Decompress returns the pickle that is compressed in data, in a format that
// Compressed knows.
func Decompress(data []byte) ([]byte, error) {
	for _, c := range compressions {
		if c.is(data) {
			return c.decompress(data)
		}
	}
	return nil, fault.Formatf("data are not compressed")
}

func (c *compression) decompress(data []byte) ([]byte, error) {
	limit := min(maxSize, max(freeSize, maxRatio*len(data)))
	r, err := c.open(data)
	if err != nil {
		return nil, c.damaged(err)
	}
	size := firstRatio * len(data)
	if c.size != nil {
		size = max(min(c.size(data), maxRatio*len(data)), len(data))
	}
	out := make([]byte, 0, min(size, limit)+512) // with room to see the end
	for {
		n, err := r.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		if (len(out) >= headSize || err == io.EOF) && !Is(out[:min(len(out), headSize)]) {
			return nil, fault.Unsupportedf("%s data that hold no pickle; decompress the file if it holds another model", c.name)
		}
		switch {
		case len(out) > limit:
			return nil, fault.Unsupportedf("%d bytes of %s become more than %d bytes; if that is right, decompress them first", len(data), c.name, limit)
		case err == io.EOF:
			return out, nil
		case err != nil:
			return nil, c.damaged(err)
		case len(out) == cap(out):
			grown := make([]byte, len(out), min(len(out)+len(out)/2, limit+512))
			copy(grown, out)
			out = grown
		}
	}
}

func (c *compression) damaged(err error) error {
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		err = fmt.Errorf("the file ends too early")
	}
	return fault.Formatf("damaged %s data: %v", c.name, err)
}
