package skops

import (
	"errors"
	"fmt"

	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// array reads an array or a NumPy scalar: a .npy file, or a list of nodes if the
// elements are objects.
func (r *reader) array(n *object, depth int) (record.Value, error) {
	if _, err := r.class(n); err != nil {
		return nil, err
	}
	switch n.text("type") {
	case "numpy":
		return r.file(n.text("file"))
	case "json":
		return r.objects(n, depth)
	}
	return nil, fmt.Errorf("an array of the unknown type %.40q", n.text("type"))
}

// file reads a .npy file, once.
func (r *reader) file(name string) (record.Value, error) {
	if a := r.byFile[name]; a != nil {
		return a, nil
	}
	data, err := r.read(name)
	if err != nil {
		return nil, err
	}
	a, err := readNPY(data)
	if err != nil {
		return nil, fault.Formatf("entry %.80q: %v", name, err)
	}
	r.byFile[name] = a
	return a, nil
}

// objects reads an array of objects, which skops writes as nested lists.
func (r *reader) objects(n *object, depth int) (record.Value, error) {
	v, err := r.node(n.get("shape"), depth)
	if err != nil {
		return nil, err
	}
	l, ok := v.(*record.List)
	if !ok || len(l.Items) == 0 || len(l.Items) > 64 {
		return nil, errors.New("an array of objects has no shape")
	}
	shape := make([]int, len(l.Items))
	for i, item := range l.Items {
		d, ok := item.(int64)
		if !ok || d < 0 {
			return nil, errors.New("an array of objects has a dimension that is not possible")
		}
		shape[i] = int(d)
	}
	items, err := r.nodes(n.get("content"), depth)
	if err != nil {
		return nil, err
	}
	if items, err = flatten(items, shape); err != nil {
		return nil, err
	}
	return record.NewObjects(shape, items)
}

// flatten joins the lists in items, one level for each dimension but the first.
func flatten(items []record.Value, shape []int) ([]record.Value, error) {
	for _, n := range shape[1:] {
		var flat []record.Value
		for _, item := range items {
			l, ok := item.(*record.List)
			if !ok || len(l.Items) != n {
				return nil, errors.New("the lists of an array of objects do not have its shape")
			}
			if flat = append(flat, l.Items...); len(flat) > maxValues {
				return nil, errors.New("an array of objects is too large")
			}
		}
		items = flat
	}
	return items, nil
}

// maskedArray reads an array that knows which of its elements are missing.
func (r *reader) maskedArray(n *object, depth int) (record.Value, error) {
	class, err := r.class(n)
	if err != nil {
		return nil, err
	}
	c, err := content(n)
	if err != nil {
		return nil, err
	}
	args := make([]record.Value, 2)
	for i, key := range []string{"data", "mask"} {
		if args[i], err = r.node(c.get(key), depth); err != nil {
			return nil, err
		}
	}
	return &record.Object{Class: class, Args: args}, nil
}
