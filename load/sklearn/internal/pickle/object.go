package pickle

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// object executes the instructions that name classes and make objects.
func (p *parser) object(op byte) error {
	switch op {
	case 'c': // GLOBAL
		module, err := p.line()
		if err != nil {
			return err
		}
		name, err := p.line()
		if err != nil {
			return err
		}
		return p.global(string(module), string(name))
	case 0x93: // STACK_GLOBAL
		name, err := p.pop()
		if err != nil {
			return err
		}
		module, err := p.pop()
		if err != nil {
			return err
		}
		m, isText := module.(string)
		n, isText2 := name.(string)
		if !isText || !isText2 {
			return errors.New("the name of a class is no text")
		}
		return p.global(m, n)
	case 'R': // REDUCE
		return p.reduce()
	case 0x81, 0x92: // NEWOBJ, NEWOBJ_EX
		return p.newObject(op)
	}
	return p.build() // BUILD
}

// global pushes the name of a class or a function if it is allowed.
func (p *parser) global(module, name string) error {
	if len(module) > maxName || len(name) > maxName {
		return fmt.Errorf("the name of a class has more than %d bytes", maxName)
	}
	g := record.Named(module, name)
	if _, ok := calls[g]; !ok && g != arrayWrapper && !p.allow(g.Module, g.Name) {
		return notAllowed(g)
	}
	return p.push(&g)
}

// oldJoblib are what joblib leaves in a pickle when an array is in another file.
var oldJoblib = regexp.MustCompile(`^joblib\.numpy_pickle(_compat)?\.Z?NDArrayWrapper$`)

var mapped = regexp.MustCompile(`^joblib\.(_memmapping_reducer|pool|backports)\.`)

func notAllowed(g record.Global) error {
	dotted := g.String()
	switch {
	case oldJoblib.MatchString(dotted):
		return fault.Unsupportedf("arrays are in other files, as joblib before 0.10 wrote them; load the model in Python and dump it again with a newer joblib")
	case mapped.MatchString(dotted):
		return fault.Unsupportedf("an array is mapped from another file; load the model in Python without mmap_mode and dump it again")
	case strings.ContainsFunc(dotted, func(r rune) bool { return r <= ' ' || r > '~' }):
		dotted = fmt.Sprintf("%q", dotted)
	}
	return fault.Unsupportedf("refers to %s, which is no part of a scikit-learn model; hew does not execute pickles", dotted)
}

// reduce replaces a function and the tuple of its arguments by what a call would
// give.
func (p *parser) reduce() error {
	args, err := p.popTuple("the arguments of a call")
	if err != nil {
		return err
	}
	v, err := p.pop()
	if err != nil {
		return err
	}
	f, ok := v.(*record.Global)
	if !ok {
		return errors.New("something is called that is no function")
	}
	result, err := p.call(*f, args)
	if err != nil {
		return err
	}
	return p.push(result)
}

func (p *parser) popTuple(what string) ([]record.Value, error) {
	v, err := p.pop()
	if err != nil {
		return nil, err
	}
	l, ok := v.(*record.List)
	if !ok || l.Kind != "tuple" {
		return nil, fmt.Errorf("%s are no tuple", what)
	}
	return l.Items, nil
}

// newObject replaces a class and the tuple of the arguments of its __new__ by an
// object.
func (p *parser) newObject(op byte) error {
	if op == 0x92 {
		v, err := p.pop()
		if err != nil {
			return err
		}
		if d, ok := v.(*record.Dict); !ok || len(d.Keys) > 0 {
			return errors.New("an object is created with named arguments, which is not supported")
		}
	}
	args, err := p.popTuple("the arguments of a class")
	if err != nil {
		return err
	}
	v, err := p.pop()
	if err != nil {
		return err
	}
	class, ok := v.(*record.Global)
	if !ok {
		return errors.New("an object is created of something that is no class")
	}
	if newDict[*class] {
		return p.push(&record.Dict{})
	}
	return p.push(&record.Object{Class: *class, Args: args})
}

var newDict = map[record.Global]bool{
	{Module: "builtins", Name: "dict"}:           true,
	{Module: "collections", Name: "OrderedDict"}: true,
	{Module: "collections", Name: "defaultdict"}: true,
}

// build gives the object below the top of the stack the state on the top.
func (p *parser) build() error {
	state, err := p.pop()
	if err != nil {
		return err
	}
	v, err := p.top()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *record.Object:
		if v.Class == arrayWrapper {
			return p.wrapped(state)
		}
		v.State, err = p.merge(state)
		return err
	case *record.Array:
		return p.buildArray(v, state)
	case *record.DType:
		return p.buildDType(v, state)
	case *record.Dict: // attributes of a subclass of dict
		return nil
	}
	return errors.New("a state is given to something that has none")
}

// merge returns the attributes in a pair of a __dict__ and of slots as one dict, and
// any other state as it is.
func (p *parser) merge(state record.Value) (record.Value, error) {
	pair, ok := state.(*record.List)
	if !ok || pair.Kind != "tuple" || len(pair.Items) != 2 {
		return state, nil
	}
	slots, ok := pair.Items[1].(*record.Dict)
	if !ok {
		return state, nil
	}
	attributes, ok := pair.Items[0].(*record.Dict)
	switch {
	case pair.Items[0] == nil:
		return slots, nil
	case !ok:
		return state, nil
	}
	if err := p.spend(len(attributes.Keys) + len(slots.Keys)); err != nil {
		return nil, err
	}
	return &record.Dict{
		Keys:   append(attributes.Keys[:len(attributes.Keys):len(attributes.Keys)], slots.Keys...),
		Values: append(attributes.Values[:len(attributes.Values):len(attributes.Values)], slots.Values...),
	}, nil
}
