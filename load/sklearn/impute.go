package sklearn

import (
	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// simpleImputer replaces missing values by statistics. Columns whose statistic is
// itself missing are dropped, unless the imputer keeps them.
//
// Source: sklearn/impute/_base.py, SimpleImputer.transform.
func (r *reader) simpleImputer(o *record.Object, in []column) ([]column, error) {
	statistics, err := valuesOf(attr(o, "statistics_"))
	if err != nil || len(statistics) != len(in) {
		return nil, attrError(o, "statistics_", "is not an array of %d values", len(in))
	}
	missing := attr(o, "missing_values")
	keep := truthOf(o, "keep_empty_features", false) || text(o, "strategy") == "constant" && versionOf(o, r.version) < 108
	var out []column
	for j, c := range in {
		if isMissing(statistics[j]) && !keep {
			continue
		}
		filled, err := r.filled(o, c, missing, statistics[j])
		if err != nil {
			return nil, err
		}
		out = append(out, filled)
	}
	if _, text := missing.(string); !isMissing(missing) && !text {
		r.refuse(in, ir.Missing)
	}
	r.refuse(in, ir.Infinite)
	if !truthOf(o, "add_indicator", false) {
		return out, nil
	}
	indicator, err := object(o, "indicator_")
	if err != nil {
		return nil, err
	}
	flags, err := r.indicators(indicator, in)
	return joined(append(out, flags...)), err
}

// valuesOf returns the elements of an array: texts, numbers or objects.
func valuesOf(v record.Value) ([]record.Value, error) {
	a, ok := v.(*record.Array)
	if !ok {
		return nil, fault.Formatf("is not an array")
	}
	out := make([]record.Value, a.Len())
	switch a.DType.Kind {
	case 'O':
		return a.Items, nil
	case 'U', 'S':
		texts, err := a.Strings()
		for i, s := range texts {
			out[i] = s
		}
		return out, err
	}
	numbers, err := a.Float64s()
	for i, f := range numbers {
		out[i] = f
	}
	return out, err
}

// filled returns c with v in place of missing values.
func (r *reader) filled(o *record.Object, c column, missing, v record.Value) (column, error) {
	var fill float64
	if s, ok := v.(string); ok {
		if err := r.wantText(o, c); err != nil {
			return c, err
		}
		fill = r.code(c.Feature, s)
	} else if fill, ok = numberOf(v); !ok {
		return c, attrError(o, "statistics_", "holds a %T", v)
	}
	if c.single {
		fill = float64(float32(fill))
	}
	if isMissing(missing) {
		return c.plus(ir.Op{Code: ir.OpFill, A: fill}), nil
	}
	if s, ok := missing.(string); ok {
		if err := r.wantText(o, c); err != nil {
			return c, err
		}
		return c.plus(ir.Op{Code: ir.OpReplace, A: r.code(c.Feature, s), B: fill}), nil
	}
	m, ok := numberOf(missing)
	if !ok {
		return c, attrError(o, "missing_values", "is a %T", missing)
	}
	return c.plus(ir.Op{Code: ir.OpReplace, A: m, B: fill}), nil
}

// plus returns c with an operation after it that gives no new kind of number.
func (c column) plus(o ir.Op) column {
	c.small = false
	c.Ops = append(c.Ops[:len(c.Ops):len(c.Ops)], o)
	return c
}

// wantText reports a column that cannot hold text, because something was computed.
func (r *reader) wantText(o *record.Object, c column) error {
	for i := range c.Ops {
		if code := c.Ops[i].Code; code != ir.OpFill && code != ir.OpReplace {
			return fault.Unsupportedf("%s of text after other transformers is not supported", o.Class.Name)
		}
	}
	return nil
}

// missingIndicator reads a MissingIndicator by itself.
func (r *reader) missingIndicator(o *record.Object, in []column) ([]column, error) {
	r.refuse(in, ir.Infinite)
	if _, text := attr(o, "missing_values").(string); !isMissing(attr(o, "missing_values")) && !text {
		r.refuse(in, ir.Missing)
	}
	out, err := r.indicators(o, in)
	if err != nil || text(o, "features") == "all" || !truthOf(o, "error_on_new", true) {
		return out, err
	}
	features, err := numbers(o, "features_")
	if err != nil {
		return nil, err
	}
	known := map[float64]bool{}
	for _, f := range features {
		known[f] = true
	}
	for j, c := range in {
		if !known[float64(j)] {
			r.refuse([]column{c}, ir.Missing)
		}
	}
	return out, nil
}

// indicators returns a column for each feature of an indicator: 1 where the value is
// missing.
//
// Source: sklearn/impute/_base.py, MissingIndicator.transform.
func (r *reader) indicators(o *record.Object, in []column) ([]column, error) {
	features, err := numbers(o, "features_")
	if err != nil {
		return nil, err
	}
	at, err := indices(features, len(in))
	if err != nil {
		return nil, attrError(o, "features_", "%v", err)
	}
	missing := attr(o, "missing_values")
	var out []column
	for _, j := range at {
		op := ir.Op{Code: ir.OpIsMissing}
		if !isMissing(missing) {
			op.Code = ir.OpEqual
			if s, ok := missing.(string); ok {
				op.A = r.code(in[j].Feature, s)
			} else if op.A, ok = numberOf(missing); !ok {
				return nil, attrError(o, "missing_values", "is a %T", missing)
			}
		}
		c := in[j].plus(op)
		c.name = "missingindicator_" + c.name
		c.single, c.small, c.sparse = false, true, false
		out = append(out, c)
	}
	return out, nil
}
