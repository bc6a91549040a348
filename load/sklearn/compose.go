package sklearn

import (
	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// columnTransformer gives columns to transformers and puts their outputs side by
// side.
//
// Source: sklearn/compose/_column_transformer.py, ColumnTransformer.transform.
func (r *reader) columnTransformer(o *record.Object, in []column) ([]column, error) {
	list, ok := itemsOf(attr(o, "transformers_"))
	if !ok {
		return nil, attrError(o, "transformers_", "is missing or not a list")
	}
	known, _ := attr(o, "_transformer_to_input_indices").(*record.Dict)
	verbose := attr(o, "verbose_feature_names_out") != false
	var out []column
	for i, item := range list {
		t, ok := itemsOf(item)
		if !ok || len(t) != 3 {
			return nil, attrError(o, "transformers_", "item %d is not a triple", i)
		}
		name, _ := t[0].(string)
		if t[1] == "drop" {
			continue
		}
		some, err := selected(o, known, name, t[2], in)
		if err != nil {
			return nil, err
		}
		if len(some) == 0 {
			continue
		}
		made, err := r.step(t[1], some)
		if err != nil {
			return nil, err
		}
		if made, err = weighted(o, name, made); err != nil {
			return nil, err
		}
		for _, c := range made {
			if verbose {
				c.name = name + "__" + c.name
			}
			out = append(out, c)
		}
	}
	return out, nil
}

// selected returns the columns that a transformer of the given name sees.
func selected(o *record.Object, known *record.Dict, name string, spec record.Value, in []column) ([]column, error) {
	if known != nil {
		if v, ok := known.Get(name); ok {
			spec = v
		}
	}
	at, err := positions(spec, in)
	if err != nil {
		return nil, attrError(o, "transformers_", "%s: %v", name, err)
	}
	out := make([]column, len(at))
	for i, j := range at {
		out[i] = in[j]
	}
	return out, nil
}

// positions returns the columns that a specification means: positions, names, a
// slice or truth values.
func positions(spec record.Value, in []column) ([]int, error) {
	switch s := spec.(type) {
	case string:
		return named([]record.Value{s}, in)
	case int64:
		return positions(&record.List{Items: []record.Value{s}}, in)
	case *record.List:
		if len(s.Items) > 0 {
			if _, ok := s.Items[0].(string); ok {
				return named(s.Items, in)
			}
			if _, ok := s.Items[0].(bool); ok {
				v, err := numbersOf(s)
				return masked(v, in, err)
			}
		}
	case *record.Array:
		if s.DType.Kind == 'b' {
			v, err := s.Float64s()
			return masked(v, in, err)
		}
		if texts, err := s.Strings(); err == nil && len(texts) > 0 {
			items := make([]record.Value, len(texts))
			for i, t := range texts {
				items[i] = t
			}
			return named(items, in)
		}
	case *record.Object:
		if s.Class.Name == "slice" && len(s.Args) == 3 {
			return sliced(s.Args, in)
		}
	}
	v, err := numbersOf(spec)
	if err != nil {
		return nil, err
	}
	for i := range v {
		if v[i] < 0 {
			v[i] += float64(len(in))
		}
	}
	return indices(v, len(in))
}

// named returns the positions of columns by name.
func named(items []record.Value, in []column) ([]int, error) {
	at := make(map[string]int, len(in))
	for j, c := range in {
		at[c.name] = j
	}
	out := make([]int, len(items))
	for i, item := range items {
		name, _ := item.(string)
		j, ok := at[name]
		if !ok {
			return nil, fault.Formatf("there is no column %q", name)
		}
		out[i] = j
	}
	return out, nil
}

// masked returns the positions where v is true.
func masked(v []float64, in []column, err error) ([]int, error) {
	if err != nil {
		return nil, err
	}
	if len(v) != len(in) {
		return nil, fault.Formatf("%d truth values for %d columns", len(v), len(in))
	}
	var out []int
	for j, keep := range v {
		if keep != 0 {
			out = append(out, j)
		}
	}
	return out, nil
}

// sliced returns the positions of a slice of positions, or of names with both ends.
func sliced(args []record.Value, in []column) ([]int, error) {
	bounds := [3]int{0, len(in), 1}
	for i, a := range args {
		switch v := a.(type) {
		case nil:
		case int64:
			bounds[i] = int(v)
			if v < 0 && i < 2 {
				bounds[i] += len(in)
			}
		case string:
			j, err := named([]record.Value{v}, in)
			if err != nil {
				return nil, err
			}
			bounds[i] = j[0] + i // the end is in
		default:
			return nil, fault.Formatf("a slice of %T", a)
		}
	}
	if bounds[2] < 1 {
		return nil, fault.Unsupportedf("a slice with step %d", bounds[2])
	}
	var out []int
	for j := max(bounds[0], 0); j < min(bounds[1], len(in)); j += bounds[2] {
		out = append(out, j)
	}
	return out, nil
}

// weighted multiplies columns by the weight of the transformer that made them.
func weighted(o *record.Object, name string, in []column) ([]column, error) {
	d, ok := attr(o, "transformer_weights").(*record.Dict)
	if !ok {
		return in, nil
	}
	v, ok := d.Get(name)
	if !ok || v == nil {
		return in, nil
	}
	w, ok := numberOf(v)
	if !ok {
		return nil, attrError(o, "transformer_weights", "%s is not a number", name)
	}
	out := make([]column, len(in))
	for j, c := range in {
		out[j] = c.then(ir.Op{Code: ir.OpMul, A: w})
	}
	return out, nil
}

// featureUnion gives all columns to each transformer.
//
// Source: sklearn/pipeline.py, FeatureUnion.transform.
func (r *reader) featureUnion(o *record.Object, in []column) ([]column, error) {
	list, ok := itemsOf(attr(o, "transformer_list"))
	if !ok {
		return nil, attrError(o, "transformer_list", "is missing or not a list")
	}
	var out []column
	for i, item := range list {
		t, ok := itemsOf(item)
		if !ok || len(t) != 2 {
			return nil, attrError(o, "transformer_list", "item %d is not a pair", i)
		}
		if t[1] == "drop" {
			continue
		}
		name, _ := t[0].(string)
		made, err := r.step(t[1], in)
		if err != nil {
			return nil, err
		}
		if made, err = weighted(o, name, made); err != nil {
			return nil, err
		}
		for _, c := range made {
			c.name = name + "__" + c.name
			out = append(out, c)
		}
	}
	return out, nil
}
