package sklearn

import (
	"math"
	"strings"

	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// A transformFunc reads a transformer that is given columns and returns those that
// it makes of them.
type transformFunc func(r *reader, o *record.Object, in []column) ([]column, error)

// transformers are what hew reads, by the names of their classes.
var transformers map[string]transformFunc

func init() {
	transformers = map[string]transformFunc{
		"StandardScaler":            (*reader).standardScaler,
		"MinMaxScaler":              (*reader).minMaxScaler,
		"MaxAbsScaler":              (*reader).maxAbsScaler,
		"RobustScaler":              (*reader).robustScaler,
		"SimpleImputer":             (*reader).simpleImputer,
		"MissingIndicator":          (*reader).missingIndicator,
		"OrdinalEncoder":            (*reader).ordinalEncoder,
		"OneHotEncoder":             (*reader).oneHotEncoder,
		"KBinsDiscretizer":          (*reader).binsDiscretizer,
		"Binarizer":                 (*reader).binarizer,
		"PowerTransformer":          (*reader).powerTransformer,
		"QuantileTransformer":       (*reader).quantileTransformer,
		"FunctionTransformer":       (*reader).functionTransformer,
		"ColumnTransformer":         (*reader).columnTransformer,
		"FeatureUnion":              (*reader).featureUnion,
		"Pipeline":                  (*reader).transformPipeline,
		"SelectKBest":               (*reader).selector,
		"SelectPercentile":          (*reader).selector,
		"SelectFpr":                 (*reader).selector,
		"SelectFdr":                 (*reader).selector,
		"SelectFwe":                 (*reader).selector,
		"GenericUnivariateSelect":   (*reader).selector,
		"SelectFromModel":           (*reader).selector,
		"RFE":                       (*reader).selector,
		"RFECV":                     (*reader).selector,
		"SequentialFeatureSelector": (*reader).selector,
		"VarianceThreshold":         (*reader).selector,
	}
}

// transform reads any transformer that hew knows. Each works column by column: what
// mixes columns cannot be folded into the thresholds of trees.
func (r *reader) transform(o *record.Object, in []column) ([]column, error) {
	if r.depth++; r.depth > maxDepth {
		return nil, fault.Unsupportedf("transformers are nested more than %d deep", maxDepth)
	}
	defer func() { r.depth-- }()
	read := transformers[o.Class.Name]
	if !strings.HasPrefix(o.Class.Module, "sklearn.") || read == nil {
		return nil, fault.Unsupportedf("%s is not a transformer that hew knows; it reads those that work column by column: scalers, imputers, encoders, bins, powers, quantiles, NumPy functions and selections", o.Class)
	}
	if err := checkWidth(o, in); err != nil {
		return nil, err
	}
	return read(r, o, in)
}

// then returns c with an operation after it; float32 columns stay float32.
func (c column) then(ops ...ir.Op) column {
	all := c.Ops[:len(c.Ops):len(c.Ops)]
	for _, o := range ops {
		all = append(all, o)
		if c.single {
			all = append(all, ir.Op{Code: ir.OpRound})
		}
	}
	c.Ops = all
	return c
}

// isText reports whether a column holds categories that nothing has encoded yet.
func (m *model) isText(c column) bool {
	if m.e.Features[c.Feature].Type != ir.Categorical {
		return false
	}
	for i := range c.Ops {
		switch c.Ops[i].Code {
		case ir.OpEqual, ir.OpIn, ir.OpLookup, ir.OpIsMissing:
			return false
		}
	}
	return true
}

// perColumn reads an attribute with a number for each column, or nil if it is None.
func perColumn(o *record.Object, name string, in []column) ([]float64, error) {
	if attr(o, name) == nil {
		return nil, nil
	}
	v, err := numbers(o, name)
	if err == nil && len(v) != len(in) {
		err = attrError(o, name, "%d numbers for %d columns", len(v), len(in))
	}
	return v, err
}

// transformPipeline reads a Pipeline of transformers.
func (r *reader) transformPipeline(o *record.Object, in []column) ([]column, error) {
	steps, err := stepsOf(o)
	if err != nil {
		return nil, err
	}
	return r.steps(steps, in)
}

// truthOf returns an attribute that is a truth value, or a default.
func truthOf(o *record.Object, name string, otherwise bool) bool {
	if v, ok := numberOf(attr(o, name)); ok {
		return v != 0
	}
	return otherwise
}

func isMissing(v record.Value) bool {
	switch v := v.(type) {
	case nil:
		return true
	case float64:
		return v != v
	case *record.Array:
		f, ok := numberOf(v)
		return ok && f != f
	case *record.Object:
		return v.Class.Name == "NAType" // pandas.NA
	}
	return false
}

var nan = math.NaN()
