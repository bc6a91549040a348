package pickle

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"hew/load/sklearn/internal/record"
)

// calls has the functions whose calls build plain data, and which are allowed for
// that.
var calls = map[record.Global]func(*parser, []record.Value) (record.Value, error){
	{Module: "numpy.core.multiarray", Name: "_reconstruct"}: (*parser).reconstruct,
	{Module: "numpy.core.multiarray", Name: "scalar"}:       (*parser).scalar,
	{Module: "numpy.core.numeric", Name: "_frombuffer"}:     (*parser).fromBuffer,
	{Module: "numpy", Name: "dtype"}:                        (*parser).dtype,
	{Module: "_codecs", Name: "encode"}:                     (*parser).encode,
	{Module: "copyreg", Name: "_reconstructor"}:             (*parser).reconstructor,
	{Module: "copyreg", Name: "__newobj__"}:                 (*parser).newObj,
	{Module: "builtins", Name: "bytearray"}:                 (*parser).bytes,
	{Module: "builtins", Name: "bytes"}:                     (*parser).bytes,
	{Module: "builtins", Name: "set"}:                       sequence("set"),
	{Module: "builtins", Name: "frozenset"}:                 sequence("frozenset"),
	{Module: "builtins", Name: "list"}:                      sequence("list"),
	{Module: "builtins", Name: "tuple"}:                     sequence("tuple"),
	{Module: "builtins", Name: "dict"}:                      (*parser).dict,
	{Module: "collections", Name: "OrderedDict"}:            (*parser).dict,
	{Module: "collections", Name: "defaultdict"}:            (*parser).defaultDict,
	{Module: "builtins", Name: "slice"}:                     nil,
	{Module: "builtins", Name: "object"}:                    nil,
	{Module: "numpy", Name: "ndarray"}:                      nil,
}

// pyxUnpickle begins the names of the functions that Cython writes to create its
// objects. Their arguments are the class, a checksum and the state or None.
const pyxUnpickle = "__pyx_unpickle_"

// call returns the record of a call, or what the call gives if it builds plain data.
func (p *parser) call(f record.Global, args []record.Value) (record.Value, error) {
	if build := calls[f]; build != nil {
		return build(p, args)
	}
	o := &record.Object{Class: f, Args: args}
	if strings.HasPrefix(f.Name, pyxUnpickle) && len(args) == 3 {
		class, ok := args[0].(*record.Global)
		if !ok {
			return nil, fmt.Errorf("%v is called without a class", f)
		}
		o.Class, o.Args = *class, nil
		if state, ok := args[2].(*record.List); ok {
			o.Args = state.Items
		}
	}
	return o, nil
}

// sequence returns the function of a type whose argument is a sequence. The result
// shares the items, which are only ever appended to.
func sequence(kind string) func(*parser, []record.Value) (record.Value, error) {
	return func(_ *parser, args []record.Value) (record.Value, error) {
		if len(args) == 0 {
			return &record.List{Kind: kind}, nil
		}
		l, ok := args[0].(*record.List)
		if !ok || len(args) > 1 {
			return nil, fmt.Errorf("a %s is made of something that is no list", kind)
		}
		n := len(l.Items)
		return &record.List{Items: l.Items[:n:n], Kind: kind}, nil
	}
}

// dict makes a dict of nothing or of a list of pairs.
func (p *parser) dict(args []record.Value) (record.Value, error) {
	d := &record.Dict{}
	if len(args) == 0 {
		return d, nil
	}
	pairs, ok := args[0].(*record.List)
	if !ok || len(args) > 1 {
		return nil, errors.New("a dict is made of something that is no list of pairs")
	}
	if err := p.spend(len(pairs.Items)); err != nil {
		return nil, err
	}
	for _, item := range pairs.Items {
		pair, ok := item.(*record.List)
		if !ok || len(pair.Items) != 2 {
			return nil, errors.New("a dict is made of something that is no list of pairs")
		}
		d.Set(pair.Items[0], pair.Items[1])
	}
	return d, nil
}

// defaultDict makes a dict; what it gives for missing keys does not matter here.
func (p *parser) defaultDict(args []record.Value) (record.Value, error) {
	return p.dict(args[min(1, len(args)):])
}

// reconstructor makes an object as protocols 0 and 1 do: of a class, the builtin
// type that it extends and the value of that type.
func (p *parser) reconstructor(args []record.Value) (record.Value, error) {
	if len(args) != 3 {
		return nil, errors.New("an object is created without its class")
	}
	class, ok := args[0].(*record.Global)
	if !ok {
		return nil, errors.New("an object is created of something that is no class")
	}
	o := &record.Object{Class: *class}
	switch base := args[2].(type) {
	case nil:
	case *record.Dict:
		o.Entries = base
	case *record.List:
		o.Items = base.Items[:len(base.Items):len(base.Items)]
	default:
		o.Args = []record.Value{base}
	}
	if newDict[*class] {
		return &record.Dict{}, nil
	}
	return o, nil
}

// newObj is what protocols 0 and 1 call for the instruction NEWOBJ.
func (p *parser) newObj(args []record.Value) (record.Value, error) {
	if len(args) == 0 {
		return nil, errors.New("an object is created without its class")
	}
	class, ok := args[0].(*record.Global)
	if !ok {
		return nil, errors.New("an object is created of something that is no class")
	}
	return &record.Object{Class: *class, Args: args[1:]}, nil
}

// encode returns the bytes of the text that protocols before 3 write for them.
func (p *parser) encode(args []record.Value) (record.Value, error) {
	if len(args) == 1 || len(args) == 2 && isLatin1(args[1]) {
		if s, ok := args[0].(string); ok {
			return p.latin1(s)
		}
	}
	return nil, errors.New("bytes are not written as text in Latin-1")
}

func isLatin1(v record.Value) bool { return v == "latin1" || v == "latin-1" }

// latin1 returns the bytes whose values are the characters of s, which take two
// bytes in s from 0x80 on.
func (p *parser) latin1(s string) ([]byte, error) {
	if err := p.spendBytes(len(s)); err != nil {
		return nil, err
	}
	out := make([]byte, utf8.RuneCountInString(s))
	for i, j := 0, 0; i < len(s); i, j = i+1, j+1 {
		c := s[i]
		switch {
		case c < utf8.RuneSelf:
			out[j] = c
		case c <= 0xc3:
			i++
			out[j] = c<<6 | s[i]&0x3f
		default:
			r, _ := utf8.DecodeRuneInString(s[i:])
			return nil, fmt.Errorf("bytes are written as text with the character %q", r)
		}
	}
	return out, nil
}

// bytes makes bytes of nothing, of bytes or of text and the name of its encoding.
func (p *parser) bytes(args []record.Value) (record.Value, error) {
	if len(args) == 0 {
		return []byte{}, nil
	}
	switch v := args[0].(type) {
	case []byte:
		return v, nil
	case string:
		return p.encode(args)
	case *record.List:
		if len(v.Items) == 0 {
			return []byte{}, nil
		}
	}
	return nil, errors.New("bytes are made of something that is neither bytes nor text")
}
