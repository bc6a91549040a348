package load_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"hew/ir"
	"hew/load"
)

const (
	goldens = "../testdata/golden-xgboost"
	bads    = "../testdata/bad"
)

// A goldenCase is what case.json says about the model.
type goldenCase struct {
	Version    string   `json:"version"`
	Booster    string   `json:"booster"`
	Objective  string   `json:"objective"`
	Trees      int      `json:"trees"`
	Rounds     *int     `json:"rounds"`
	Features   int      `json:"features"`
	Classes    int      `json:"classes"`
	Targets    int      `json:"targets"`
	ModelFiles []string `json:"model_files"`
}

func TestGolden(t *testing.T) {
	cases, err := os.ReadDir(goldens)
	require.NoError(t, err)
	require.Len(t, cases, 151)
	for _, entry := range cases {
		dir := filepath.Join(goldens, entry.Name())
		var c goldenCase
		data, err := os.ReadFile(filepath.Join(dir, "case.json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &c))
		require.NotEmpty(t, c.ModelFiles)

		var first *ir.Ensemble
		for _, file := range c.ModelFiles {
			e, err := load.File(filepath.Join(dir, file))
			require.NoError(t, err)
			require.NoError(t, e.Verify())
			requireSource(t, filepath.Join(dir, file), c, e.Source)
			requireShape(t, entry.Name(), c, e)
			e.Source = ir.Source{}
			if first == nil {
				first = e
			}
			require.Equal(t, first, e, "%s: the containers differ", entry.Name())
		}
	}
}

func requireSource(t *testing.T, path string, c goldenCase, s ir.Source) {
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	sum := sha256.Sum256(data)
	want := ir.Source{
		File: filepath.Base(path), SHA256: hex.EncodeToString(sum[:]), Trainer: "xgboost", Version: c.Version,
		Container: "json", Booster: c.Booster, Objective: c.Objective, Warnings: s.Warnings,
	}
	if strings.HasSuffix(path, ".ubj") {
		want.Container = "ubjson"
	}
	require.Equal(t, want, s, path)
	if strings.Contains(path, "categorical-pandas-utf8") {
		require.Len(t, s.Warnings, 1, path)
		require.Contains(t, s.Warnings[0], `the categories of feature "Soil_Type" are garbled`)
	} else {
		require.Empty(t, s.Warnings, path)
	}
}

func requireShape(t *testing.T, name string, c goldenCase, e *ir.Ensemble) {
	require.Len(t, e.Trees, c.Trees, name)
	require.Len(t, e.Features, c.Features, name)
	require.Equal(t, max(c.Classes, c.Targets, 1), e.Outputs, name)
	if c.Rounds != nil && e.Linear == nil {
		require.Equal(t, *c.Rounds, e.NumRounds(), name)
	}
}

func TestGoldenFacts(t *testing.T) {
	open := func(name string) *ir.Ensemble {
		e, err := load.File(filepath.Join(goldens, name, "model.json"))
		require.NoError(t, err)
		return e
	}
	require.Equal(t, []string{"Douglas-fir", "aspen", "cottonwood", "krummholz", "lodgepole pine", "ponderosa pine", "spruce/fir"},
		open("xgboost-1.3-sklearn-wrapper-string-labels").Classes)
	require.Equal(t, 5, open("xgboost-3.2-early-stopping").BestRound)
	require.Equal(t, []int32{0, 15, 30}, open("xgboost-1.0-boosted-forest-multi5").Rounds)
	require.Equal(t, ir.Feature{Name: "Wilderness_Area", Type: ir.Categorical, Categories: []string{"Rawah", "Neota", "Comanche Peak", "Cache la Poudre"}},
		open("xgboost-3.2-categorical-pandas-strings").Features[6])
	utf8 := open("xgboost-3.2-categorical-pandas-utf8").Features
	require.Nil(t, utf8[7].Categories)
	require.Equal(t, ir.Categorical, utf8[7].Type)
	pruned := open("xgboost-1.0-exact-gamma-pruned").Trees[0].Nodes
	require.Greater(t, pruned[len(pruned)-1].ID, int32(len(pruned)), "pruned nodes are gone, the trainer's numbers stay")
	require.Greater(t, pruned[0].Cover, pruned[1].Cover)
	require.Equal(t, ir.MultiLabel, open("xgboost-3.2-multi-label-one-per-tree").Task)
}

// bad says for each file in testdata/bad what the error must tell.
var bad = map[string]string{
	"array-too-long.json":                "tree 0: 32 left_children for 29 nodes",
	"array-too-short.json":               "tree 0: 28 split_indices for 29 nodes",
	"array-top-level.json":               "a JSON array: a model file is a JSON object",
	"base-score-nan.json":                `byte 4623: base_score "[NaN]" is not a finite number`,
	"base-score-out-of-range-1.7.json":   "base_score 1.5 is not in (0, 1)",
	"base-score-text.json":               `base_score "half" is not a finite number`,
	"base-score-wrong-size.json":         "3 values of base_score for 1 outputs",
	"bit-flips.ubj":                      "tree 0, node 1: feature -2139062118 out of range",
	"booster-unknown.json":               `booster "gbforest" is none of`,
	"catboost-truncated.cbm":             "a CatBoost model: this format is not supported yet",
	"category-huge.json":                 "tree 0, node 0: category 2147483647 out of range [0, 16777216)",
	"category-negative.json":             "tree 0, node 0: category -3 out of range",
	"category-node-missing.json":         "tree 0, node 0: categorical split without categories",
	"category-segment-out-of-range.json": "tree 0, node 0: its 40 categories from place 5 are not among the 2",
	"category-size-negative.json":        "tree 0, node 0: its -1 categories from place 0",
	"child-float.json":                   `tree 0: byte 906: "1.5" is not a 32-bit integer`,
	"child-int64.json":                   `tree 0: byte 906: "1099511627776" is not a 32-bit integer`,
	"child-negative.json":                "tree 0, node 0: left child -7 out of range [0, 29)",
	"child-one-sided.json":               "tree 0, node 0: right child -1 out of range [0, 29)",
	"child-out-of-range.json":            "tree 0, node 0: left child 100000 out of range [0, 29)",
	"cycle-self.json":                    "tree 0, node 1: left child 1 has another parent",
	"cycle-to-root.json":                 "tree 0, node 13: right child 0 has another parent or is the root",
	"default-left-strings.json":          "tree 0: byte 791: found a string instead of a number",
	"duplicate-key.json":                 `key "learner_model_param" comes twice`,
	"empty.json":                         "an empty file",
	"empty.ubj":                          "an empty file",
	"evil-os-system-protocol0.pkl":       "byte 0: refers to posix.system, which is no part of a scikit-learn model; hew does not execute pickles",
	"evil-os-system-protocol4.pkl":       "byte 28: refers to posix.system, which is no part of a scikit-learn model; hew does not execute pickles",
	"feature-names-count.json":           "feature_names has 3 entries for 27 features",
	"feature-negative.json":              "tree 0, node 0: feature -1 out of range",
	"feature-out-of-range.json":          "tree 0, node 0: feature 1000 out of range [0, 27)",
	"gblinear-weights-short.json":        "5 weights for 27 features and 1 outputs, want 28",
	"high-precision.ubj":                 "byte 18: found a high-precision number",
	"huge-array-untyped.ubj":             "byte 18: found an array instead of an object",
	"huge-array.ubj":                     "byte 18: found an array instead of an object",
	"huge-key.ubj":                       "byte 10: a key is longer than 4096 bytes",
	"huge-string.ubj":                    "byte 18: found a string instead of an object",
	"invalid-utf8.json":                  "byte 55: a string is not UTF-8",
	"iteration-indptr-wrong.json":        "iteration_indptr [0 9 2] does not divide 2 trees",
	"leaf-nan.json":                      "tree 0, node 14: leaf value is NaN",
	"leaf-vector-index.json":             "tree 0: size_leaf_vector is 3, but there are neither leaf_weights",
	"learner-list.json":                  "byte 12: found an array instead of an object",
	"legacy-base64.bin":                  "an XGBoost model in base64",
	"legacy-binary-binf.bin":             "old binary format: load it with XGBoost 3.0 or earlier and save it with Booster.save_model",
	"legacy-binary-no-magic.bin":         "old binary format",
	"lgb-header-only.txt":                "a LightGBM text model: this format is not supported yet",
	"little-endian.ubj":                  "byte 10: a key is longer than 4096 bytes",
	"nan-lower-case.json":                `tree 0: byte 1533: "nan" is not a float32 number`,
	"negative-count.ubj":                 "byte 18: found an array",
	"negative-length.ubj":                "byte 10: a key of length -1",
	"not-a-model.json":                   `not an XGBoost model: no key "learner"`,
	"not-a-pickle.pkl":                   "unknown format",
	"not-a-zip.skops":                    "damaged ZIP archive",
	"nul-bytes.json":                     "unknown format",
	"null-typed-array.ubj":               "byte 18: found an array",
	"num-class-and-target.json":          "num_class 3 together with num_target 2",
	"num-class-text.json":                `num_class "three" is not a 32-bit integer`,
	"num-feature-huge.json":              `num_feature "99999999999999999999" is not a 32-bit integer`,
	"num-feature-negative.json":          "num_feature is -5, want at least 1",
	"num-nodes-negative.json":            "tree 0: byte 2334: num_nodes is -1",
	"num-nodes-wrong.json":               "tree 0: 29 left_children for 1000 nodes",
	"num-nodes-zero.json":                "tree 0: byte 672: num_nodes is 0, want at least 1",
	"num-trees-wrong.json":               "num_trees is 5, but there are 2 trees",
	"number-long.json":                   "tree 0: byte 1533: number longer than 512 bytes",
	"number-malformed.json":              `"1.2.3" is not a float32 number`,
	"objective-missing.json":             "the learner has no objective",
	"objective-unknown.json":             `objective "custom:mine" is none of XGBoost's own`,
	"onnx-truncated.onnx":                "an ONNX model: this format is not supported yet",
	"shared-child.json":                  "tree 0, node 0: left child 1 has another parent",
	"split-type-unknown.json":            "tree 0, node 0: split type 7",
	"string-top-level.json":              "unknown format",
	"string-unterminated.json":           "byte 4725: unexpected end of file",
	"threshold-nan.json":                 "tree 0, node 0: threshold is NaN",
	"threshold-null.json":                `tree 0: byte 1533: "null" is not a float32 number`,
	"threshold-overflow.json":            `tree 0: byte 1533: "1e400" is not a float32 number`,
	"threshold-string.json":              "tree 0: byte 1533: found a string instead of a number",
	"trailing-garbage.json":              "byte 16328: text after the end of the model",
	"tree-id-wrong.json":                 "tree 0: its id is 1",
	"tree-info-group-out-of-range.json":  "tree 1: tree_info puts it in group 7 of 1",
	"tree-info-negative.json":            "tree 1: tree_info puts it in group -1 of 1",
	"tree-info-short.json":               "tree_info has 1 entries for 2 trees",
	"tree-null.json":                     "tree 1: byte 2363: found null instead of an object",
	"trees-missing.json":                 "the booster's model has no trees",
	"trees-object.json":                  "byte 296: found an object instead of an array",
	"truncated-half.json":                "byte 8164: unexpected end of file",
	"truncated-half.ubj":                 "byte 7228: unexpected end of file",
	"truncated-in-length.ubj":            "byte 5: unexpected end of file",
	"truncated-last-byte.json":           "byte 16327: unexpected end of file",
	"truncated-last-byte.ubj":            "byte 14456: unexpected end of file",
	"truncated.joblib":                   "byte 1069: the file ends in the middle of the pickle",
	"truncated.skops":                    "damaged ZIP archive",
	"unknown-marker.ubj":                 "byte 18: found unknown marker 'Q'",
	"utf16.json":                         "text in UTF-16: convert it to UTF-8",
	"weight-drop-short.json":             "weight_drop has 1 entries for 2 trees",
	"whitespace.json":                    "an empty file",
	"xgb-dump.json":                      "a JSON dump of XGBoost trees",

	"ok-two-trees.json":           "", // loads
	"version-missing-future.json": "", // loads with a warning
}

func TestBad(t *testing.T) {
	files, err := os.ReadDir(bads)
	require.NoError(t, err)
	require.Len(t, files, len(bad))
	for _, f := range files {
		want, ok := bad[f.Name()]
		require.True(t, ok, f.Name())
		data, err := os.ReadFile(filepath.Join(bads, f.Name()))
		require.NoError(t, err)
		start := time.Now()
		allocated := allocatedBy(func() { _, err = load.Read("dir/"+f.Name(), bytes.NewReader(data)) })
		require.Less(t, time.Since(start), 2*time.Second, f.Name())
		require.Less(t, allocated, 1<<20, f.Name())
		if want == "" {
			require.NoError(t, err, f.Name())
			continue
		}
		require.ErrorContains(t, err, want, f.Name())
		require.True(t, strings.HasPrefix(err.Error(), f.Name()+": "), err)
		require.NotContains(t, err.Error(), "\n", f.Name())
		require.True(t, errors.Is(err, load.ErrFormat) != errors.Is(err, load.ErrUnsupported), f.Name())
	}

	e, err := load.File(filepath.Join(bads, "version-missing-future.json"))
	require.NoError(t, err)
	require.Equal(t, []string{"written by XGBoost 99.0.0; the newest known is 3.4, whose rules are taken"}, e.Source.Warnings)
}

// allocatedBy returns the bytes that f allocates in all.
func allocatedBy(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// TestPython checks that every container of Python's objects reaches its reader.
func TestPython(t *testing.T) {
	for head, want := range map[string]string{
		"\x1f\x8b\x08\x00":          "damaged gzip data: the file ends too early",
		"BZh91AY":                   "damaged bzip2 data",
		"\xfd7zXZ\x00":              "damaged xz data: the file ends too early",
		"\x5d\x00\x00\x80\x00":      "damaged lzma data: the file ends too early",
		"\x04\x22\x4d\x18":          "damaged lz4 data: the file ends too early",
		"\x78\x9c\x01":              "damaged zlib data: the file ends too early",
		"\x78\x01\x01":              "damaged zlib data: the file ends too early",
		"PK\x03\x04":                "damaged ZIP archive: zip: not a valid zip file",
		"\x80\x05\x95":              "byte 2: the file ends in the middle of the pickle",
		"\x80\x02}q":                "byte 3: the file ends in the middle of the pickle",
		"(dp0\n":                    "byte 5: the file ends in the middle of the pickle",
		"}q\x00":                    "byte 3: the file ends in the middle of the pickle",
		"ccopy_reg\n_reconstruct\n": "byte 0: refers to copyreg._reconstruct, which is no part of a scikit-learn model",
	} {
		_, err := load.Read("", strings.NewReader(head))
		require.ErrorContains(t, err, "standard input: "+want, "%q", head)
		_, err2 := load.Read("", iotest.OneByteReader(strings.NewReader(head)))
		require.Equal(t, err, err2)
	}
	_, err := load.Read("", iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("\x80\x02"))))
	require.ErrorIs(t, err, iotest.ErrTimeout)
}

// TestWholeFile checks that a file that is read into memory is there once.
func TestWholeFile(t *testing.T) {
	const size = 32 << 20
	pickle := append([]byte("\x80\x04]B\x00\x00\x00\x02"), make([]byte, size)...)
	path := filepath.Join(t.TempDir(), "large.pkl")
	require.NoError(t, os.WriteFile(path, append(pickle, "a."...), 0o600))
	var err error
	allocated := allocatedBy(func() { _, err = load.File(path) })
	require.ErrorIs(t, err, load.ErrUnsupported)
	require.Less(t, allocated, size+size/50)
}

func TestRefusedByName(t *testing.T) {
	legacy := strings.Repeat("\x00", 136) + "\x0f\x00\x00\x00\x00\x00\x00\x00binary:logistic"
	for head, want := range map[string]string{
		"ZF0x1c2 ":                 "a pickle of joblib before 0.10: load it in Python and dump it again with a newer joblib",
		"\xef\xbb\xbf{":            "text with a byte order mark",
		"\xff\xfe{\x00":            "text in UTF-16",
		"\x00{\x00\"":              "text in UTF-16",
		`{"Config":{},"Model":{}}`: "a memory snapshot of an XGBoost booster",
		"{\n \"Model\" : {":        "a memory snapshot of an XGBoost booster",
		"{L\x00\x00\x00\x00\x00\x00\x00\x06Config{": "a memory snapshot of an XGBoost booster",
		legacy:                               "old binary format",
		"binf\x00":                           "old binary format",
		"booster[0]:\n0:[f2<1.5] yes=1,no=2": "a text dump of XGBoost trees: a dump lacks the base score",
		"0:leaf=0.5":                         "a text dump of XGBoost trees",
		"digraph {\n":                        "a Graphviz dump",
		"[\n  { \"nodeid\": 0, \"depth\": 0": "a JSON dump of XGBoost trees",
		`{"nodeid":0,"leaf":1}`:              "a JSON dump of XGBoost trees",
		`["  { \"nodeid\": 0, \"split\"`:     "a JSON dump of XGBoost trees",
		"tree\nversion=v4\n":                 "a LightGBM text model",
		"tree\r\nversion=v3\r\n":             "a LightGBM text model",
		`{"name":"tree","version":"v4"`:      "a LightGBM JSON dump",
		"CBM1\x00":                           "a CatBoost model",
		"{\n  \"features_info\":\n":          "a CatBoost JSON model",
		"\x08\x08\x12\x07pytorch":            "an ONNX model",
		"<?xml version":                      "an XML document",
		"\x93NUMPY\x01\x00":                  "a NumPy array",
		"PAR1":                               "a Parquet file",
	} {
		_, err := load.Read("", strings.NewReader(head))
		require.ErrorIs(t, err, load.ErrUnsupported, "%q", head)
		require.ErrorContains(t, err, "standard input: ")
		require.ErrorContains(t, err, want, "%q", head)
	}
	for _, head := range []string{"", "\n\n", "hello", "\x00", "x", "{", "{L", "null"} {
		_, err := load.Read("", strings.NewReader(head))
		require.ErrorIs(t, err, load.ErrFormat, "%q", head)
	}
}

func TestErrors(t *testing.T) {
	_, err := load.File("no/such/file.json")
	require.ErrorIs(t, err, os.ErrNotExist)

	broken := errors.New("disk on fire")
	for _, head := range []string{"", `{"learner"`, `{"learner":` + strings.Repeat(" ", 1<<17)} {
		_, err = load.Read("m.json", io.MultiReader(strings.NewReader(head), iotest.ErrReader(broken)))
		require.ErrorIs(t, err, broken)
		require.NotErrorIs(t, err, load.ErrFormat)
		require.ErrorContains(t, err, "m.json: ")
	}

	var e *load.Error
	_, err = load.File(filepath.Join(bads, "child-negative.json"))
	require.ErrorAs(t, err, &e)
	require.Equal(t, load.Error{File: "child-negative.json", Tree: 0, Node: 0, Offset: -1, Err: e.Err}, *e)
	_, err = load.File(filepath.Join(bads, "child-float.json"))
	require.ErrorAs(t, err, &e)
	require.Equal(t, load.Error{File: "child-float.json", Tree: 0, Node: -1, Offset: 906, Err: e.Err}, *e)
}

// Readers may return little at a time, and the last bytes together with the end.
func TestShortReads(t *testing.T) {
	for _, file := range []string{"model.json", "model.ubj"} {
		data, err := os.ReadFile(filepath.Join(goldens, "xgboost-3.2-categorical-pandas-strings", file))
		require.NoError(t, err)
		want, err := load.Read("m", bytes.NewReader(data))
		require.NoError(t, err)
		for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
			got, err := load.Read("m", wrap(bytes.NewReader(data)))
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
}

// The ensemble of the largest golden must not take more than twice its size to load.
func TestPeakMemory(t *testing.T) {
	for _, file := range []string{"model.json", "model.ubj"} {
		data, err := os.ReadFile(filepath.Join(goldens, "xgboost-3.2-realistic-binary-higgs-500x6", file))
		require.NoError(t, err)
		var e *ir.Ensemble
		allocated := allocatedBy(func() { e, err = load.Read("m", bytes.NewReader(data)) })
		require.NoError(t, err)
		size := e.NumNodes() * 48
		require.Less(t, allocated, 2*size, "all that was ever allocated, for %d bytes of nodes", size)
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, file := range []string{"model.json", "model.ubj"} {
		data, err := os.ReadFile(filepath.Join(goldens, "xgboost-3.2-realistic-binary-higgs-500x6", file))
		require.NoError(b, err)
		b.Run("container="+strings.TrimPrefix(file, "model."), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := load.Read("m", bytes.NewReader(data)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
