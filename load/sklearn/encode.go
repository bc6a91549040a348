package sklearn

import (
	"cmp"
	"slices"
	"strconv"

	"hew/interp"
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
	values, err := valuesOf(a)
	if err != nil {
		return nil, attrError(o, "categories_", "entry %d: %v", j, err)
	}
	out := make([]category, len(values))
	for i, v := range values {
		if out[i], err = r.anyCategory(o, c, v); err != nil {
			return nil, err
		}
		switch a.DType.Kind {
		case 'i', 'u':
			out[i].name = strconv.FormatFloat(out[i].value, 'f', -1, 64)
		case 'b':
			out[i].name = pythonBool(out[i].value != 0)
		case 'f':
			out[i].name = pythonNumber(out[i].value, 8*a.DType.Size)
		}
	}
	return out, nil
}

func (r *reader) anyCategory(o *record.Object, c column, v record.Value) (category, error) {
	if isMissing(v) {
		return category{value: nan, missing: true, none: v == nil, name: noneOrNaN(v)}, nil
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
	return category{value: f, name: pythonText(v)}, nil
}

// pythonText writes a number as Python's str does.
func pythonText(v record.Value) string {
	switch v := v.(type) {
	case bool:
		return pythonBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	}
	f, _ := numberOf(v)
	return pythonFloat(f)
}

func noneOrNaN(v record.Value) string {
	if v == nil {
		return "None"
	}
	return "nan"
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
	r.refuse([]column{c}, ir.Infinite)
	if !raises {
		if f.Type == ir.Categorical && !r.closed[c.Feature] {
			f.Open = true
		}
		return nil
	}
	if f.Type == ir.Categorical {
		f.Open, r.closed[c.Feature] = false, true
	}
	var accepts []float64
	for _, k := range all {
		if !k.missing {
			accepts = append(accepts, k.value)
		}
	}
	known := slices.Clone(accepts)
	slices.Sort(known)
	for i := range c.Ops {
		switch c.Ops[i].Code {
		case ir.OpFill:
		case ir.OpReplace:
			accepts = append(accepts, c.Ops[i].A)
		default:
			return fault.Unsupportedf("%s with handle_unknown=\"error\" after other transformers is not supported; set handle_unknown", o.Class.Name)
		}
	}
	missing := slices.ContainsFunc(all, func(k category) bool { return k.missing })
	taken := func(raw float64) bool {
		v := interp.Apply(c.Ops, raw)
		_, ok := slices.BinarySearch(known, v)
		return ok || v != v && missing
	}
	if !taken(nan) {
		f.Refuses |= ir.Missing
	}
	slices.Sort(accepts)
	accepts = slices.DeleteFunc(slices.Compact(accepts), func(v float64) bool { return !taken(v) })
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
		rest := infrequent
		if unknown == "ignore" || unknown == "warn" && versionOf(o, r.version) < 108 {
			// Unknown values belong to no group. The documentation has it otherwise
			// for "warn", but _map_infrequent_categories did not know that name.
			rest = -1
		}
		skip := -1
		if j < len(drop) && drop[j] != nil {
			v, ok := numberOf(drop[j])
			if !ok {
				return nil, attrError(o, "drop_idx_", "entry %d is not a number", j)
			}
			skip = int(v)
		}
		for g, members := range members(all, of) {
			if g == skip {
				continue
			}
			h := hot(c, all, members, g == rest)
			h.sparse = truthOf(o, "sparse_output", truthOf(o, "sparse", true))
			if g == infrequent {
				h.name = c.name + "_infrequent_sklearn"
			}
			out = append(out, h.typed(o))
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

// members returns the categories of each group.
func members(all []category, of []int) [][]category {
	n := 0
	for _, g := range of {
		n = max(n, g+1)
	}
	out := make([][]category, n)
	for i, g := range of {
		out[g] = append(out[g], all[i])
	}
	return out
}

// hot returns the column that is 1 for the members of a group and, if others is set,
// for what is none of all categories.
func hot(c column, all, members []category, others bool) column {
	o := ir.Op{Code: ir.OpLookup, A: truth(others), B: truth(others)}
	set := func(categories []category, v float64) {
		for _, k := range categories {
			if k.missing {
				o.B = v
			} else {
				o.Keys, o.Values = append(o.Keys, k.value), append(o.Values, v)
			}
		}
	}
	if others {
		set(all, 0)
	}
	set(members, 1)
	name := ""
	if len(members) > 0 {
		name = members[0].name
	}
	switch {
	case !others && o.B == 0 && len(o.Keys) == 1:
		o = ir.Op{Code: ir.OpEqual, A: o.Keys[0]}
	case !others && o.B == 1 && len(o.Keys) == 0:
		o = ir.Op{Code: ir.OpIsMissing}
	default:
		sortKeys(&o)
	}
	c = c.plus(o)
	c.name += "_" + name
	return c
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// sortKeys puts the keys of an operation into ascending order, each once, with the
// value that it got last.
func sortKeys(o *ir.Op) {
	order := make([]int, len(o.Keys))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(o.Keys[a], o.Keys[b]) })
	var keys, values []float64
	for _, i := range order {
		if n := len(keys); n > 0 && keys[n-1] == o.Keys[i] {
			keys, values = keys[:n-1], values[:n-1]
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
		out[j] = c.plus(op).typed(o)
	}
	return out, nil
}

// targetEncoder returns the mean of the target for each category, of several classes
// that of each.
//
// Source: sklearn/preprocessing/_target_encoder.py, TargetEncoder.transform.
func (r *reader) targetEncoder(o *record.Object, in []column) ([]column, error) {
	classes := []string{""}
	if text(o, "target_type_") == "multiclass" {
		l, err := labels(o, "classes_")
		if err != nil {
			return nil, err
		}
		classes = l.Texts
	}
	encodings, ok := itemsOf(attr(o, "encodings_"))
	if !ok || len(encodings) != len(in)*len(classes) {
		return nil, attrError(o, "encodings_", "is not a list of %d arrays", len(in)*len(classes))
	}
	means, err := numbersOf(attr(o, "target_mean_"))
	if mean, ok := numberOf(attr(o, "target_mean_")); ok {
		means, err = []float64{mean}, nil
	}
	if err != nil || len(means) != len(classes) {
		return nil, attrError(o, "target_mean_", "does not fit %d classes", len(classes))
	}
	var out []column
	for j, c := range in {
		all, err := r.categories(o, j, c)
		if err != nil {
			return nil, err
		}
		if err := r.unknowns(o, c, all, false); err != nil {
			return nil, err
		}
		for k, class := range classes {
			v, err := numbersOf(encodings[j*len(classes)+k])
			if err != nil || len(v) != len(all) {
				return nil, attrError(o, "encodings_", "entry %d does not fit %d categories", j*len(classes)+k, len(all))
			}
			out = append(out, meansOf(c, all, v, means[k], class))
		}
	}
	return out, nil
}

// meansOf returns the column that has a value for each category.
func meansOf(c column, all []category, values []float64, otherwise float64, class string) column {
	op := ir.Op{Code: ir.OpLookup, A: otherwise, B: otherwise}
	for i, k := range all {
		if k.missing {
			op.B = values[i]
			continue
		}
		op.Keys, op.Values = append(op.Keys, k.value), append(op.Values, values[i])
	}
	sortKeys(&op)
	c = c.plus(op)
	c.single = false
	if class != "" {
		c.name += "_" + class
	}
	return c
}
