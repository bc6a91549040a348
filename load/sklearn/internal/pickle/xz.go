package pickle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"slices"

	"github.com/ulikunitz/xz/lzma"
)

const xzMagic = "\xfd7zXZ\x00"

// An xzReader decompresses the format .xz. It looks at the structure itself and
// leaves LZMA2 to package lzma, because a block claims how large a dictionary it
// needs, and may claim gigabytes; here a dictionary is not larger than what the
// block holds.
//
// Source: the .xz file format, version 1.2.1, https://tukaani.org/xz/xz-file-format.txt.
type xzReader struct {
	rest    []byte // of the file
	newHash func() hash.Hash
	check   int // bytes of the check behind each block; -1 between streams

	block io.Reader // of the block that is being read, or nil
	hash  hash.Hash
}

var errXZ = errors.New("not a valid .xz file")

// checks has the kinds of checks by their number in the header of a stream.
var checks = map[byte]struct {
	newHash func() hash.Hash
	size    int
}{
	0:  {nil, 0},
	1:  {func() hash.Hash { return crc32.NewIEEE() }, 4},
	4:  {func() hash.Hash { return crc64.New(crc64.MakeTable(crc64.ECMA)) }, 8},
	10: {sha256.New, 32},
}

func (r *xzReader) Read(p []byte) (int, error) {
	for {
		if r.block == nil {
			if err := r.next(); err != nil {
				return 0, err
			}
			continue
		}
		n, err := r.block.Read(p)
		if r.hash != nil {
			r.hash.Write(p[:n])
		}
		if err == io.EOF {
			err = r.endBlock()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// take returns the next n bytes.
func (r *xzReader) take(n int) ([]byte, error) {
	if n < 0 || n > len(r.rest) {
		return nil, io.ErrUnexpectedEOF
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b, nil
}

// next goes to the next block, of this stream or of one that follows. It returns
// io.EOF at the end of the file.
func (r *xzReader) next() error {
	switch {
	case r.check < 0:
		return r.stream()
	case len(r.rest) == 0:
		return io.ErrUnexpectedEOF
	case r.rest[0] == 0:
		return r.index()
	}
	return r.startBlock()
}

// stream reads the header of a stream.
func (r *xzReader) stream() error {
	if len(r.rest) == 0 {
		return io.EOF
	}
	b, err := r.take(12)
	if err != nil {
		return err
	}
	c, ok := checks[b[7]]
	if string(b[:6]) != xzMagic || b[6] != 0 || crc32.ChecksumIEEE(b[6:8]) != binary.LittleEndian.Uint32(b[8:]) {
		return errXZ
	}
	if !ok {
		return fmt.Errorf("check %d is not supported", b[7])
	}
	r.newHash, r.check = c.newHash, c.size
	return nil
}

// startBlock reads the header of a block and finds its end.
func (r *xzReader) startBlock() error {
	header, err := r.take(4 * (int(r.rest[0]) + 1))
	if err != nil {
		return err
	}
	body := header[:len(header)-4]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(header[len(body):]) {
		return errXZ
	}
	flags := body[1]
	if flags&0x3f != 0 {
		return errors.New("filters besides LZMA2 are not supported")
	}
	body = body[2:]
	for _, bit := range []byte{0x40, 0x80} { // the sizes of the block, which its chunks say too
		if flags&bit != 0 {
			_, n := binary.Uvarint(body)
			if n <= 0 {
				return errXZ
			}
			body = body[n:]
		}
	}
	if len(body) < 3 || body[0] != 0x21 || body[1] != 1 {
		return errors.New("filters besides LZMA2 are not supported")
	}
	dict, err := lzma.DecodeDictCap(body[2])
	if err != nil {
		return err
	}
	return r.startLZMA2(dict)
}

// startLZMA2 begins to read the chunks of a block.
func (r *xzReader) startLZMA2(dict int64) error {
	compressed, size, err := chunks(r.rest)
	if err != nil {
		return err
	}
	data, err := r.take(compressed)
	if err != nil {
		return err
	}
	config := lzma.Reader2Config{DictCap: int(max(lzma.MinDictCap, min(dict, int64(size))))}
	if r.block, err = config.NewReader2(bytes.NewReader(data)); err != nil {
		return err
	}
	if r.newHash != nil {
		r.hash = r.newHash()
	}
	_, err = r.take(-compressed & 3) // padding
	return err
}

// chunks returns the size of a sequence of LZMA2 chunks and of what they hold.
func chunks(b []byte) (compressed, size int, err error) {
	for at := 0; at < len(b); {
		control := b[at]
		if control == 0 {
			return at + 1, size, nil
		}
		if len(b)-at < 6 {
			break
		}
		n := int(binary.BigEndian.Uint16(b[at+1:])) + 1
		switch {
		case control >= 0x80:
			size += n + int(control&0x1f)<<16
			at += 5 + int(binary.BigEndian.Uint16(b[at+3:])) + 1
			if control >= 0xc0 {
				at++ // properties
			}
		case control <= 2:
			size += n
			at += 3 + n
		default:
			return 0, 0, errXZ
		}
	}
	return 0, 0, io.ErrUnexpectedEOF
}

// endBlock compares the check of the block.
func (r *xzReader) endBlock() error {
	r.block = nil
	check, err := r.take(r.check)
	if err != nil || r.newHash == nil {
		return err
	}
	sum := r.hash.Sum(nil)
	if r.check == 4 || r.check == 8 { // these are little-endian in the file
		slices.Reverse(sum)
	}
	if !bytes.Equal(sum, check) {
		return errors.New("the check of a block does not match")
	}
	return nil
}

// index skips the index, which repeats the sizes of the blocks, and the footer.
func (r *xzReader) index() error {
	at := 1
	records, n := binary.Uvarint(r.rest[at:])
	if n <= 0 || records > uint64(len(r.rest)) {
		return errXZ
	}
	at += n
	for range 2 * records {
		_, n := binary.Uvarint(r.rest[at:])
		if n <= 0 {
			return errXZ
		}
		at += n
	}
	at = (at+3)&^3 + 4 // padding and a checksum
	if _, err := r.take(at + 12); err != nil {
		return err
	}
	for bytes.HasPrefix(r.rest, []byte("\x00\x00\x00\x00")) {
		r.rest = r.rest[4:] // padding between streams
	}
	r.newHash, r.check = nil, -1
	return nil
}
