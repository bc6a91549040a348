package pickle_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"hew/load/sklearn/internal/pickle"
)

// halfRandom returns n bytes that begin like a pickle and compress to a half.
func halfRandom(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	out := []byte("\x80\x04")
	for len(out) < n {
		out = append(out, byte(rng.Uint32()), 0)
	}
	return out
}

// compress writes data to what open returns.
func compress(t testing.TB, data []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	var b bytes.Buffer
	w, err := open(&b)
	require.NoError(t, err)
	_, err = w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func xzBlocks(size int64, check byte) func(io.Writer) (io.WriteCloser, error) {
	return func(w io.Writer) (io.WriteCloser, error) {
		return xz.WriterConfig{BlockSize: size, CheckSum: check, NoCheckSum: check == xz.None}.NewWriter(w)
	}
}

func TestDecompress(t *testing.T) {
	data := halfRandom(300_000)
	for name, open := range map[string]func(io.Writer) (io.WriteCloser, error){
		"zlib":  func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil },
		"gzip":  func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		"lz4":   func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil },
		"lzma":  func(w io.Writer) (io.WriteCloser, error) { return lzma.NewWriter(w) },
		"xz":    xzBlocks(1<<20, xz.CRC64),
		"xz 1":  xzBlocks(1<<16, xz.CRC32),
		"xz 2":  xzBlocks(1<<16, xz.SHA256),
		"xz 3":  xzBlocks(1<<16, xz.None),
		"xz 4 ": xzBlocks(100_001, xz.CRC64),
	} {
		t.Run(name, func(t *testing.T) {
			packed := compress(t, data, open)
			format, _, _ := strings.Cut(name, " ")
			require.Equal(t, format, pickle.Compressed(packed))
			got, err := pickle.Decompress(packed)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, got))

			for _, n := range []int{len(packed) / 2, len(packed) - 100, 30} {
				_, err = pickle.Decompress(packed[:n])
				require.ErrorContains(t, err, "damaged "+format+" data", n)
			}
			if name == "xz 3" || format == "lzma" { // without a check
				return
			}
			packed[len(packed)/2] ^= 0x10
			_, err = pickle.Decompress(packed)
			require.ErrorContains(t, err, "damaged "+format+" data")
		})
	}
}

// TestStreams checks files of several parts, which Python reads as one.
func TestStreams(t *testing.T) {
	data := halfRandom(10_000)
	first := compress(t, data[:5000], xzBlocks(1<<20, xz.CRC32))
	second := compress(t, data[5000:], xzBlocks(1<<20, xz.SHA256))
	got, err := pickle.Decompress(append(append(first, 0, 0, 0, 0), second...))
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))

	open := func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }
	got, err = pickle.Decompress(append(compress(t, data[:5000], open), compress(t, data[5000:], open)...))
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))
}

func TestBombs(t *testing.T) {
	zeros := append([]byte("\x80\x04"), make([]byte, 70<<20)...)
	bomb := compress(t, zeros, func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriterLevel(w, 9) })
	_, err := pickle.Decompress(bomb)
	require.ErrorContains(t, err, "bytes of zlib become more than")

	_, err = pickle.Decompress(compress(t, make([]byte, 1<<20), xzBlocks(1<<30, xz.CRC32)))
	require.ErrorContains(t, err, "xz data that hold no pickle; decompress the file if it holds another model")

	// A block may claim to need a dictionary of 4 GiB.
	data := halfRandom(10_000)
	packed := compress(t, data, xzBlocks(1<<20, xz.CRC64))
	header := packed[12 : 12+4*(int(packed[12])+1)]
	at := bytes.Index(header, []byte{0x21, 1}) + 2
	header[at] = 40
	binary.LittleEndian.PutUint32(header[len(header)-4:], crc32.ChecksumIEEE(header[:len(header)-4]))
	var got []byte
	allocated := allocatedBy(func() { got, err = pickle.Decompress(packed) })
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))
	require.Less(t, allocated, 1<<20)

	header[at] = 41
	binary.LittleEndian.PutUint32(header[len(header)-4:], crc32.ChecksumIEEE(header[:len(header)-4]))
	_, err = pickle.Decompress(packed)
	require.ErrorContains(t, err, "damaged xz data: lzma: invalid dictionary size code")

	alone := compress(t, data, func(w io.Writer) (io.WriteCloser, error) { return lzma.NewWriter(w) })
	binary.LittleEndian.PutUint32(alone[1:], 0xffff0000)
	_, err = pickle.Decompress(alone)
	require.ErrorContains(t, err, "exceeds configured dictionary capacity")
}
