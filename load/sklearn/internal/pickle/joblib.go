package pickle

import (
	"errors"

	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// arrayWrapper is the class of what joblib writes for an array. The state of the
// wrapper describes the array, whose bytes follow it.
//
// Source: joblib/joblib:joblib/numpy_pickle.py, NumpyArrayWrapper.
var arrayWrapper = record.Global{Module: "joblib.numpy_pickle", Name: "NumpyArrayWrapper"}

// wrapped replaces the wrapper on the top of the stack by the array.
func (p *parser) wrapped(state record.Value) error {
	attributes, ok := state.(*record.Dict)
	if !ok || !p.arrays {
		return errors.New("an array of joblib is not where it can be")
	}
	p.joblib = true
	v, _ := attributes.Get("dtype")
	d, err := p.useDType(v)
	if err != nil {
		return err
	}
	a := record.Value(nil)
	if d.Kind == 'O' {
		a, err = p.nestedArray()
	} else {
		a, err = p.rawArray(d, attributes)
	}
	if err != nil {
		return err
	}
	p.stack[len(p.stack)-1] = a
	return nil
}

// rawArray returns a view of the bytes that follow. From joblib 1.2 on they are
// aligned: the first byte says how many bytes to skip.
func (p *parser) rawArray(d *record.DType, attributes *record.Dict) (*record.Array, error) {
	v, _ := attributes.Get("shape")
	shape, err := shapeOf(v)
	if err != nil {
		return nil, err
	}
	if align, _ := attributes.Get("numpy_array_alignment_bytes"); align != nil {
		if _, err := p.counted(1); err != nil {
			return nil, err
		}
	}
	size, err := record.Size(d, shape)
	if err != nil {
		return nil, err
	}
	data, err := p.take(uint64(size))
	if err != nil {
		return nil, err
	}
	order, _ := attributes.Get("order")
	return record.NewArray(d, shape, order == "F", data)
}

// nestedArray reads the pickle of an array of objects that follows.
func (p *parser) nestedArray() (record.Value, error) {
	if p.nested == maxNested {
		return nil, fault.Unsupportedf("pickles are nested more than %d deep", maxNested)
	}
	inner := &parser{data: p.data, pos: p.pos, allow: p.allow, budget: p.budget, nested: p.nested + 1, fresh: map[*record.DType]bool{}}
	v, err := inner.run()
	if err != nil {
		return nil, err
	}
	if _, ok := v.(*record.Array); !ok {
		return nil, errors.New("the pickle of an array of objects holds something else")
	}
	p.pos = inner.pos
	return v, nil
}
