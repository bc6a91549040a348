// Package record has the values that the containers of Python objects hold:
// what the readers of pickles, of joblib and of skops give, and what the reader
// of estimators reads.
//
// Nothing here is alive. A class or a function is its name, an instance is the
// name of its class with the values that Python would have built it from. Values
// that a file refers to twice are the same pointer. No value contains itself, and
// Check, which the readers of containers call, bounds what a walk that knows
// nothing of shared values has to do.
package record

import "strings"

// A Value is one of
//
//	nil        None
//	bool, int64, float64, string
//	*big.Int   an integer beyond int64
//	[]byte     bytes and bytearray
//	*List, *Dict, *Array, *DType, *Global, *Object
type Value any

// A Global is a class or a function, named only. NumPy's modules have the names
// of NumPy 1, its functions on arrays are in module numpy, and builtins and copyreg
// have the names of Python 3.
type Global struct{ Module, Name string }

// String returns the dotted name.
func (g Global) String() string { return g.Module + "." + g.Name }

// A List is a sequence or a set; sets are in the order of the file.
type List struct {
	Items []Value
	Kind  string // "list", "tuple", "set" or "frozenset"
	walk
}

// A Dict is a dict, of any of Python's types, in the order of the file. A key
// that is set again is there twice; the last one counts.
type Dict struct {
	Keys, Values []Value
	walk
}

// Get returns the value of a key that is a string.
func (d *Dict) Get(name string) (Value, bool) {
	for i := len(d.Keys) - 1; i >= 0; i-- {
		if k, ok := d.Keys[i].(string); ok && k == name {
			return d.Values[i], true
		}
	}
	return nil, false
}

// Set appends a key and its value.
func (d *Dict) Set(key, value Value) {
	d.Keys = append(d.Keys, key)
	d.Values = append(d.Values, value)
}

// An Object is an instance of a class, or what a call of a function would give.
type Object struct {
	Class Global
	Args  []Value // of the constructor, of __new__ or of the function
	State Value   // what __setstate__ or __dict__ would get; the dict and the slots of a pair are one *Dict

	Items   []Value // what is appended to a subclass of list
	Entries *Dict   // what a subclass of dict holds, or nil
	walk
}

// Get returns an attribute.
func (o *Object) Get(name string) (Value, bool) {
	if d, ok := o.State.(*Dict); ok {
		return d.Get(name)
	}
	return nil, false
}

// Named returns the class or function of the given name under its name of NumPy 1
// and Python 3.
func Named(module, name string) Global {
	switch module {
	case "copy_reg":
		module = "copyreg"
	case "__builtin__":
		module = "builtins"
	}
	if rest, ok := strings.CutPrefix(module, "numpy._core"); ok && (rest == "" || rest[0] == '.') {
		module = "numpy.core" + rest
	}
	if module == "numpy.core._multiarray_umath" { // where the functions of arrays are defined
		module = "numpy"
	}
	return Global{module, name}
}
