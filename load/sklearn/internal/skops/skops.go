// Package skops reads the files of skops into records.
//
// A .skops file is a ZIP archive with schema.json, a tree of nodes, and a .npy file
// for each array. Each node names the class that it stands for and the loader that
// knows what is in it. skops asks its user to trust the classes; here nothing is
// created of them, and each name is shown to the caller's allow function.
//
// The records are those that a pickle of the same model gives, except that random
// generators and sparse matrices are without their state, and that a value that
// skops has written twice is one value where Python had one.
//
// Sources: skops-dev/skops:skops/io/_audit.py, _general.py, _numpy.py, _sklearn.py
// and old/*.py, protocols 0 to 2.
package skops

import (
	"errors"
	"fmt"
	"strings"

	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

const maxProtocol = 2

// Read reads a .skops file. Classes and functions that allow does not know, by the
// names that record.Named gives, are an error. The value has passed record.Check
// and refers to data.
func Read(data []byte, allow func(module, name string) bool) (record.Value, error) {
	a, err := openArchive(data)
	if err != nil {
		return nil, err
	}
	if a.entries["schema.json"] == nil {
		return nil, fault.Unsupportedf("a ZIP archive without schema.json, which a file of skops has; if a model is in it, unpack it")
	}
	schema, err := a.read("schema.json")
	if err != nil {
		return nil, err
	}
	r := &reader{archive: a, json: newDecoder(), allow: allow, byID: map[int64]*shared{}, byFile: map[string]*record.Array{}}
	root, err := r.json.decode(schema)
	if err != nil {
		return nil, fault.Formatf("schema.json: %v", err)
	}
	v, err := r.root(root)
	if err == nil {
		err = record.Check(v)
	}
	switch {
	case err == nil:
		return v, nil
	case errors.Is(err, fault.ErrUnsupported) || errors.Is(err, fault.ErrFormat):
		return nil, err
	}
	return nil, fault.Formatf("schema.json: %v", err)
}

// A reader makes records of nodes.
type reader struct {
	*archive
	json   decoder
	allow  func(module, name string) bool
	byID   map[int64]*shared
	byFile map[string]*record.Array
}

// A shared is a value that several nodes may stand for.
type shared struct {
	value record.Value
	done  bool
}

func (r *reader) root(v any) (record.Value, error) {
	root, ok := v.(*object)
	if !ok {
		return nil, errors.New("no object")
	}
	switch protocol, ok := root.get("protocol").(int64); {
	case root.get("protocol") == nil && root.get("__loader__") != nil:
		return nil, fault.Unsupportedf("written by a skops that had no protocols yet; save the model again with a newer skops")
	case !ok || protocol < 0:
		return nil, errors.New("no protocol")
	case protocol > maxProtocol:
		return nil, fault.Unsupportedf("protocol %d of skops is not supported, only those up to %d; save the model with an older skops", protocol, maxProtocol)
	}
	value, err := r.node(root, record.MaxDepth)
	if err != nil {
		return nil, err
	}
	named := map[string]bool{}
	collectFiles(root, named)
	return value, r.checkUsed(named)
}

// collectFiles finds the entries that nodes name, those that are not read too.
func collectFiles(v any, named map[string]bool) {
	switch v := v.(type) {
	case *object:
		for i, value := range v.values {
			if name, ok := value.(string); ok && v.keys[i] == "file" {
				named[name] = true
			}
			collectFiles(value, named)
		}
	case []any:
		for _, item := range v {
			collectFiles(item, named)
		}
	}
}

// node returns the value that a node stands for.
func (r *reader) node(v any, depth int) (record.Value, error) {
	n, ok := v.(*object)
	switch {
	case !ok:
		return nil, errors.New("a node is no object")
	case depth == 0:
		return nil, fmt.Errorf("values are nested more than %d deep", record.MaxDepth)
	}
	id, hasID := n.get("__id__").(int64)
	if s := r.byID[id]; hasID && s != nil {
		if !s.done {
			return nil, errors.New("a value contains itself")
		}
		return s.value, nil
	}
	s := &shared{}
	if hasID {
		r.byID[id] = s
	}
	loader := n.text("__loader__")
	load := loaders[loader]
	if load == nil {
		return nil, fault.Unsupportedf("loader %.40q of skops is not supported", loader)
	}
	value, err := load(r, n, depth-1)
	if err != nil {
		return nil, err
	}
	s.value, s.done = value, true
	return value, nil
}

// nodes returns the values of a list of nodes.
func (r *reader) nodes(v any, depth int) ([]record.Value, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, errors.New("the content of a node is no list")
	}
	if len(list) == 0 {
		return nil, nil
	}
	items := make([]record.Value, len(list))
	for i, item := range list {
		var err error
		if items[i], err = r.node(item, depth); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// content returns the object that is the content of a node and has several nodes.
func content(n *object) (*object, error) {
	c, ok := n.get("content").(*object)
	if !ok {
		return nil, fmt.Errorf("a %.40s has no content", n.text("__loader__"))
	}
	return c, nil
}

// class returns the class or the function that a node names.
func (r *reader) class(n *object) (record.Global, error) {
	return r.named(n.text("__module__"), n.text("__class__"))
}

func (r *reader) named(module, name string) (record.Global, error) {
	g := record.Named(module, name)
	if !plain[g] && !r.allow(g.Module, g.Name) {
		dotted := g.String()
		if len(dotted) > 200 || strings.ContainsFunc(dotted, func(c rune) bool { return c <= ' ' || c > '~' }) {
			dotted = fmt.Sprintf("%.200q", dotted)
		}
		return g, fault.Unsupportedf("refers to %s, which is no part of a scikit-learn model", dotted)
	}
	return g, nil
}

// plain has the classes of plain data, which are always allowed.
var plain = func() map[record.Global]bool {
	m := map[record.Global]bool{
		{Module: "collections", Name: "OrderedDict"}: true,
		{Module: "collections", Name: "defaultdict"}: true,
		{Module: "numpy", Name: "ndarray"}:           true,
		{Module: "numpy", Name: "dtype"}:             true,
	}
	for _, name := range strings.Fields("str int float bool bytes bytearray list tuple set frozenset dict slice object NoneType") {
		m[record.Global{Module: "builtins", Name: name}] = true
	}
	return m
}()
