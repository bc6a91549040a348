package sklearn

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hostile says what is said of each file in testdata/hostile.
var hostile = map[string]string{
	"billion-laughs.pkl":           "a walk over the values takes more than 67108864 steps",
	"bomb-10mb-entry.skops":        `entry "zeros.npy" of the archive is no part of the model`,
	"bomb-many-entries.skops":      "of the archive is no part of the model",
	"deep-tuples.pkl":              "byte 1002: values are nested more than 1000 deep",
	"empty.skops":                  "byte 0: the file ends in the middle of the pickle",
	"evil-builtin-getattr.pkl":     "refers to builtins.getattr, which is no part of a scikit-learn model; hew does not execute pickles",
	"evil-eval.pkl":                "refers to builtins.eval, which",
	"evil-inst-opcode.pkl":         "byte 27: instruction INST, which creates an object of Python 2, is not supported",
	"evil-nested.pkl":              "byte 55: refers to posix.system, which",
	"evil-obj-opcode.pkl":          "byte 1: refers to os.system, which",
	"evil-os-system-protocol0.pkl": "byte 0: refers to posix.system, which",
	"evil-os-system-protocol2.pkl": "byte 2: refers to posix.system, which",
	"evil-os-system-protocol4.pkl": "byte 28: refers to posix.system, which",
	"evil-os-system-protocol5.pkl": "byte 28: refers to posix.system, which",
	"evil-posix-system.pkl":        "byte 17: refers to posix.system, which",
	"extension.pkl":                "byte 2: instruction EXT1 refers to a registry outside of the file",
	"huge-bytes.pkl":               "byte 2: the file ends in the middle of the pickle",
	"huge-long.pkl":                "byte 2: the file ends in the middle of the pickle",
	"joblib-evil.joblib":           "byte 28: refers to posix.system, which",
	"joblib-zlib-bomb.joblib":      "zlib data that hold no pickle; decompress the file if it holds another model",
	"memo-cycle.pkl":               "a value contains itself",
	"memo-missing.pkl":             "byte 2: memo entry 99 does not exist",
	"missing-array.skops":          `the archive has no entry "140398436679184.npy"`,
	"no-schema.skops":              "a ZIP archive without schema.json, which a file of skops has",
	"no-stop.pkl":                  "byte 3: the file ends in the middle of the pickle",
	"not-a-pickle.pkl":             "byte 0: an instruction of the pickle needs a mark",
	"not-a-zip.skops":              "damaged ZIP archive: zip: not a valid zip file",
	"npy-bad-magic.skops":          `entry "140398436679184.npy": an array is no .npy file`,
	"npy-header-code.skops":        "header of a .npy file: not a Python literal",
	"npy-huge-header.skops":        "64 bytes of data for an array of shape [1000000000000] of <f8, which needs 8000000000000",
	"npy-negative-shape.skops":     "a .npy file has a dimension that is no number that is possible",
	"npy-object.skops":             "a .npy file holds pickled objects, which skops never writes",
	"path-traversal.skops":         `entry "../../evil.txt" of the archive is no part of the model`,
	"persistent-id.pkl":            "byte 5: instruction BINPERSID refers to an object outside of the file",
	"schema-deep.skops":            "schema.json: a DictNode does not have a type for each key",
	"schema-evil-type.skops":       "refers to os.system, which is no part of a scikit-learn model",
	"schema-protocol-99.skops":     "protocol 99 of skops is not supported, only those up to 2",
	"schema-unknown-class.skops":   "refers to mymodule.Model, which is no part of a scikit-learn model",
	"stack-underflow.pkl":          "byte 2: an instruction of the pickle has no operand",
	"truncated.joblib":             "byte 1069: the file ends in the middle of the pickle",
	"truncated.pkl":                "byte 2: the file ends in the middle of the pickle",
	"truncated.skops":              "damaged ZIP archive: zip: not a valid zip file",
	"unknown-class.pkl":            "byte 20: refers to mymods.MyThings, which",
}

func TestHostile(t *testing.T) {
	files, err := os.ReadDir(filepath.Join("testdata", "hostile"))
	require.NoError(t, err)
	require.Len(t, files, len(hostile))
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".gz")
		t.Run(name, func(t *testing.T) {
			data := readGzip(t, filepath.Join("testdata", "hostile", f.Name()))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			v, _, err := open(data, name)
			require.Less(t, time.Since(start), 2*time.Second)
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20), "bytes allocated")
			require.NotEmpty(t, hostile[name])
			require.ErrorContains(t, err, hostile[name])
			require.NotContains(t, err.Error(), "\n")
			require.Nil(t, v)
		})
	}
}

// readGzip reads a file, which is compressed if its name says so.
func readGzip(t *testing.T, path string) []byte {
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	if strings.HasSuffix(path, ".gz") {
		r, err := gzip.NewReader(bytes.NewReader(data))
		require.NoError(t, err)
		data, err = io.ReadAll(r)
		require.NoError(t, err)
	}
	return data
}
