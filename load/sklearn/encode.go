package sklearn

import (
	"fmt"
	"slices"
	"strconv"

	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// A category is a value that an encoder was fitted to: a number, the code of a text,
// or the missing one.
type category struct {
	value   float64
	missing bool
	none    bool   // the missing one is None, not NaN
	name    string // as in the name of a one-hot column
}

// categories reads the categories of column c, entry j of categories_.
func (r *reader) categories(o *record.Object, j int, c column) ([]category, error) {
	items, ok := itemsOf(attr(o, "categories_"))
	if !ok || j >= len(items) {
		return nil, attrError(o, "categories_", "has no entry %d", j)
	}
	a, ok := items[j].(*record.Array)
	if !ok {
		return nil, attrError(o, "categories_", "entry %d is not an array", j)
	}
	out := make([]category, a.Len())
	texts, err := a.Strings()
	if a.DType.Kind != 'O' && err == nil {
		for i, s := range texts {
			if out[i], err = r.textCategory(o, c, s); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	for i := range out {
		v, err := item(a, i)
		if err != nil {
			return nil, attrError(o, "categories_", "entry %d: %v", j, err)
		}
		if out[i], err = r.anyCategory(o, c, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *reader) anyCategory(o *record.Object, c column, v record.Value) (category, error) {
	if isMissing(v) {
		return category{missing: true, none: v == nil, name: "nan"}, nil
	}
	if s, ok := v.(string); ok {
		return r.textCategory(o, c, s)
	}
	f, ok := numberOf(v)
	if !ok {
		return category{}, attrError(o, "categories_", "a category is a %T", v)
	}
	if r.e.Features[c.Feature].Type == ir.Categorical {
		return category{}, fault.Unsupportedf("%s: categories of text and numbers in one column are not supported", o.Class.Name)
	}
	return category{value: f, name: strconv.FormatFloat(f, 'g', -1, 64)}, nil
}

func (r *reader) textCategory(o *record.Object, c column, s string) (category, error) {
	if err := r.wantText(o, c); err != nil {
		return category{}, err
	}
	return category{value: r.code(c.Feature, s), name: s}, nil
}

// unknowns says what happens to values of c that are none of the categories: the
// encoder raises an error, or takes them.
func (r *reader) unknowns(o *record.Object, c column, all []category, raises bool) error {
	f := &r.e.Features[c.Feature]
	missing := slices.ContainsFunc(all, func(k category) bool { return k.missing })
	if !raises {
		if f.Type == ir.Categorical && !r.closed[c.Feature] {
			f.Open = true
		}
		return nil
	}
	if !missing {
		r.refuse([]column{c}, ir.Missing)
	}
	if f.Type == ir.Categorical {
		f.Open, r.closed[c.Feature] = false, true
		return nil
	}
	var accepts []float64
	for _, k := range all {
		if !k.missing {
			accepts = append(accepts, k.value)
		}
	}
	for i := range c.Ops {
		switch c.Ops[i].Code {
		case ir.OpFill:
		case ir.OpReplace:
			accepts = append(accepts, c.Ops[i].A)
		default:
			return fault.Unsupportedf("%s with handle_unknown=\"error\" after other transformers is not supported; set handle_unknown", o.Class.Name)
		}
	}
	slices.Sort(accepts)
	accepts = slices.Compact(accepts)
	if f.Accepts != nil {
		accepts = slices.DeleteFunc(accepts, func(v float64) bool {
			_, ok := slices.BinarySearch(f.Accepts, v)
			return !ok
		})
	}
	f.Accepts = accepts
	return nil
}

// groups returns the group of each category after infrequent ones were put together,
// and the group of these, or -1 if there are none.
//
// Source: sklearn/preprocessing/_encoders.py, _map_infrequent_categories.
func groups(o *record.Object, j, n int) (of []int, infrequent int, err error) {
	of, infrequent = make([]int, n), -1
	for i := range of {
		of[i] = i
	}
	if !truthOf(o, "_infrequent_enabled", false) {
		return of, infrequent, nil
	}
	maps, ok := itemsOf(attr(o, "_default_to_infrequent_mappings"))
	if !ok || j >= len(maps) {
		return nil, 0, attrError(o, "_default_to_infrequent_mappings", "has no entry %d", j)
	}
	if maps[j] == nil {
		return of, infrequent, nil
	}
	v, err := numbersOf(maps[j])
	if err != nil || len(v) > n {
		return nil, 0, attrError(o, "_default_to_infrequent_mappings", "entry %d does not fit %d categories", j, n)
	}
	for i, g := range v {
		if !(g >= 0 && g < float64(n)) {
			return nil, 0, attrError(o, "_default_to_infrequent_mappings", "group %v of %d categories", g, n)
		}
		of[i] = int(g)
		infrequent = max(infrequent, of[i])
	}
	return of, infrequent, nil
}

// oneHotEncoder returns a column of 0 and 1 for each category or group.
//
// Source: sklearn/preprocessing/_encoders.py, OneHotEncoder.transform.
func (r *reader) oneHotEncoder(o *record.Object, in []column) ([]column, error) {
	unknown := text(o, "handle_unknown")
	drop, _ := itemsOf(dropped(o))
	var out []column
	for j, c := range in {
		all, err := r.categories(o, j, c)
		if err != nil {
			return nil, err
		}
		if err := r.unknowns(o, c, all, unknown == "error"); err != nil {
			return nil, err
		}
		of, infrequent, err := groups(o, j, len(all))
		if err != nil {
			return nil, err
		}
		if unknown == "ignore" {
			infrequent = -1 // unknown values belong to no group
		}
		skip := -1
		if j < len(drop) && drop[j] != nil {
			v, ok := numberOf(drop[j])
			if !ok {
				return nil, attrError(o, "drop_idx_", "entry %d is not a number", j)
			}
			skip = int(v)
		}
		for g := range groupCount(of) {
			if g != skip {
				out = append(out, r.hot(c, all, of, g, g == infrequent))
			}
		}
	}
	return out, nil
}

// dropped returns the groups that are dropped, one for each column.
func dropped(o *record.Object) record.Value {
	if v, ok := o.Get("_drop_idx_after_grouping"); ok {
		return v
	}
	return attr(o, "drop_idx_")
}

func groupCount(of []int) int {
	n := 0
	for _, g := range of {
		n = max(n, g+1)
	}
	return n
}

// hot returns the column that is 1 for the categories of group g and, if others is
// set, for what is no category.
func (r *reader) hot(c column, all []category, of []int, g int, others bool) column {
	var keys []float64
	o := ir.Op{Code: ir.OpLookup, A: truth(others), B: truth(others)}
	name := "infrequent_sklearn"
	for i, k := range all {
		switch {
		case k.missing:
			o.B = truth(of[i] == g)
		case of[i] == g:
			keys = append(keys, k.value)
		}
		if of[i] == g && !others {
			name = k.name
		}
		if !k.missing {
			o.Keys, o.Values = append(o.Keys, k.value), append(o.Values, truth(of[i] == g))
		}
	}
	switch {
	case o.A == 0 && o.B == 0 && len(keys) == 1:
		o = ir.Op{Code: ir.OpEqual, A: keys[0]}
	case o.A == 0 && o.B == 1 && len(keys) == 0:
		o = ir.Op{Code: ir.OpIsMissing}
	default:
		sortKeys(&o)
	}
	c = c.plus(o)
	c.name, c.single = fmt.Sprintf("%s_%s", c.name, name), r.model.single
	return c
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// sortKeys puts the keys of an operation into ascending order, each once.
func sortKeys(o *ir.Op) {
	order := make([]int, len(o.Keys))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case o.Keys[a] < o.Keys[b]:
			return -1
		case o.Keys[a] > o.Keys[b]:
			return 1
		}
		return 0
	})
	var keys, values []float64
	for _, i := range order {
		if n := len(keys); n > 0 && keys[n-1] == o.Keys[i] {
			continue
		}
		keys, values = append(keys, o.Keys[i]), append(values, o.Values[i])
	}
	o.Keys, o.Values = keys, values
}

// ordinalEncoder returns the number of the category or group. The code of missing
// values is encoded_missing_value if training had NaN, but None is a category like
// others; hew knows one missing value, and takes it for the one that training had.
//
// Source: sklearn/preprocessing/_encoders.py, OrdinalEncoder.transform.
func (r *reader) ordinalEncoder(o *record.Object, in []column) ([]column, error) {
	raises := text(o, "handle_unknown") == "error"
	unknown, hasUnknown := numberOf(attr(o, "unknown_value"))
	if !raises && !hasUnknown {
		if !isMissing(attr(o, "unknown_value")) {
			return nil, attrError(o, "unknown_value", "is not a number")
		}
		unknown = nan
	}
	missing, ok := numberOf(attr(o, "encoded_missing_value"))
	if !ok {
		missing = nan
	}
	out := make([]column, len(in))
	for j, c := range in {
		all, err := r.categories(o, j, c)
		if err != nil {
			return nil, err
		}
		if err := r.unknowns(o, c, all, raises); err != nil {
			return nil, err
		}
		of, _, err := groups(o, j, len(all))
		if err != nil {
			return nil, err
		}
		op := ir.Op{Code: ir.OpLookup, A: unknown, B: unknown}
		if raises {
			op.A, op.B = nan, nan // refused before
		}
		for i, k := range all {
			switch {
			case k.none: // a category like others
				op.B = float64(of[i])
			case k.missing:
				op.B = missing
			default:
				op.Keys, op.Values = append(op.Keys, k.value), append(op.Values, float64(of[i]))
			}
		}
		sortKeys(&op)
		c = c.plus(op)
		c.single = r.model.single
		out[j] = c
	}
	return out, nil
}
