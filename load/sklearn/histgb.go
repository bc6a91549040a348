package sklearn

import (
	"math"

	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// histGradientBoosting reads HistGradientBoostingClassifier and -Regressor.
//
// Source: sklearn/ensemble/_hist_gradient_boosting/gradient_boosting.py, _raw_predict:
// the baseline, then the trees of each iteration, one for each class. Nothing is
// refused: NaN and infinities are values like others.
func (r *reader) histGradientBoosting(o *record.Object, in []column) (part, error) {
	base, err := numbers(o, "_baseline_prediction")
	if err != nil {
		// A number in the versions of one output, an array of shape (1, K) else.
		b, ok := numberOf(attr(o, "_baseline_prediction"))
		if !ok {
			return nothing, err
		}
		base = []float64{b}
	}
	if err := checkWidth(o, in); err != nil {
		return nothing, err
	}
	if p, ok := attr(o, "_preprocessor").(*record.Object); ok {
		r.refuseEncoded(o, in)
		if in, err = r.transform(p, in); err != nil {
			return nothing, err
		}
	}
	h := histogram{r: r, o: o, s: r.sums(base...)}
	for _, c := range in {
		i, err := r.use(c, false)
		if err != nil {
			return nothing, err
		}
		h.columns = append(h.columns, i)
	}
	if h.known, err = knownCategories(o, len(in)); err != nil {
		return nothing, err
	}
	iterations, ok := itemsOf(attr(o, "_predictors"))
	if !ok {
		return nothing, attrError(o, "_predictors", "is missing or not a list")
	}
	for i, item := range iterations {
		if err := h.iteration(item); err != nil {
			return nothing, fault.InTree(i*len(base), err)
		}
	}
	return r.histAnswers(o, r.vector(h.s))
}

// refuseEncoded says that the encoder of categorical columns refuses infinities.
func (r *reader) refuseEncoded(o *record.Object, in []column) {
	flags, err := numbersOf(attr(o, "is_categorical_"))
	if err != nil {
		return
	}
	for j, categorical := range flags {
		if categorical != 0 && j < len(in) {
			r.refuse(in[j:j+1], ir.Infinite)
		}
	}
}

// histAnswers applies the inverse link of the loss.
func (r *reader) histAnswers(o *record.Object, raw vector) (part, error) {
	if o.Class.Name == "HistGradientBoostingRegressor" {
		p := nothing
		p.value = raw
		switch loss := text(o, "loss"); loss {
		case "poisson", "gamma":
			p.value = r.map1(ir.StageExp, raw, 0)
		case "squared_error", "absolute_error", "quantile", "least_squares", "least_absolute_deviation":
		default:
			return nothing, fault.Unsupportedf("HistGradientBoostingRegressor: loss %q is not known", loss)
		}
		return p, nil
	}
	l, err := labels(o, "classes_")
	if err != nil {
		return nothing, err
	}
	p := nothing
	p.decision, p.labels = raw, []ir.Labels{l}
	if r.width(raw) == 1 {
		p.proba = r.map1(ir.StageExpit, raw, 1)
		p.proba = r.stage(ir.Stage{Code: ir.StageComplement, Args: []int32{p.proba}, Width: 2})
		p.label = r.map1(ir.StagePositive, raw, 0)
		if versionOf(o, r.version) < 104 {
			p.label = r.first(p.proba)
		}
		return p, wantClasses(o, l, 2)
	}
	p.proba = r.map1(ir.StageSoftmax, raw, 0) // of an array in Fortran order, so that sums go from left to right
	p.label = r.first(raw)
	if v := versionOf(o, r.version); v < 104 {
		if v < 101 {
			p.proba = r.map1(ir.StageSoftmaxLog, raw, 0)
		}
		p.label = r.first(p.proba)
	}
	return p, wantClasses(o, l, r.width(raw))
}

// A histogram is a HistGradientBoosting estimator while it is read.
type histogram struct {
	r       *reader
	o       *record.Object
	s       margins
	columns []int32
	known   [][256]bool // by column: the categories of a categorical one
}

// knownCategories reads the categories that training saw, the bin thresholds of
// categorical columns.
func knownCategories(o *record.Object, columns int) ([][256]bool, error) {
	known := make([][256]bool, columns)
	flags := attr(o, "_is_categorical_remapped")
	if flags == nil {
		flags = attr(o, "is_categorical_")
	}
	if flags == nil {
		return known, nil
	}
	categorical, err := numbersOf(flags)
	if err != nil || len(categorical) != columns {
		return nil, attrError(o, "is_categorical_", "is not an array of %d truth values", columns)
	}
	mapper, err := object(o, "_bin_mapper")
	if err != nil {
		return nil, err
	}
	thresholds, ok := itemsOf(attr(mapper, "bin_thresholds_"))
	if !ok || len(thresholds) != columns {
		return nil, attrError(mapper, "bin_thresholds_", "is not a list of %d arrays", columns)
	}
	for j, t := range thresholds {
		if categorical[j] == 0 {
			continue
		}
		codes, err := numbersOf(t)
		if err != nil {
			return nil, attrError(mapper, "bin_thresholds_", "%v", err)
		}
		for _, c := range codes {
			if !(c >= 0 && c < 256) {
				return nil, attrError(mapper, "bin_thresholds_", "category %v is not below 256", c)
			}
			known[j][int(c)] = true
		}
	}
	return known, nil
}

func (h *histogram) iteration(v record.Value) error {
	predictors, ok := itemsOf(v)
	if !ok || len(predictors) != h.s.n {
		return attrError(h.o, "_predictors", "an iteration is not a list of %d trees", h.s.n)
	}
	for k, item := range predictors {
		p, ok := item.(*record.Object)
		if !ok {
			return attrError(h.o, "_predictors", "a tree is not an object")
		}
		t, err := h.tree(p)
		if err != nil {
			return err
		}
		h.r.addTree(t, h.s, k)
	}
	h.r.endRound()
	return nil
}

// A predictor is the arrays of a TreePredictor, read in place.
//
// Source: sklearn/ensemble/_hist_gradient_boosting/common.pyx, PREDICTOR_RECORD_DTYPE.
type predictor struct {
	value, count, feature, threshold, missing, left, right, isLeaf, isCategorical, bitset record.Column
	hasCategories                                                                         bool
	bits                                                                                  []float64 // words of the sets, 8 each
}

func (h *histogram) tree(o *record.Object) (ir.Tree, error) {
	a, ok := attr(o, "nodes").(*record.Array)
	if !ok || a.DType.Kind != 'V' || a.Len() < 1 {
		return ir.Tree{}, attrError(o, "nodes", "is not an array of records")
	}
	p, err := readPredictor(o, a)
	if err != nil {
		return ir.Tree{}, err
	}
	t := ir.Tree{Nodes: make([]ir.Node, a.Len())}
	for i := range t.Nodes {
		n := &t.Nodes[i]
		n.ID, n.Cover, n.Set = int32(i), float32(p.count.Float64(i)), ir.NoSet
		if p.isLeaf.Int64(i) == 0 {
			if err := h.split(n, p, i, len(t.Nodes)); err != nil {
				return t, fault.InNode(-1, i, err)
			}
			continue
		}
		n.Feature = ir.NoFeature
		if n.Value = p.value.Float64(i); n.Value != n.Value {
			return t, fault.InNode(-1, i, fault.Formatf("the value of the leaf is NaN"))
		}
	}
	return t, nil
}

func readPredictor(o *record.Object, a *record.Array) (*predictor, error) {
	p := &predictor{}
	threshold := "num_threshold"
	if _, err := a.DType.Field(threshold); err != nil {
		threshold = "threshold" // up to 0.23
	}
	for _, f := range []struct {
		name string
		to   *record.Column
	}{
		{"value", &p.value}, {"count", &p.count}, {"feature_idx", &p.feature}, {threshold, &p.threshold},
		{"missing_go_to_left", &p.missing}, {"left", &p.left}, {"right", &p.right}, {"is_leaf", &p.isLeaf},
	} {
		var err error
		if *f.to, err = a.Column(f.name); err != nil {
			return nil, attrError(o, "nodes", "%v", err)
		}
	}
	var err error
	if p.isCategorical, err = a.Column("is_categorical"); err != nil {
		return p, nil
	}
	if p.bitset, err = a.Column("bitset_idx"); err != nil {
		return nil, attrError(o, "nodes", "%v", err)
	}
	p.hasCategories = true
	bits, ok := attr(o, "raw_left_cat_bitsets").(*record.Array)
	if !ok || len(bits.Shape) != 2 || bits.Shape[1] != 8 {
		return nil, attrError(o, "raw_left_cat_bitsets", "is not an array of sets of 256 categories")
	}
	p.bits, err = bits.Float64s()
	return p, err
}

func (h *histogram) split(n *ir.Node, p *predictor, i, count int) error {
	left, right, feature := p.left.Int64(i), p.right.Int64(i), p.feature.Int64(i)
	for _, child := range [2]int64{left, right} {
		if child <= int64(i) || child >= int64(count) {
			return fault.Formatf("child %d is not a later node of %d", child, count)
		}
	}
	if feature < 0 || feature >= int64(len(h.columns)) {
		return fault.Formatf("feature %d of %d", feature, len(h.columns))
	}
	n.Left, n.Right, n.Feature = int32(left), int32(right), h.columns[feature]
	n.DefaultLeft = p.missing.Int64(i) != 0
	if p.hasCategories && p.isCategorical.Int64(i) != 0 {
		return h.category(n, p, i, &h.known[feature])
	}
	switch t := p.threshold.Float64(i); {
	case t != t:
		return fault.Formatf("threshold is NaN")
	case math.IsInf(t, 1): // every number goes left: none is below -Inf
		n.Threshold = math.Inf(-1)
		n.Left, n.Right, n.DefaultLeft = n.Right, n.Left, !n.DefaultLeft
	case h.r.single:
		n.Threshold = above32(t)
	default:
		n.Threshold = math.Nextafter(t, math.Inf(1))
	}
	return nil
}

// category makes n a membership test.
//
// Source: sklearn/ensemble/_hist_gradient_boosting/_predictor.pyx,
// _predict_one_from_raw_data: the value truncated to a byte is looked up in the left
// set, then among the categories that training saw, which go right; what is neither,
// and negative numbers, go where missing values go. A value of 256 or more is not
// defined there; it is taken for a category that training did not see.
func (h *histogram) category(n *ir.Node, p *predictor, i int, known *[256]bool) error {
	at := p.bitset.Int64(i) * 8
	if at < 0 || at+8 > int64(len(p.bits)) {
		return fault.Formatf("set %d of %d", at/8, len(p.bits)/8)
	}
	var s ir.Set
	in := n.DefaultLeft
	if in {
		s = append(s, math.Inf(-1))
	}
	for c := range 257 {
		left := n.DefaultLeft
		if c < 256 {
			listed := uint32(p.bits[at+int64(c/32)])>>(c%32)&1 != 0
			left = listed || !known[c] && n.DefaultLeft
		}
		if left != in {
			s = append(s, float64(c))
			in = left
		}
	}
	n.Set = h.r.set(s)
	return nil
}
