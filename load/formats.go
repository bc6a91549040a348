package load

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"slices"

	"hew/ir"
	"hew/load/hew"
	"hew/load/internal/fault"
	"hew/load/sklearn"
	"hew/load/xgboost"
)

// A format is a kind of file that is recognised by how it begins.
type format struct {
	name    string
	is      func(head []byte) bool
	read    func(*file) (*ir.Ensemble, error) // nil if hew does not read it
	instead string                            // what to do if hew does not read it
}

const (
	saveModel = "load it in Python and save it with Booster.save_model(\"model.json\")"
	notYet    = "this format is not supported yet"
)

// formats lists what is recognised; the first that fits is taken.
var formats = []format{
	{"an empty file", isEmpty, nil, "check what should have written it"},
	{"a scikit-learn model", isPython, readSklearn, ""},
	{"a pickle of joblib before 0.10", startsWith("ZF0x"), nil, "load it in Python and dump it again with a newer joblib"},
	{"text in UTF-16", isUTF16, nil, "convert it to UTF-8"},
	{"text with a byte order mark", startsWith("\xef\xbb\xbf"), nil, "remove the first three bytes"},

	{"a memory snapshot of an XGBoost booster, as pickles hold", isSnapshot, nil, "it depends on the version of XGBoost; " + saveModel},
	{"an XGBoost model in the old binary format", isLegacyBinary, nil, "load it with XGBoost 3.0 or earlier and save it with Booster.save_model(\"model.json\")"},
	{"an XGBoost model in base64", startsWith("bs64"), nil, "load it with the XGBoost that wrote it and save it with Booster.save_model(\"model.json\")"},
	{"a text dump of XGBoost trees", isTextDump, nil, noDump},
	{"a Graphviz dump of XGBoost trees", startsWith("digraph"), nil, noDump},
	{"a JSON dump of XGBoost trees", isJSONDump, nil, noDump},

	{"a LightGBM text model", isLightGBM, nil, notYet},
	{"a LightGBM JSON dump", isLightGBMDump, nil, notYet},
	{"a CatBoost model", startsWith("CBM1"), nil, notYet},
	{"a CatBoost JSON model", isCatBoostJSON, nil, notYet},
	{"an ONNX model", isONNX, nil, notYet},
	{"an XML document, such as PMML", startsWith("<"), nil, "hew reads the model files of the trainer itself"},
	{"a NumPy array", startsWith("\x93NUMPY"), nil, "it is no model"},
	{"a Parquet file", startsWith("PAR1"), nil, "it is no model"},

	{"hew's own JSON form", isOwn, stream(hew.Read), ""},
	{"XGBoost model JSON", isJSONObject, stream(xgboost.ReadJSON), ""},
	{"XGBoost model UBJSON", isUBJSON, stream(xgboost.ReadUBJSON), ""},
	{"a JSON array", isJSONArray, nil, "a model file is a JSON object"},
}

// readSklearn reads a model of scikit-learn, or one of XGBoost with its interface.
func readSklearn(f *file) (*ir.Ensemble, error) {
	data, err := f.bytes()
	if err != nil {
		return nil, err
	}
	return sklearn.Read(data, f.name, sklearn.Options{Float32: f.options.Float32})
}

// noDump says what a dump of trees is missing.
const noDump = "a dump lacks the base score, the objective and exact numbers; save the model with Booster.save_model(\"model.json\")"

// detect returns the format of the file that begins with head.
func detect(head []byte) (format, error) {
	for _, f := range formats {
		if !f.is(head) {
			continue
		}
		switch {
		case f.read != nil:
			return f, nil
		case isEmpty(head):
			return f, fault.Formatf("%s: %s", f.name, f.instead)
		}
		return f, fault.Unsupportedf("%s: %s", f.name, f.instead)
	}
	return format{}, fault.Formatf("unknown format: neither JSON nor UBJSON nor another known model file")
}

func startsWith(prefix string) func([]byte) bool {
	return func(head []byte) bool { return bytes.HasPrefix(head, []byte(prefix)) }
}

func trimSpace(head []byte) []byte { return bytes.TrimLeft(head, " \t\r\n") }

func isEmpty(head []byte) bool { return len(trimSpace(head)) == 0 }

// isOwn looks for the key with which package save begins.
func isOwn(head []byte) bool { return own.Match(head) }

var own = regexp.MustCompile(`^\s*\{\s*"hew"\s*:`)

// isJSONObject leaves to the JSON reader whatever could be an object, so that its
// error says what is wrong where. Only UBJSON has a letter after the brace.
func isJSONObject(head []byte) bool {
	head = trimSpace(head)
	return head[0] == '{' && !isUBJSON(head)
}

func isJSONArray(head []byte) bool { return trimSpace(head)[0] == '[' }

// isUBJSON looks for the integer type of the length of the first key.
func isUBJSON(head []byte) bool {
	return len(head) > 1 && head[0] == '{' && bytes.IndexByte([]byte("LlIiU"), head[1]) >= 0
}

// isSnapshot looks for the keys of dmlc/xgboost:src/learner.cc, LearnerIO::Save, in
// either container.
func isSnapshot(head []byte) bool {
	head = trimSpace(head[:min(len(head), 64)])
	return head[0] == '{' && snapshotKey.Match(head)
}

var snapshotKey = regexp.MustCompile(`^\{(\s*"|[LlIiU][\x00-\x20]*)(Config|Model)("|\{)`)

// isLegacyBinary looks for the length of the objective's name and a name behind the
// fixed part of dmlc/xgboost:src/learner.cc (up to 3.0), LearnerModelParamLegacy,
// which has 136 bytes.
func isLegacyBinary(head []byte) bool {
	if bytes.HasPrefix(head, []byte("binf")) {
		return true
	}
	const params = 136
	if len(head) < params+8 {
		return false
	}
	n := binary.LittleEndian.Uint64(head[params:])
	name := head[params+8:]
	return n >= 4 && n <= 64 && uint64(len(name)) >= n && objectiveName.Match(name[:n])
}

var objectiveName = regexp.MustCompile(`^[a-z]+:[a-z0-9_]+$`)

func isTextDump(head []byte) bool { return textDump.Match(head) }

var textDump = regexp.MustCompile(`^(booster\[\d+\]|\s*0:(\[|leaf=))`)

// isJSONDump takes the trees of Booster.dump_model and the list of strings that
// Booster.get_dump returns.
func isJSONDump(head []byte) bool {
	head = trimSpace(head)
	return (head[0] == '[' || head[0] == '{') && jsonDump.Match(head)
}

var jsonDump = regexp.MustCompile(`^[\[{"\s\\n]*nodeid\\?"\s*:`)

func isLightGBM(head []byte) bool { return lightGBM.Match(head) }

var lightGBM = regexp.MustCompile(`^tree\r?\nversion=`)

func isLightGBMDump(head []byte) bool { return lightGBMDump.Match(head) }

var lightGBMDump = regexp.MustCompile(`^\s*\{\s*"name"\s*:\s*"tree"`)

func isCatBoostJSON(head []byte) bool { return catBoostJSON.Match(head) }

var catBoostJSON = regexp.MustCompile(`^\s*\{\s*"(features_info|model_info|oblivious_trees|scale_and_bias)"`)

// isONNX looks for the field ir_version of ModelProto, a small number, and the tag
// of one of the fields that follow it.
func isONNX(head []byte) bool {
	return len(head) > 2 && head[0] == 0x08 && head[1] > 0 && head[1] < 32 &&
		bytes.IndexByte([]byte{0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42}, head[2]) >= 0
}

// isPython takes what Python's modules pickle, joblib and skops write: a pickle,
// perhaps compressed, or a ZIP archive.
func isPython(head []byte) bool {
	return isPickle(head) || isZlib(head) || slices.ContainsFunc(pythonMagic, func(magic string) bool {
		return bytes.HasPrefix(head, []byte(magic))
	})
}

// pythonMagic are gzip, bzip2, xz, lzma, lz4 and ZIP.
var pythonMagic = []string{"\x1f\x8b", "BZh", "\xfd7zXZ\x00", "\x5d\x00\x00", "\x04\x22\x4d\x18", "PK"}

// isPickle takes protocols 2 and later, which begin with their number, and what
// earlier ones begin with: a mark, an empty container that goes into the memo, or a
// global name in two lines.
func isPickle(head []byte) bool {
	if len(head) > 1 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5 {
		return true
	}
	return textPickle.Match(head)
}

var textPickle = regexp.MustCompile(`^(c[A-Za-z_][\w.]*\n[A-Za-z_]\w*\n|\((d|l|i|c|o)[\w.]*\n?|[\])}][qr])`)

// isZlib checks the header's checksum, of deflate with a window of 32 KiB.
func isZlib(head []byte) bool {
	return len(head) > 1 && head[0] == 0x78 && (int(head[0])<<8+int(head[1]))%31 == 0
}

func isUTF16(head []byte) bool {
	return startsWith("\xff\xfe")(head) || startsWith("\xfe\xff")(head) ||
		startsWith("{\x00")(head) || startsWith("\x00{")(head)
}
