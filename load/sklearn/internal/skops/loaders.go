package skops

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"

	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// loaders has the function for each loader of skops. depth bounds the nodes below.
var loaders map[string]func(r *reader, n *object, depth int) (record.Value, error)

func init() { // the functions refer to the table
	loaders = map[string]func(r *reader, n *object, depth int) (record.Value, error){
		"JsonNode":                  (*reader).jsonNode,
		"ListNode":                  sequence("list"),
		"TupleNode":                 sequence("tuple"),
		"SetNode":                   sequence("set"),
		"DictNode":                  (*reader).dict,
		"DefaultDictNode":           (*reader).defaultDict,
		"BytesNode":                 (*reader).bytes,
		"BytearrayNode":             (*reader).bytes,
		"SliceNode":                 (*reader).slice,
		"NdArrayNode":               (*reader).array,
		"MaskedArrayNode":           (*reader).maskedArray,
		"DTypeNode":                 (*reader).dtype,
		"TypeNode":                  (*reader).global,
		"FunctionNode":              (*reader).global,
		"PartialNode":               (*reader).partial,
		"OperatorFuncNode":          (*reader).operator,
		"ObjectNode":                (*reader).object,
		"ConstructorFromReduceNode": (*reader).constructed,
		"TreeNode":                  (*reader).reduced,
		"LossNode":                  (*reader).reduced,
		"ReduceNode":                (*reader).reduced,
		"SGDNode":                   (*reader).reduced, // LossNode up to skops 0.9
		"RandomStateNode":           (*reader).opaque,
		"RandomGeneratorNode":       (*reader).opaque,
		"SparseMatrixNode":          (*reader).opaque,
		"MethodNode":                (*reader).method,
		"CachedNode":                (*reader).cached,
	}
}

// jsonNode reads a document of JSON in a string: None, a number, text, or lists and
// dicts of those.
func (r *reader) jsonNode(n *object, _ int) (record.Value, error) {
	text, ok := n.get("content").(string)
	if !ok {
		return nil, errors.New("a JsonNode has no content")
	}
	v, err := r.json.decode([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("a JsonNode: %w", err)
	}
	return fromJSON(v), nil
}

func fromJSON(v any) record.Value {
	switch v := v.(type) {
	case []any:
		l := &record.List{Kind: "list"}
		for _, item := range v {
			l.Items = append(l.Items, fromJSON(item))
		}
		return l
	case *object:
		d := &record.Dict{}
		for i, key := range v.keys {
			d.Set(key, fromJSON(v.values[i]))
		}
		return d
	}
	return v
}

// sequence returns the loader of a builtin type of sequences. An instance of a
// subclass of list has items; one of a named tuple has them as arguments.
func sequence(kind string) func(*reader, *object, int) (record.Value, error) {
	return func(r *reader, n *object, depth int) (record.Value, error) {
		class, err := r.class(n)
		if err != nil {
			return nil, err
		}
		items, err := r.nodes(n.get("content"), depth)
		switch {
		case err != nil:
			return nil, err
		case class.Module == "builtins" && (class.Name == kind || class.Name == "frozenset" && kind == "set"):
			return &record.List{Items: items, Kind: class.Name}, nil
		case kind == "tuple":
			return &record.Object{Class: class, Args: items}, nil
		}
		return &record.Object{Class: class, Items: items}, nil
	}
}

// dict reads a dict. Its keys are text in the file; key_types has their types.
func (r *reader) dict(n *object, depth int) (record.Value, error) {
	class, err := r.class(n)
	if err != nil {
		return nil, err
	}
	c, err := content(n)
	if err != nil {
		return nil, err
	}
	v, err := r.node(n.get("key_types"), depth)
	if err != nil {
		return nil, err
	}
	types, ok := v.(*record.List)
	if !ok || len(types.Items) != len(c.keys) {
		return nil, errors.New("a DictNode does not have a type for each key")
	}
	d := &record.Dict{Keys: make([]record.Value, len(c.keys)), Values: make([]record.Value, len(c.keys))}
	for i, key := range c.keys {
		if d.Keys[i], err = typedKey(types.Items[i], key); err != nil {
			return nil, err
		}
		if d.Values[i], err = r.node(c.values[i], depth); err != nil {
			return nil, err
		}
	}
	if class.Module == "builtins" || class.Module == "collections" {
		return d, nil
	}
	return &record.Object{Class: class, Entries: d}, nil
}

// typedKey returns the key that text stands for.
func typedKey(t record.Value, key string) (record.Value, error) {
	class, ok := t.(*record.Global)
	if !ok {
		return nil, errors.New("the type of a key is no class")
	}
	switch class.Name {
	case "str", "str_":
		return key, nil
	case "NoneType":
		return nil, nil
	case "bool", "bool_":
		return key == "true" || key == "True", nil
	case "int", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64":
		if k, err := strconv.ParseInt(key, 10, 64); err == nil {
			return k, nil
		}
		if k, ok := new(big.Int).SetString(key, 10); ok && len(key) <= maxInteger {
			return k, nil
		}
	case "float", "float16", "float32", "float64":
		if k, err := strconv.ParseFloat(key, 64); err == nil {
			return k, nil
		}
	}
	return nil, fmt.Errorf("%.40q is no key of type %v", key, class)
}

func (r *reader) defaultDict(n *object, depth int) (record.Value, error) {
	c, err := content(n)
	if err != nil {
		return nil, err
	}
	return r.node(c.get("main"), depth)
}

func (r *reader) bytes(n *object, _ int) (record.Value, error) {
	b, err := r.read(n.text("file"))
	if err != nil {
		return nil, err
	}
	return b, nil
}

func (r *reader) slice(n *object, _ int) (record.Value, error) {
	class, err := r.class(n)
	if err != nil {
		return nil, err
	}
	c, err := content(n)
	if err != nil {
		return nil, err
	}
	args := []record.Value{fromJSON(c.get("start")), fromJSON(c.get("stop")), fromJSON(c.get("step"))}
	return &record.Object{Class: class, Args: args}, nil
}

func (r *reader) dtype(n *object, depth int) (record.Value, error) {
	v, err := r.node(n.get("content"), depth)
	if err != nil {
		return nil, err
	}
	a, ok := v.(*record.Array)
	if !ok {
		return nil, errors.New("a DTypeNode has no array")
	}
	return a.DType, nil
}

// global reads the name of a class or of a function. In protocol 0 the content of a
// function has its name.
func (r *reader) global(n *object, _ int) (record.Value, error) {
	module, name := n.text("__module__"), n.text("__class__")
	if c, ok := n.get("content").(*object); ok && c.text("function") != "" {
		module, name = c.text("module_path"), c.text("function")
	}
	g, err := r.named(module, name)
	if err != nil {
		return nil, err
	}
	return &g, nil
}

// partial reads a partial as a pickle has it: the function as the argument, and the
// state with everything.
func (r *reader) partial(n *object, depth int) (record.Value, error) {
	class, err := r.class(n)
	if err != nil {
		return nil, err
	}
	c, err := content(n)
	if err != nil {
		return nil, err
	}
	state := &record.List{Kind: "tuple", Items: make([]record.Value, 4)}
	for i, key := range []string{"func", "args", "kwds", "namespace"} {
		if state.Items[i], err = r.node(c.get(key), depth); err != nil {
			return nil, err
		}
	}
	return &record.Object{Class: class, Args: state.Items[:1:1], State: state}, nil
}

func (r *reader) operator(n *object, depth int) (record.Value, error) {
	return r.create(n, n.get("attrs"), depth)
}

func (r *reader) constructed(n *object, depth int) (record.Value, error) {
	return r.create(n, n.get("content"), depth)
}

// create reads an object that its class makes of the arguments in a TupleNode.
func (r *reader) create(n *object, args any, depth int) (record.Value, error) {
	class, err := r.class(n)
	if err != nil {
		return nil, err
	}
	v, err := r.node(args, depth)
	if err != nil {
		return nil, err
	}
	l, ok := v.(*record.List)
	if !ok || l.Kind != "tuple" {
		return nil, errors.New("the arguments of a class are no tuple")
	}
	if class.Module == "builtins" && class.Name == "frozenset" && len(l.Items) == 1 {
		if items, ok := l.Items[0].(*record.List); ok {
			return &record.List{Items: items.Items, Kind: class.Name}, nil
		}
	}
	return &record.Object{Class: class, Args: l.Items}, nil
}

func (r *reader) object(n *object, depth int) (record.Value, error) {
	class, err := r.class(n)
	if err != nil {
		return nil, err
	}
	o := &record.Object{Class: class}
	if c := n.get("content"); c != nil {
		if o.State, err = r.node(c, depth); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// reduced reads an object with arguments and a state.
func (r *reader) reduced(n *object, depth int) (record.Value, error) {
	reduce, ok := n.get("__reduce__").(*object)
	if !ok {
		return nil, fmt.Errorf("a %.40s has no arguments", n.text("__loader__"))
	}
	v, err := r.create(n, reduce.get("args"), depth)
	if err != nil {
		return nil, err
	}
	o, ok := v.(*record.Object)
	if !ok {
		return nil, errors.New("an object is expected")
	}
	state, err := r.node(n.get("content"), depth)
	if err != nil {
		return nil, err
	}
	if d, ok := state.(*record.Dict); !ok || len(d.Keys) > 0 {
		o.State = state
	}
	return o, nil
}

// opaque reads an object whose state nothing needs.
func (r *reader) opaque(n *object, _ int) (record.Value, error) {
	class, err := r.class(n)
	if err != nil {
		return nil, err
	}
	return &record.Object{Class: class}, nil
}

func (r *reader) method(n *object, _ int) (record.Value, error) {
	return nil, fault.Unsupportedf("refers to a method of an object of %.80q, which is not supported", n.text("__class__"))
}

// cached is only called if the value that the node refers to does not exist.
func (r *reader) cached(*object, int) (record.Value, error) {
	return nil, errors.New("a CachedNode refers to a value that does not exist")
}
