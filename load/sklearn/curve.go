package sklearn

import (
	"slices"

	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// powerTransformer reads PowerTransformer, and the scaler inside of it.
//
// Source: sklearn/preprocessing/_data.py, PowerTransformer.transform.
func (r *reader) powerTransformer(o *record.Object, in []column) ([]column, error) {
	if err := wantDouble(o, in); err != nil {
		return nil, err
	}
	lambdas, err := perColumn(o, "lambdas_", in)
	if err != nil || lambdas == nil {
		return nil, attrError(o, "lambdas_", "is missing or does not fit")
	}
	op := ir.Op{Code: ir.OpYeoJohnson}
	switch text(o, "method") {
	case "yeo-johnson":
		if versionOf(o, r.version) >= 109 {
			op.B = 1 // scipy.stats.yeojohnson
		}
	case "box-cox":
		op.Code = ir.OpBoxCox
	default:
		return nil, attrError(o, "method", "%q is not known", text(o, "method"))
	}
	r.refuse(in, ir.Infinite)
	out := make([]column, len(in))
	for j, c := range in {
		op.A = lambdas[j]
		out[j] = c.plus(op)
	}
	if !truthOf(o, "standardize", true) {
		return out, nil
	}
	scaler, err := object(o, "_scaler")
	if err != nil {
		return nil, err
	}
	return r.transform(scaler, out)
}

// wantDouble refuses float32 columns, for functions that NumPy computes in float32.
func wantDouble(o *record.Object, in []column) error {
	if slices.ContainsFunc(in, func(c column) bool { return c.single }) {
		return fault.Unsupportedf("%s of float32 rows is not supported; read the model with float64 rows", o.Class.Name)
	}
	return nil
}

// quantileTransformer reads QuantileTransformer.
//
// Source: sklearn/preprocessing/_data.py, QuantileTransformer._transform_col.
func (r *reader) quantileTransformer(o *record.Object, in []column) ([]column, error) {
	if err := wantDouble(o, in); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(in, func(c column) bool { return c.sparse }) {
		return nil, fault.Unsupportedf("QuantileTransformer of a sparse matrix is not supported; have the step before it give arrays")
	}
	a, ok := attr(o, "quantiles_").(*record.Array)
	if !ok || len(a.Shape) != 2 || a.Shape[1] != len(in) {
		return nil, attrError(o, "quantiles_", "is not a matrix of %d columns", len(in))
	}
	q, err := a.Float64s()
	if err != nil {
		return nil, attrError(o, "quantiles_", "%v", err)
	}
	references, err := numbers(o, "references_")
	if err != nil || len(references) != a.Shape[0] {
		return nil, attrError(o, "references_", "does not fit %d quantiles", a.Shape[0])
	}
	op := ir.Op{Code: ir.OpQuantile, Values: references}
	if text(o, "output_distribution") == "normal" {
		op.A = 1
	}
	r.refuse(in, ir.Infinite)
	out := make([]column, len(in))
	for j, c := range in {
		op.Keys = make([]float64, a.Shape[0])
		for i := range op.Keys {
			op.Keys[i] = q[i*len(in)+j]
		}
		if !slices.IsSorted(op.Keys) {
			return nil, attrError(o, "quantiles_", "column %d does not ascend", j)
		}
		out[j] = c.plus(op)
	}
	return out, nil
}

// functions are the NumPy functions that a FunctionTransformer may name.
var functions = map[string]ir.Func{
	"log": ir.FuncLog, "log1p": ir.FuncLog1p, "log2": ir.FuncLog2, "log10": ir.FuncLog10, "exp": ir.FuncExp, "expm1": ir.FuncExpm1,
	"sqrt": ir.FuncSqrt, "cbrt": ir.FuncCbrt, "square": ir.FuncSquare, "absolute": ir.FuncAbs, "abs": ir.FuncAbs, "fabs": ir.FuncAbs,
	"negative": ir.FuncNegative, "reciprocal": ir.FuncReciprocal, "sign": ir.FuncSign, "floor": ir.FuncFloor, "ceil": ir.FuncCeil,
	"rint": ir.FuncRint, "tanh": ir.FuncTanh,
}

// exactFunctions are those whose float32 result is that of float64, rounded.
var exactFunctions = []ir.Func{ir.FuncSqrt, ir.FuncSquare, ir.FuncAbs, ir.FuncNegative, ir.FuncReciprocal, ir.FuncSign,
	ir.FuncFloor, ir.FuncCeil, ir.FuncRint}

// functionTransformer reads a FunctionTransformer of a NumPy function, or of none.
func (r *reader) functionTransformer(o *record.Object, in []column) ([]column, error) {
	f := attr(o, "func")
	if p, ok := f.(*record.Object); ok && p.Class.String() == "functools.partial" && len(p.Args) > 0 {
		// HistGradientBoosting checks its numbers so.
		if g, ok := p.Args[0].(*record.Global); ok && g.Module == "sklearn.utils.validation" && g.Name == "check_array" {
			return in, nil
		}
	}
	if f == nil {
		if truthOf(o, "validate", false) {
			r.refuse(in, ir.Missing|ir.Infinite)
		}
		return in, nil
	}
	g, ok := f.(*record.Global)
	if !ok {
		return nil, fault.Unsupportedf("FunctionTransformer of an object; hew knows NumPy's functions by name")
	}
	function, ok := functions[g.Name]
	if !ok || g.Module != "numpy" {
		return nil, fault.Unsupportedf("FunctionTransformer of %s; hew knows NumPy's log, log1p, exp, sqrt, square, abs and others of one number", g)
	}
	if d, ok := attr(o, "kw_args").(*record.Dict); ok && len(d.Keys) > 0 {
		return nil, fault.Unsupportedf("FunctionTransformer with kw_args is not supported")
	}
	if truthOf(o, "validate", false) {
		r.refuse(in, ir.Missing|ir.Infinite)
	}
	out := make([]column, len(in))
	for j, c := range in {
		if c.single && !slices.Contains(exactFunctions, function) {
			return nil, wantDouble(o, in)
		}
		out[j] = c.then(ir.Op{Code: ir.OpCall, A: float64(function)})
	}
	return out, nil
}
