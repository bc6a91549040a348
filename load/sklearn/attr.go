package sklearn

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// The functions of this file read attributes of objects. Their errors name the class
// and the attribute.

func attrError(o *record.Object, name, format string, args ...any) error {
	return fault.Formatf("%s: %s: %s", o.Class.Name, name, fmt.Sprintf(format, args...))
}

// attr returns an attribute, or nil for None and for what is not there.
func attr(o *record.Object, name string) record.Value {
	v, _ := o.Get(name)
	return v
}

// number returns an attribute that is a number.
func number(o *record.Object, name string) (float64, error) {
	v, ok := numberOf(attr(o, name))
	if !ok {
		return 0, attrError(o, name, "is missing or not a number")
	}
	return v, nil
}

// numberOf returns a number, of Python or NumPy.
func numberOf(v record.Value) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return canonical(v), true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case *record.Array:
		if v.Len() == 1 {
			if f, err := v.Float64s(); err == nil {
				return canonical(f[0]), true
			}
		}
	}
	return 0, false
}

// canonical returns v, or the one NaN: files have several.
func canonical(v float64) float64 {
	if v != v {
		return nan
	}
	return v
}

// integer returns an attribute that is an integer.
func integer(o *record.Object, name string) (int, error) {
	v, err := number(o, name)
	if err == nil && (v != math.Trunc(v) || math.Abs(v) > 1<<40) {
		err = attrError(o, name, "%v is not an integer", v)
	}
	return int(v), err
}

// numbers returns an attribute that is an array or a list of numbers.
func numbers(o *record.Object, name string) ([]float64, error) {
	v, err := numbersOf(attr(o, name))
	if err != nil {
		return nil, attrError(o, name, "%v", err)
	}
	return v, nil
}

func numbersOf(v record.Value) ([]float64, error) {
	switch v := v.(type) {
	case *record.Array:
		return v.Float64s()
	case *record.List:
		out := make([]float64, len(v.Items))
		for i, item := range v.Items {
			n, ok := numberOf(item)
			if !ok {
				return nil, fmt.Errorf("item %d is not a number", i)
			}
			out[i] = n
		}
		return out, nil
	}
	return nil, fmt.Errorf("is missing or not an array")
}

// object returns an attribute that is an object.
func object(o *record.Object, name string) (*record.Object, error) {
	v, ok := attr(o, name).(*record.Object)
	if !ok {
		return nil, attrError(o, name, "is missing or not an object")
	}
	return v, nil
}

// objects returns an attribute that is a list or an array of objects, in C order.
func objects(o *record.Object, name string) ([]*record.Object, error) {
	items, ok := itemsOf(attr(o, name))
	if !ok {
		return nil, attrError(o, name, "is missing or not a list")
	}
	out := make([]*record.Object, len(items))
	for i, item := range items {
		if out[i], ok = item.(*record.Object); !ok {
			return nil, attrError(o, name, "item %d is not an object", i)
		}
	}
	return out, nil
}

// itemsOf returns the items of a list, a tuple or an array of objects.
func itemsOf(v record.Value) ([]record.Value, bool) {
	switch v := v.(type) {
	case *record.List:
		return v.Items, true
	case *record.Array:
		return v.Items, v.DType.Kind == 'O'
	}
	return nil, false
}

// text returns an attribute that is a string, or "" if it is something else.
func text(o *record.Object, name string) string {
	s, _ := attr(o, name).(string)
	return s
}

// A version is a version of scikit-learn: 103 is 1.3.
type version int

// versionOf returns the version that an object was saved by, or that of its owner.
func versionOf(o *record.Object, owner version) version {
	major, rest, ok := strings.Cut(text(o, "_sklearn_version"), ".")
	if !ok {
		return owner
	}
	minor, _, _ := strings.Cut(rest, ".")
	a, err1 := strconv.Atoi(major)
	b, err2 := strconv.Atoi(leadingDigits(minor))
	if err1 != nil || err2 != nil || a > 100 || b > 99 {
		return owner
	}
	return version(100*a + b)
}

// leadingDigits returns the digits of a minor version such as 5rc1.
func leadingDigits(s string) string {
	return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
}

// labels returns an array of class labels.
func labels(o *record.Object, name string) (ir.Labels, error) {
	l, err := labelsOf(attr(o, name))
	if err != nil {
		return l, attrError(o, name, "%v", err)
	}
	return l, nil
}

func labelsOf(v record.Value) (l ir.Labels, err error) {
	a, ok := v.(*record.Array)
	if !ok {
		return l, fmt.Errorf("is missing or not an array")
	}
	switch a.DType.Kind {
	case 'O':
		return objectLabels(a.Items)
	case 'U', 'S':
		l.Texts, err = a.Strings()
	case 'b':
		l.Type = ir.BoolLabel
		values, e := a.Float64s()
		for _, v := range values {
			l.Texts = append(l.Texts, pythonBool(v != 0))
		}
		err = e
	case 'i', 'u':
		l.Type = ir.IntLabel
		values, e := a.Int64s()
		for _, v := range values {
			l.Texts = append(l.Texts, strconv.FormatInt(v, 10))
		}
		err = e
	case 'f':
		l.Type = ir.FloatLabel
		values, e := a.Float64s()
		for _, v := range values {
			l.Texts = append(l.Texts, pythonFloat(v))
		}
		err = e
	default:
		err = fmt.Errorf("classes of type %v", a.DType)
	}
	return l, err
}

// objectLabels returns labels of Python objects, all of one type.
func objectLabels(items []record.Value) (l ir.Labels, err error) {
	types := map[ir.LabelType]bool{}
	for i, item := range items {
		switch v := item.(type) {
		case string:
			l.Type, l.Texts = ir.TextLabel, append(l.Texts, v)
		case bool:
			l.Type, l.Texts = ir.BoolLabel, append(l.Texts, pythonBool(v))
		case int64:
			l.Type, l.Texts = ir.IntLabel, append(l.Texts, strconv.FormatInt(v, 10))
		case float64:
			l.Type, l.Texts = ir.FloatLabel, append(l.Texts, pythonFloat(v))
		default:
			return l, fmt.Errorf("class %d is no text, number or truth value", i)
		}
		types[l.Type] = true
	}
	if len(types) > 1 {
		return l, fmt.Errorf("classes of several types")
	}
	return l, nil
}

func pythonBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// pythonFloat writes a float64 number as Python does.
func pythonFloat(v float64) string { return pythonNumber(v, 64) }

// pythonNumber writes a floating-point number of the given size as Python and NumPy do.
func pythonNumber(v float64, bits int) string {
	switch a := math.Abs(v); {
	case math.IsInf(v, 0):
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(v, 'g', -1, bits), "+"))
	case v != v:
		return "nan"
	case a != 0 && (a < 1e-4 || a >= 1e16):
		return strconv.FormatFloat(v, 'e', -1, bits)
	}
	s := strconv.FormatFloat(v, 'f', -1, bits)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
