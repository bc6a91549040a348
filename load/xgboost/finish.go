package xgboost

import (
	"strconv"

	"hew/ir"
	"hew/load/internal/fault"
)

// Bounds on sizes that a file states without holding as much data: each feature
// has a name of its own here, whether the file names it or not, so a small file
// that claims many costs memory. Sparse text models with more features exist; they
// are refused by name.
const (
	maxFeatures = 1 << 20
	maxOutputs  = 1 << 16

	maxUntrained = 1 << 20 // weights of a linear model whose file holds none
)

// finish makes the ensemble of what was read, when all of it is known.
func (m *model) finish() (*ir.Ensemble, error) {
	if err := m.checkParts(); err != nil {
		return nil, err
	}
	o, err := findObjective(m.objective, m.version)
	if err != nil {
		return nil, err
	}
	e := &ir.Ensemble{
		Outputs: m.outputs(), Link: o.link, Task: o.task, BestRound: -1,
		Source: ir.Source{Version: m.version.String(), Booster: m.booster, Objective: m.objective},
	}
	if m.numTarget > 1 && o.task == ir.Classification {
		e.Task = ir.MultiLabel
	}
	if e.BaseMargin, err = m.baseMargins(o); err != nil {
		return nil, err
	}
	if e.Features, err = m.features(); err != nil {
		return nil, err
	}
	if m.booster == "gblinear" {
		err = m.finishLinear(e)
	} else {
		err = m.finishTrees(e)
	}
	if err != nil {
		return nil, err
	}
	m.finishLabels(e)
	e.Source.Warnings = m.warnings
	return e, nil
}

// checkParts checks that the parts of a model are there and are of known kinds.
func (m *model) checkParts() error {
	switch {
	case !m.hasModel && m.config:
		return fault.Unsupportedf("a configuration, as Booster.save_config writes it, holds no trees; save the model with Booster.save_model")
	case m.booster == "":
		return fault.Formatf("the learner has no booster")
	case m.booster != "gbtree" && m.booster != "dart" && m.booster != "gblinear":
		return fault.Unsupportedf("booster %.60q is none of gbtree, dart and gblinear", m.booster)
	case !m.hasModel:
		return fault.Formatf("the booster has no model")
	case m.numFeature == 0:
		return fault.Formatf("no learner_model_param")
	case m.objective == "":
		return fault.Formatf("the learner has no objective")
	case m.numFeature > maxFeatures:
		return fault.Unsupportedf("%d features, at most %d are supported", m.numFeature, maxFeatures)
	case m.numClass > 1 && m.numTarget > 1:
		return fault.Formatf("num_class %d together with num_target %d", m.numClass, m.numTarget)
	case m.outputs() > maxOutputs:
		return fault.Unsupportedf("%d outputs, at most %d are supported", m.outputs(), maxOutputs)
	}
	if err := m.version.check(); err != nil {
		return err
	}
	if !m.version.before(newest[0], newest[1]+1, 0) {
		m.warn("written by XGBoost %v; the newest known is %d.%d, whose rules are taken", m.version, newest[0], newest[1])
	}
	return nil
}

// baseMargins returns the base score of each output as a margin.
func (m *model) baseMargins(o objective) ([]float64, error) {
	k := m.outputs()
	if n := len(m.baseScore); n != 1 && n != k {
		return nil, fault.Formatf("%d values of base_score for %d outputs", n, k)
	}
	scores := make([]float32, k)
	for i := range scores {
		scores[i] = m.baseScore[min(i, len(m.baseScore)-1)]
	}
	if !m.untrained() {
		if err := o.toMargins(scores, m.version); err != nil {
			return nil, err
		}
	}
	margins := make([]float64, k)
	for i, s := range scores {
		margins[i] = float64(s)
		if m.booster == "gblinear" {
			// All groups start from the first (src/gbm/gblinear.cc,
			// PredictBatchInternal).
			margins[i] = float64(scores[0])
		}
		if s-s != 0 && !(o.base == logarithm && s < 0) {
			return nil, fault.Formatf("base_score %v gives the margin %v", m.baseScore, s)
		}
	}
	return margins, nil
}

// untrained reports whether XGBoost takes the base score for one yet to be
// estimated. From 3.1 it then is a margin, 0.5 in what XGBoost writes itself
// (src/learner.cc, InitModelUserParam). Linear models up to 1.4 do not state their
// rounds and were trained.
func (m *model) untrained() bool {
	fitted := len(m.trees.trees) > 0
	if m.booster == "gblinear" {
		fitted = m.boostedRounds != 0
	}
	return !fitted && m.boostFromAverage && !m.version.before(3, 1, 0)
}

func (m *model) finishLinear(e *ir.Ensemble) error {
	if !m.hasLinear {
		return fault.Formatf("a gblinear model without weights")
	}
	n := len(e.Features) * e.Outputs
	if len(m.linear) == 0 && n < maxUntrained {
		// It was never trained (src/gbm/gblinear_model.h, LazyInitModel).
		m.linear = make([]float32, n+e.Outputs)
	}
	if len(m.linear) != n+e.Outputs {
		return fault.Formatf("%d weights for %d features and %d outputs, want %d", len(m.linear), len(e.Features), e.Outputs, n+e.Outputs)
	}
	// The weights of a feature stand together, the biases last
	// (src/gbm/gblinear_model.h).
	weights := make([]float64, len(m.linear))
	for i, w := range m.linear {
		if w-w != 0 {
			return fault.Formatf("weight %d is %v", i, w)
		}
		weights[i] = float64(w)
	}
	e.Linear = &ir.Linear{Weights: weights[:n:n], Bias: weights[n:]}
	return nil
}

func (m *model) finishTrees(e *ir.Ensemble) error {
	t := &m.trees
	if err := m.checkTrees(); err != nil {
		return err
	}
	for i := range t.trees {
		if g := m.treeInfo[i]; g < 0 || int(g) >= e.Outputs {
			return fault.InNode(i, -1, fault.Formatf("tree_info puts it in group %d of %d", g, e.Outputs))
		} else if t.trees[i].Vectors == nil {
			t.trees[i].Output = g
		}
	}
	if m.hasWeightDrop {
		m.applyWeights()
	}
	// Up to 1.2 the trees of an output are summed from zero and the base margin
	// comes last (src/predictor/cpu_predictor.cc, PredValue); those of a DART model
	// up to 1.3 (src/gbm/gbtree.cc, Dart::PredValue).
	e.BaseLast = m.version.before(1, 3, 0) || m.booster == "dart" && m.version.before(1, 4, 0)
	e.Sets = t.sets.bind(t.trees, m.version.categoryRule())
	if len(e.Sets) > 0 && m.version.before(1, 5, 0) {
		m.warn("XGBoost %v scores categorical splits with its GPU predictor only, and so does hew; its CPU predictor ignores them", m.version)
	}
	e.Trees = t.trees
	return m.finishRounds(e)
}

// checkTrees checks what could not be checked when the trees were read.
func (m *model) checkTrees() error {
	t := &m.trees
	n := len(t.trees)
	switch {
	case !m.hasTrees:
		return fault.Formatf("the booster's model has no trees")
	case m.numTrees >= 0 && m.numTrees != n:
		return fault.Formatf("num_trees is %d, but there are %d trees", m.numTrees, n)
	case len(m.treeInfo) != n:
		return fault.Formatf("tree_info has %d entries for %d trees", len(m.treeInfo), n)
	case m.booster == "dart" && !m.hasWeightDrop:
		return fault.Formatf("a dart model without weight_drop")
	case m.hasWeightDrop && (len(m.weightDrop) < n || len(m.weightDrop) > n && !m.version.before(3, 4, 0)):
		// Up to 3.3, updating the trees of a DART model (process_type=update) appends
		// weights anew. XGBoost takes those of the first places, and so does
		// applyWeights (src/gbm/gbtree.cc, CommitModel and PredictBatch); 3.4 refuses.
		return fault.Formatf("weight_drop has %d entries for %d trees", len(m.weightDrop), n)
	case t.maxFeature.ok && t.maxFeature.value >= m.numFeature:
		return t.maxFeature.fail("feature %d out of range [0, %d)", t.maxFeature.value, m.numFeature)
	case t.vectors.ok && t.vectors.value != m.outputs():
		return t.vectors.fail("leaf vectors of %d values for %d outputs", t.vectors.value, m.outputs())
	case t.otherVectors.ok:
		return t.otherVectors.fail("leaf vectors of %d values for %d outputs", t.otherVectors.value, m.outputs())
	case t.oldVectors.ok && !m.version.before(3, 2, 0):
		return t.oldVectors.fail("leaf vectors, but no leaf_weights")
	case t.apart.ok && !m.version.before(1, 3, 0):
		// XGBoost goes to the node behind the left child, whatever the file says
		// (src/predictor/predict_fn.h; from 1.3 for rows without missing values).
		return t.apart.fail("right child %d does not follow the left child, as XGBoost assumes", t.apart.value)
	}
	return nil
}

// applyWeights folds the weight of each tree of a DART model into its leaves. Their
// product is rounded before it is added (src/predictor/cpu_predictor.cc), so that
// nothing is lost.
func (m *model) applyWeights() {
	// From 1.4 to 3.2 a tree is predicted by itself, from zero, before the weight is
	// applied (src/gbm/gbtree.cc, Dart::PredictBatchImpl): a leaf of -0 becomes 0.
	fromZero := !m.version.before(1, 4, 0) && m.version.before(3, 3, 0)
	for i := range m.trees.trees {
		t, w := &m.trees.trees[i], m.weightDrop[i]
		weigh := func(v float64) float64 {
			if v == 0 && fromZero {
				v = 0
			}
			return float64(float32(v) * w)
		}
		for j := range t.Nodes {
			if n := &t.Nodes[j]; n.IsLeaf() {
				n.Value = weigh(n.Value)
			}
		}
		for j, v := range t.Vectors {
			t.Vectors[j] = weigh(v)
		}
	}
}

// finishRounds finds the boosting rounds, which files state from 2.0 only, and the
// best of them.
func (m *model) finishRounds(e *ir.Ensemble) error {
	n := len(e.Trees)
	e.Rounds = m.indptr
	if len(m.indptr) == 0 {
		size := m.roundSize()
		if n%size != 0 {
			return fault.Formatf("%d trees are no whole number of rounds of %d", n, size)
		}
		for i := 0; i <= n; i += size {
			e.Rounds = append(e.Rounds, int32(i))
		}
	}
	for i, r := range e.Rounds {
		if i == 0 && r != 0 || i > 0 && r < e.Rounds[i-1] || i == len(e.Rounds)-1 && int(r) != n {
			return fault.Formatf("iteration_indptr %v does not divide %d trees", excerpt(e.Rounds), n)
		}
	}
	if m.bestIteration == "" {
		return nil
	}
	best, err := strconv.Atoi(m.bestIteration)
	if err != nil || best < 0 || best >= e.NumRounds() {
		m.warn("best_iteration %.20q is none of the %d rounds", m.bestIteration, e.NumRounds())
		return nil
	}
	e.BestRound = best
	return nil
}

func excerpt(s []int32) []int32 { return s[:min(len(s), 8)] }

// roundSize returns the number of trees of a round: for each output the parallel
// trees, one output after the other (src/gbm/gbtree_model.h). Where the file does
// not state the number of parallel trees, as up to 1.3, it is the number of trees
// before the output changes; with one output it cannot be known, and each tree is a
// round.
func (m *model) roundSize() int {
	groups := 1
	for i, g := range m.treeInfo {
		if m.trees.trees[i].Vectors == nil {
			groups = max(groups, int(g)+1)
		}
	}
	parallel := max(m.numParallel, 1)
	if m.numParallel < 0 && groups > 1 {
		for parallel < len(m.treeInfo) && m.treeInfo[parallel] == m.treeInfo[0] {
			parallel++
		}
	}
	return groups * parallel
}
