package skops

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"hew/load/internal/fault"
)

// Limits of an archive.
const (
	maxSize  = 8 << 30  // bytes of all entries, decompressed
	freeSize = 64 << 20 // bytes that may be there whatever the size of the file
	maxRatio = 1000     // beyond freeSize
)

// An archive is the ZIP archive of a model.
type archive struct {
	data    []byte
	entries map[string]*entry
	left    int // bytes that may still be decompressed
}

type entry struct {
	file *zip.File
	used bool
}

func openArchive(data []byte) (*archive, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fault.Formatf("damaged ZIP archive: %v", err)
	}
	a := &archive{data: data, entries: make(map[string]*entry, len(z.File))}
	a.left = min(maxSize, max(freeSize, maxRatio*len(data)))
	for _, f := range z.File {
		if a.entries[f.Name] != nil {
			return nil, fault.Formatf("the archive has two entries %.80q", f.Name)
		}
		a.entries[f.Name] = &entry{file: f}
	}
	return a, nil
}

// read returns the bytes of an entry, a view of the archive if they are stored in
// it as they are. What is decompressed twice counts twice.
func (a *archive) read(name string) ([]byte, error) {
	e := a.entries[name]
	if e == nil {
		return nil, fault.Formatf("the archive has no entry %.80q", name)
	}
	e.used = true
	var b []byte
	var err error
	if e.file.Method == zip.Store {
		b, err = a.stored(e.file)
	} else {
		b, err = a.inflate(e.file)
	}
	if err != nil && !errors.Is(err, fault.ErrUnsupported) {
		err = fault.Formatf("entry %.80q: %v", name, err)
	}
	return b, err
}

func (a *archive) stored(f *zip.File) ([]byte, error) {
	start, err := f.DataOffset()
	if err != nil {
		return nil, err
	}
	n := f.CompressedSize64
	if n != f.UncompressedSize64 || start > int64(len(a.data)) || n > uint64(int64(len(a.data))-start) {
		return nil, errors.New("the archive ends too early")
	}
	b := a.data[start : start+int64(n) : start+int64(n)]
	if crc32.ChecksumIEEE(b) != f.CRC32 {
		return nil, zip.ErrChecksum
	}
	return b, nil
}

// inflate decompresses an entry into as many bytes as it claims to have, if the
// bytes that are there can become that many.
func (a *archive) inflate(f *zip.File) ([]byte, error) {
	const bestRatio = 1032 // of deflate
	if f.UncompressedSize64 > uint64(a.left) || f.UncompressedSize64/bestRatio > f.CompressedSize64 {
		return nil, fault.Unsupportedf("entry %.80q claims %d bytes, decompressed, which is too much for an archive of %d bytes", f.Name, f.UncompressedSize64, len(a.data))
	}
	a.left -= int(f.UncompressedSize64)
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := make([]byte, f.UncompressedSize64)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	if n, err := r.Read(make([]byte, 1)); n > 0 || err != io.EOF { // the checksum is compared here
		return nil, fmt.Errorf("more than %d bytes, or a wrong checksum", len(b))
	}
	return b, nil
}

// checkUsed returns an error if the archive has entries that no model has.
func (a *archive) checkUsed(isNamed map[string]bool) error {
	for _, f := range a.entries {
		if name := f.file.Name; !f.used && !isNamed[name] {
			return fault.Formatf("entry %.80q of the archive is no part of the model", name)
		}
	}
	return nil
}
