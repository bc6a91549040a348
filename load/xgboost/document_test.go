package xgboost_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/ir"
	"hew/load/xgboost"
)

// stump is the smallest real model, of XGBoost 3.4.
const stump = `{"learner":{"attributes":{},"feature_names":[],"feature_types":[],"gradient_booster":{"model":{
"cats":{"enc":[],"feature_segments":[],"sorted_idx":[]},"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"1"},
"iteration_indptr":[0,1],"tree_info":[0],"trees":[{"base_weights":[-0E0,-1.0000001E-1,1.0000001E-1],"categories":[],
"categories_nodes":[],"categories_segments":[],"categories_sizes":[],"default_left":[0,0,0],"id":0,"left_children":[1,-1,-1],
"loss_changes":[6.666666E-1,0E0,0E0],"parents":[2147483647,0,0],"right_children":[2,-1,-1],
"split_conditions":[2E0,-1.0000001E-1,1.0000001E-1],"split_indices":[0,0,0],"split_type":[0,0,0],"sum_hessian":[4E0,2E0,2E0],
"tree_param":{"num_deleted":"0","num_feature":"1","num_nodes":"3","size_leaf_vector":"1"}}]},"name":"gbtree"},
"learner_model_param":{"base_score":"[5E-1]","boost_from_average":"1","num_class":"0","num_feature":"1","num_target":"1"},
"objective":{"name":"reg:squarederror","reg_loss_param":{"scale_pos_weight":"1"}}},"version":[3,4,1]}`

// edit is a path into a document and the JSON to put there; an empty text removes
// the key.
type edit struct{ path, json string }

const (
	booster = "learner.gradient_booster."
	model   = booster + "model."
	tree    = model + "trees.0."
	param   = "learner.learner_model_param."
)

// parse returns a document with numbers as json.Number.
func parse(t testing.TB, text string) any {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v), text)
	return v
}

// edited returns the stump after the edits.
func edited(t testing.TB, edits ...edit) any {
	doc := parse(t, stump)
	for _, e := range edits {
		keys := strings.Split(e.path, ".")
		at := doc
		for _, k := range keys[:len(keys)-1] {
			if list, ok := at.([]any); ok {
				i, err := strconv.Atoi(k)
				require.NoError(t, err)
				at = list[i]
			} else {
				at = at.(map[string]any)[k]
			}
		}
		last := keys[len(keys)-1]
		if e.json == "" {
			delete(at.(map[string]any), last)
		} else {
			at.(map[string]any)[last] = parse(t, e.json)
		}
	}
	return doc
}

// A writer writes documents as JSON or UBJSON.
type writer struct {
	order func(keys []string) // of the keys of an object
	space string              // between the tokens of JSON
	style byte                // of UBJSON arrays: 't' typed, 'c' counted, 'b' up to a bracket
}

var sorted = writer{order: slices.Sort[[]string], style: 't'}

func (w writer) keys(o map[string]any) []string {
	keys := slices.Sorted(maps.Keys(o))
	w.order(keys)
	return keys
}

func (w writer) json(b *bytes.Buffer, v any) {
	b.WriteString(w.space)
	switch v := v.(type) {
	case map[string]any:
		b.WriteByte('{')
		for i, k := range w.keys(v) {
			if i > 0 {
				b.WriteByte(',')
			}
			w.json(b, k)
			b.WriteByte(':')
			w.json(b, v[k])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			w.json(b, e)
		}
		b.WriteByte(']')
	default:
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		b.Write(text)
	}
	b.WriteString(w.space)
}

func length(b *bytes.Buffer, n int) {
	b.WriteByte('L')
	b.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
}

func (w writer) ubjson(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case map[string]any:
		b.WriteByte('{')
		for _, k := range w.keys(v) {
			length(b, len(k))
			b.WriteString(k)
			w.ubjson(b, v[k])
		}
		b.WriteByte('}')
	case []any:
		w.ubjsonArray(b, v)
	case string:
		b.WriteByte('S')
		length(b, len(v))
		b.WriteString(v)
	case bool:
		b.WriteByte(map[bool]byte{true: 'T', false: 'F'}[v])
	case nil:
		b.WriteByte('Z')
	case json.Number:
		w.number(b, v, 0)
	}
}

func (w writer) ubjsonArray(b *bytes.Buffer, list []any) {
	b.WriteByte('[')
	kind := byte(0)
	if w.style == 't' {
		kind = commonType(list)
	}
	if kind != 0 {
		b.WriteByte('$')
		b.WriteByte(kind)
	}
	if w.style != 'b' {
		b.WriteByte('#')
		length(b, len(list))
	}
	for _, e := range list {
		if kind != 0 {
			w.number(b, e.(json.Number), kind)
		} else {
			w.ubjson(b, e)
		}
	}
	if w.style == 'b' {
		b.WriteByte(']')
	}
}

// commonType returns d if all elements are numbers and one is a float, l if all are
// integers of 32 bits, otherwise 0.
func commonType(list []any) byte {
	kind := byte(0)
	for _, e := range list {
		n, ok := e.(json.Number)
		if !ok {
			return 0
		}
		if _, err := strconv.ParseInt(string(n), 10, 32); err != nil {
			kind = 'd'
		} else if kind == 0 {
			kind = 'l'
		}
	}
	return kind
}

// number writes the payload of a number of the given type, or for type 0 a marker
// that fits and the payload.
func (w writer) number(b *bytes.Buffer, n json.Number, kind byte) {
	v, err := strconv.ParseInt(string(n), 10, 64)
	bare := kind != 0
	switch {
	case bare:
	case err != nil:
		kind = 'd'
	case v == int64(int8(v)):
		kind = 'i'
	case v == int64(int16(v)):
		kind = 'I'
	case v == int64(int32(v)):
		kind = 'l'
	default:
		kind = 'L'
	}
	if !bare {
		b.WriteByte(kind)
	}
	switch kind {
	case 'd':
		f, err := strconv.ParseFloat(string(n), 32)
		if err != nil {
			panic(err)
		}
		b.Write(binary.BigEndian.AppendUint32(nil, math.Float32bits(float32(f))))
	case 'i':
		b.WriteByte(byte(v))
	case 'I':
		b.Write(binary.BigEndian.AppendUint16(nil, uint16(v)))
	case 'l':
		b.Write(binary.BigEndian.AppendUint32(nil, uint32(v)))
	case 'L':
		b.Write(binary.BigEndian.AppendUint64(nil, uint64(v)))
	}
}

func (w writer) bytes(doc any, container string) []byte {
	var b bytes.Buffer
	if container == "json" {
		w.json(&b, doc)
	} else {
		w.ubjson(&b, doc)
	}
	return b.Bytes()
}

var readers = map[string]func(io.Reader) (*ir.Ensemble, error){"json": xgboost.ReadJSON, "ubjson": xgboost.ReadUBJSON}

func read(data []byte, container string) (*ir.Ensemble, error) {
	return readers[container](bytes.NewReader(data))
}

// open reads a document from both containers, which must agree.
func open(t testing.TB, doc any) *ir.Ensemble {
	e, err := read(sorted.bytes(doc, "json"), "json")
	require.NoError(t, err)
	u, err := read(sorted.bytes(doc, "ubjson"), "ubjson")
	require.NoError(t, err)
	u.Source.Container = "json"
	require.Equal(t, e, u)
	return e
}

// requireRefused checks that both containers are refused for the same reason.
func requireRefused(t testing.TB, doc any, want string) {
	for container := range readers {
		_, err := read(sorted.bytes(doc, container), container)
		require.ErrorContains(t, err, want, container)
	}
}

func shuffled(seed uint64) func([]string) {
	r := rand.New(rand.NewPCG(seed, 0))
	return func(keys []string) { r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] }) }
}
