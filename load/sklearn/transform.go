package sklearn

import (
	"math"
	"slices"
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
		"TargetEncoder":             (*reader).targetEncoder,
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

// refusals are reasons why hew does not read a transformer.
var refusals = map[string]string{}

func init() {
	for why, names := range map[string][]string{
		"it mixes columns, and hew reads what works column by column; train without it": {
			"PCA", "IncrementalPCA", "KernelPCA", "SparsePCA", "MiniBatchSparsePCA", "TruncatedSVD", "FastICA", "NMF", "MiniBatchNMF", "FactorAnalysis",
			"LatentDirichletAllocation", "LinearDiscriminantAnalysis", "Normalizer", "PolynomialFeatures", "SplineTransformer", "KernelCenterer", "KNNImputer", "IterativeImputer",
			"Nystroem", "RBFSampler", "AdditiveChi2Sampler", "SkewedChi2Sampler", "PolynomialCountSketch", "GaussianRandomProjection", "SparseRandomProjection",
			"FeatureAgglomeration", "KMeans", "MiniBatchKMeans", "Birch", "RandomTreesEmbedding", "BernoulliRBM", "NeighborhoodComponentsAnalysis",
			"Isomap", "LocallyLinearEmbedding", "PLSRegression", "PLSCanonical", "PLSSVD", "CCA"},
		"it reads words, not the columns of a table; compute its numbers before": {
			"CountVectorizer", "TfidfVectorizer", "HashingVectorizer", "TfidfTransformer", "FeatureHasher", "DictVectorizer"},
		"it is for targets, not for features; use OneHotEncoder or OrdinalEncoder": {
			"LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer"},
	} {
		for _, name := range names {
			refusals[name] = why
		}
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
	if why := refusals[o.Class.Name]; why != "" && read == nil {
		return nil, fault.Unsupportedf("%s is not supported: %s", o.Class, why)
	}
	if !strings.HasPrefix(o.Class.Module, "sklearn.") || read == nil {
		return nil, fault.Unsupportedf("%s is not a transformer that hew knows; it reads those that work column by column: scalers, imputers, encoders, bins, powers, quantiles, NumPy functions and selections", o.Class)
	}
	if err := checkWidth(o, in); err != nil {
		return nil, err
	}
	if !passes[o.Class.Name] {
		in = joined(in)
		r.look(in)
	}
	out, err := read(r, o, in)
	if err == nil {
		err = r.pay(in, out)
	}
	return out, err
}

const (
	maxOps  = 1000    // on a column
	maxWork = 1 << 24 // columns, operations on them and their names, which all transformers are given and make
)

// pay counts what a transformer did. A small file can ask for much, by transformers
// that hand their columns on more than once.
func (r *reader) pay(in, out []column) error {
	r.work += len(in) + len(out)
	for _, c := range out {
		if len(c.Ops) > maxOps {
			return fault.Unsupportedf("transformers do more than %d operations on a column", maxOps)
		}
		r.work += len(c.Ops) + len(c.name)/16
	}
	if r.work > maxWork {
		return fault.Unsupportedf("transformers make more columns than hew computes")
	}
	return nil
}

// checkCount reports too many columns.
func checkCount(all []column) error {
	if len(all) > maxFeatures {
		return fault.Unsupportedf("transformers make more than %d columns", maxFeatures)
	}
	return nil
}

// passes are the transformers that hand their columns on, some of them to nobody.
var passes = map[string]bool{"ColumnTransformer": true, "FeatureUnion": true, "Pipeline": true}

// look notes that something looks at columns.
func (m *model) look(in []column) {
	for _, c := range in {
		m.read[c.Feature] = true
	}
}

// settle says of the features that nothing looks at that they may be anything: a
// ColumnTransformer drops them, texts often. And that a feature accepts nothing but its
// categories goes without saying.
func (m *model) settle() {
	for j := range m.e.Features {
		f := &m.e.Features[j]
		if !m.read[j] && f.Type == ir.Float {
			f.Type, f.Open, f.Categories = ir.Categorical, true, []string{}
		}
		if f.Type == ir.Categorical && len(f.Accepts) == len(f.Categories) {
			f.Accepts = nil
		}
	}
}

// joined returns columns as one array holds them: they have one type, and one
// sparse column makes all of them sparse.
func joined(in []column) []column {
	var single, double, sparse bool
	for _, c := range in {
		single = single || c.single
		double = double || !c.single && !c.small
		sparse = sparse || c.sparse
	}
	out := slices.Clone(in)
	for j := range out {
		c := &out[j]
		c.single, c.small, c.sparse = single && !double, c.small && !single && !double, sparse
	}
	return out
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
	c.Ops, c.small = all, false
	return c
}

// fitsSingle reports whether float32 holds all values of c.
func (m *model) fitsSingle(c column) bool {
	if c.single || c.small {
		return true
	}
	for i := len(c.Ops) - 1; i >= 0; i-- {
		o := &c.Ops[i]
		holds := func(v float64) bool { return v != v || ir.Single.Holds(v) }
		switch o.Code {
		case ir.OpRound, ir.OpIsMissing, ir.OpEqual, ir.OpIn, ir.OpBin:
			return true
		case ir.OpLookup:
			return holds(o.A) && holds(o.B) && !slices.ContainsFunc(o.Values, func(v float64) bool { return !holds(v) })
		case ir.OpFill:
			if !holds(o.A) {
				return false
			}
		case ir.OpReplace:
			if !holds(o.B) {
				return false
			}
		default:
			return false
		}
	}
	return m.single
}

// typed returns c with the dtype that a transformer's parameter dtype tells.
func (c column) typed(o *record.Object) column {
	name := ""
	switch d := attr(o, "dtype").(type) {
	case *record.Global:
		name = d.Name
	case *record.DType:
		name = d.String()
	case string:
		name = d
	case nil: // that of the input
		return c
	}
	switch name {
	case "float32", "single", "f4":
		c.single, c.small = true, false
	case "bool", "bool_", "int8", "uint8", "int16", "uint16":
		c.single, c.small = false, true
	default:
		c.single, c.small = false, false
	}
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
