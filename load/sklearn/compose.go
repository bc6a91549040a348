package sklearn

import (
	"slices"
	"strings"

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
	choose := chooser{in: in}
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
		some, err := choose.choose(o, known, name, t[2])
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
			c.name = prefixed(attr(o, "verbose_feature_names_out"), name, c.name)
			out = append(out, c)
		}
		if err := checkCount(out); err != nil {
			return nil, err
		}
	}
	return r.sideBySide(o, out), nil
}

// sideBySide returns the outputs of several transformers as what comes after them sees
// these: one array or matrix of one type or, if pandas was asked for, columns each of
// their own type.
func (r *reader) sideBySide(o *record.Object, all []column) []column {
	config, _ := attr(o, "_sklearn_output_config").(*record.Dict)
	frame := false
	if config != nil {
		kind, _ := config.Get("transform")
		frame = kind == "pandas" || kind == "polars"
	}
	out := slices.Clone(all)
	if !frame {
		out = joined(all)
	}
	for j := range out {
		if sparse, ok := attr(o, "sparse_output_").(bool); ok || frame {
			out[j].sparse = sparse && !frame
		}
	}
	return out
}

// prefixed returns the name of a column that a named transformer gave, as
// verbose_feature_names_out of a ColumnTransformer says.
func prefixed(verbose record.Value, transformer, name string) string {
	if format, ok := verbose.(string); ok {
		return strings.NewReplacer("{transformer_name}", transformer, "{feature_name}", name).Replace(format)
	}
	if verbose == false {
		return name
	}
	return transformer + "__" + name
}

// A chooser tells which columns a specification means: positions, names, a slice or
// truth values.
type chooser struct {
	in    []column
	names map[string]int // positions by name; nil until somebody asks
}

// choose returns the columns that the transformer of the given name sees.
func (c *chooser) choose(o *record.Object, known *record.Dict, name string, spec record.Value) ([]column, error) {
	if known != nil {
		if v, ok := known.Get(name); ok {
			spec = v
		}
	}
	at, err := c.positions(spec)
	if err != nil {
		return nil, attrError(o, "transformers_", "%s: %v", name, err)
	}
	out := make([]column, len(at))
	for i, j := range at {
		out[i] = c.in[j]
	}
	return out, nil
}

func (c *chooser) positions(spec record.Value) ([]int, error) {
	switch s := spec.(type) {
	case string:
		return c.named([]record.Value{s})
	case int64:
		return c.positions(&record.List{Items: []record.Value{s}})
	case *record.List:
		if len(s.Items) > 0 {
			if _, ok := s.Items[0].(string); ok {
				return c.named(s.Items)
			}
			if _, ok := s.Items[0].(bool); ok {
				v, err := numbersOf(s)
				return masked(v, c.in, err)
			}
		}
	case *record.Array:
		if s.DType.Kind == 'b' {
			v, err := s.Float64s()
			return masked(v, c.in, err)
		}
		if texts, err := s.Strings(); err == nil && len(texts) > 0 {
			items := make([]record.Value, len(texts))
			for i, t := range texts {
				items[i] = t
			}
			return c.named(items)
		}
	case *record.Object:
		if s.Class.Name == "slice" && len(s.Args) == 3 {
			return c.sliced(s.Args)
		}
	}
	v, err := numbersOf(spec)
	if err != nil {
		return nil, err
	}
	v = slices.Clone(v)
	for i := range v {
		if v[i] < 0 {
			v[i] += float64(len(c.in))
		}
	}
	return indices(v, len(c.in))
}

// named returns the positions of columns by name.
func (c *chooser) named(items []record.Value) ([]int, error) {
	if c.names == nil {
		c.names = make(map[string]int, len(c.in))
		for j, column := range c.in {
			c.names[column.name] = j
		}
	}
	out := make([]int, len(items))
	for i, item := range items {
		name, _ := item.(string)
		j, ok := c.names[name]
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
func (c *chooser) sliced(args []record.Value) ([]int, error) {
	bounds := [3]int{0, len(c.in), 1}
	for i, a := range args {
		switch v := a.(type) {
		case nil:
		case int64:
			bounds[i] = int(v)
			if v < 0 && i < 2 {
				bounds[i] += len(c.in)
			}
		case string:
			j, err := c.named([]record.Value{v})
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
	for j := max(bounds[0], 0); j < min(bounds[1], len(c.in)); j += bounds[2] {
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
		by := w
		if c.single {
			by = float64(float32(w))
		}
		out[j] = c.then(ir.Op{Code: ir.OpMul, A: by})
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
			c.name = prefixed(attr(o, "verbose_feature_names_out"), name, c.name)
			out = append(out, c)
		}
		if err := checkCount(out); err != nil {
			return nil, err
		}
	}
	return r.sideBySide(o, out), nil
}
