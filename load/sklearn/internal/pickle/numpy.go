package pickle

import (
	"errors"
	"fmt"

	"hew/load/sklearn/internal/record"
)

// reconstruct makes the array that an instruction BUILD will fill. What it would be
// without is an array without elements.
//
// Source: numpy/numpy:numpy/_core/src/multiarray/methods.c, array_reduce.
func (p *parser) reconstruct([]record.Value) (record.Value, error) {
	return &record.Array{DType: unbuilt, Shape: []int{0}}, nil
}

var unbuilt = &record.DType{Kind: 'i', Size: 1}

// fromBuffer makes an array as protocol 5 does.
//
// Source: numpy/numpy:numpy/_core/numeric.py, _frombuffer.
func (p *parser) fromBuffer(args []record.Value) (record.Value, error) {
	if len(args) != 4 {
		return nil, errors.New("an array is not made of data, dtype, shape and order")
	}
	data, ok := args[0].([]byte)
	if !ok {
		return nil, errors.New("an array is made of something that is no data")
	}
	d, err := p.useDType(args[1])
	if err != nil {
		return nil, err
	}
	shape, err := shapeOf(args[2])
	if err != nil {
		return nil, err
	}
	return record.NewArray(d, shape, args[3] == "F", data)
}

// scalar makes a NumPy scalar of a dtype and the bytes of its value.
func (p *parser) scalar(args []record.Value) (record.Value, error) {
	if len(args) != 2 {
		return nil, errors.New("a NumPy scalar is not made of dtype and data")
	}
	d, err := p.useDType(args[0])
	if err != nil {
		return nil, err
	}
	if d.Kind == 'O' {
		return args[1], nil
	}
	data, err := p.arrayBytes(args[1])
	if err != nil {
		return nil, err
	}
	return record.NewArray(d, nil, false, data)
}

// buildArray fills an array: version, shape, dtype, order and the data, which are a
// list if the elements are objects.
func (p *parser) buildArray(a *record.Array, state record.Value) error {
	l, ok := state.(*record.List)
	if !ok || len(l.Items) != 5 {
		return errors.New("the state of an array is not version, shape, dtype, order and data")
	}
	shape, err := shapeOf(l.Items[1])
	if err != nil {
		return err
	}
	d, err := p.useDType(l.Items[2])
	if err != nil {
		return err
	}
	fortran := l.Items[3] == true || l.Items[3] == int64(1)
	var built *record.Array
	if d.Kind == 'O' {
		built, err = objects(shape, l.Items[4])
	} else {
		var data []byte
		if data, err = p.arrayBytes(l.Items[4]); err == nil {
			built, err = record.NewArray(d, shape, fortran, data)
		}
	}
	if err != nil {
		return err
	}
	*a = *built
	return nil
}

// objects makes an array of objects of the list of them, which is in C order for
// arrays of every order.
func objects(shape []int, v record.Value) (*record.Array, error) {
	l, ok := v.(*record.List)
	if !ok {
		return nil, errors.New("the data of an array of objects are no list")
	}
	return record.NewObjects(shape, l.Items[:len(l.Items):len(l.Items)])
}

// arrayBytes returns the data of an array; a str of Python 2 that happens to be
// UTF-8 is text here.
func (p *parser) arrayBytes(v record.Value) ([]byte, error) {
	switch v := v.(type) {
	case []byte:
		return v, nil
	case string:
		if err := p.spendBytes(len(v)); err != nil {
			return nil, err
		}
		return []byte(v), nil
	}
	return nil, errors.New("the data of an array are no bytes")
}

func shapeOf(v record.Value) ([]int, error) {
	if n, ok := v.(int64); ok { // a shape of one dimension may be its size
		v = &record.List{Items: []record.Value{n}}
	}
	l, ok := v.(*record.List)
	if !ok || len(l.Items) > 64 {
		return nil, errors.New("the shape of an array is no short tuple")
	}
	var shape []int
	for _, item := range l.Items {
		n, ok := item.(int64)
		if !ok || n < 0 {
			return nil, errors.New("a dimension of an array is no number that is possible")
		}
		shape = append(shape, int(n))
	}
	return shape, nil
}

// dtype makes a dtype of its short name. An instruction BUILD adds what the name
// does not say.
//
// Source: numpy/numpy:numpy/_core/src/multiarray/descriptor.c, arraydescr_reduce.
func (p *parser) dtype(args []record.Value) (record.Value, error) {
	if len(args) == 0 {
		return nil, errors.New("a dtype has no name")
	}
	name, ok := args[0].(string)
	if !ok {
		return nil, errors.New("the name of a dtype is no text")
	}
	d, err := record.ParseDType(name)
	if err != nil {
		return nil, err
	}
	p.fresh[d] = true
	return d, nil
}

// useDType returns a dtype for an array or another dtype, after which it cannot
// change any more.
func (p *parser) useDType(v record.Value) (*record.DType, error) {
	d, ok := v.(*record.DType)
	if !ok {
		return nil, errors.New("a dtype is expected")
	}
	delete(p.fresh, d)
	return d, nil
}

// buildDType completes a dtype: version, byte order, base and shape of elements that
// are arrays, names and fields of records, and the size of an element.
func (p *parser) buildDType(d *record.DType, state record.Value) error {
	l, ok := state.(*record.List)
	if !ok || len(l.Items) < 6 {
		return errors.New("the state of a dtype is not version, byte order, base, names, fields and size")
	}
	if !p.fresh[d] {
		return errors.New("a dtype changes after it has been used")
	}
	delete(p.fresh, d)
	size, ok := l.Items[5].(int64)
	if !ok || size < -1 || size > 1<<30 {
		return errors.New("the size of a dtype is not valid")
	}
	order, base, names := l.Items[1], l.Items[2], l.Items[3]
	switch {
	case base != nil:
		return p.buildSubarray(d, base)
	case names != nil:
		return p.buildRecord(d, int(size), names, l.Items[4])
	}
	d.Big = order == ">"
	if size >= 0 && (d.Kind == 'U' || d.Kind == 'S' || d.Kind == 'V') {
		if d.Kind == 'U' && size%4 != 0 || size > 1<<24 {
			return errors.New("the size of a dtype is not valid")
		}
		d.Size = int(size)
	}
	return nil
}

func (p *parser) buildSubarray(d *record.DType, v record.Value) error {
	pair, ok := v.(*record.List)
	if !ok || len(pair.Items) != 2 {
		return errors.New("the base of a dtype is no pair of dtype and shape")
	}
	base, err := p.useDType(pair.Items[0])
	if err != nil {
		return err
	}
	if base == d {
		return errors.New("a dtype contains itself")
	}
	shape, err := shapeOf(pair.Items[1])
	if err != nil {
		return err
	}
	sub, err := record.NewSubarray(base, shape)
	if err != nil {
		return err
	}
	*d = *sub
	return nil
}

func (p *parser) buildRecord(d *record.DType, size int, names, fields record.Value) error {
	l, ok := names.(*record.List)
	byName, ok2 := fields.(*record.Dict)
	if !ok || !ok2 || len(l.Items) > 1000 {
		return errors.New("a dtype has no names and fields")
	}
	if err := p.spend(len(l.Items) * len(byName.Keys)); err != nil { // what the search costs
		return err
	}
	var out []record.Field
	for _, item := range l.Items {
		name, ok := item.(string)
		if !ok {
			return errors.New("the name of a field is no text")
		}
		v, _ := byName.Get(name)
		pair, ok := v.(*record.List)
		if !ok || len(pair.Items) < 2 {
			return fmt.Errorf("field %.40q has no dtype and offset", name)
		}
		fd, err := p.useDType(pair.Items[0])
		if err != nil {
			return err
		}
		offset, ok := pair.Items[1].(int64)
		if !ok || fd == d || offset < 0 || offset > 1<<30 {
			return fmt.Errorf("field %.40q is not valid", name)
		}
		out = append(out, record.Field{Name: name, DType: fd, Offset: int(offset)})
	}
	r, err := record.NewRecord(size, out)
	if err != nil {
		return err
	}
	*d = *r
	return nil
}
