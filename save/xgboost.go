// Package save writes an ensemble as a model file: XGBoost's own form for what XGBoost
// can express, and hew's for everything.
package save

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	"hew/ir"
	"hew/load/xgboost"
)

// current is the version of XGBoost whose rules a written file follows, unless the
// original is of a newer one.
var current = [3]int32{3, 2, 0}

// XGBoost writes e as a model file that XGBoost 3.2 and later load and score with e's
// margins, bit for bit. The original is the model file of which e was made, JSON or
// UBJSON: the objective, attributes, names and types of features are kept, the trees,
// rounds and base score are e's. The same arguments give the same bytes.
//
// Files by older versions are brought to the form and the rules of 3.2. Where these
// decide otherwise than the rules of the original, what they cannot express is
// refused: a set of values that is no list of categories, for one. A base margin that
// no base score gives, or that is to be added last, becomes trees of one leaf. The
// weights of DART trees are in the leaves already, so that the booster becomes gbtree.
// The link is the one that the reader's version has for the objective.
//
// Nodes keep their numbers if all of a tree's numbers are such as XGBoost gives them.
// The gain of a split and the weight that training saw in it are not known and are
// written as 0; the cover is kept.
func XGBoost(w io.Writer, e *ir.Ensemble, original []byte, ubjson bool) error {
	f, err := xgboost.ReadFrame(original)
	if err != nil {
		return fmt.Errorf("the original model: %w", err)
	}
	if err := e.Verify(); err != nil {
		return err
	}
	if err := check(e, f); err != nil {
		return err
	}
	m := &model{e: e, frame: f, version: current}
	if newer(f.Version, current) {
		m.version = f.Version
	}
	if m.listed, err = listedCategories(e); err != nil {
		return err
	}
	if m.start, err = m.findStart(); err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 64<<10)
	if ubjson {
		m.d = &ubjsonDocument{w: out}
	} else {
		m.d = &jsonDocument{w: out}
	}
	write(m.d, m.root())
	return out.Flush()
}

func newer(v, than [3]int32) bool {
	for i := range v {
		if v[i] != than[i] {
			return v[i] > than[i]
		}
	}
	return false
}

// check reports why e cannot be an XGBoost model, or is none that the original was
// made into.
func check(e *ir.Ensemble, f *xgboost.Frame) error {
	linear := f.Booster == "gblinear"
	switch {
	case e.Columns != nil:
		return fmt.Errorf("XGBoost cannot express the %d columns that a pipeline computes in front of the trees", len(e.Columns))
	case len(e.Post) > 0 || len(e.Answers) > 0:
		return fmt.Errorf("XGBoost cannot express the stages and answers of a pipeline")
	case e.Input != ir.Single:
		return fmt.Errorf("XGBoost compares float32 numbers; the ensemble compares %v", e.Input)
	case e.Sum != ir.Single:
		return fmt.Errorf("XGBoost adds float32 numbers; the ensemble adds %v", e.Sum)
	case e.Source.Objective != f.Objective():
		return fmt.Errorf("the original has objective %q, the ensemble %q: it was not made of that file", f.Objective(), e.Source.Objective)
	case len(e.Features) != f.Features():
		return fmt.Errorf("the original has %d features, the ensemble %d: it was not made of that file", f.Features(), len(e.Features))
	case e.Outputs != f.Outputs():
		return fmt.Errorf("the original has %d outputs, the ensemble %d: it was not made of that file", f.Outputs(), e.Outputs)
	case linear != (e.Linear != nil):
		return fmt.Errorf("the original is a %s model, the ensemble is not: it was not made of that file", f.Booster)
	}
	if e.Linear != nil {
		for _, w := range [2][]float64{e.Linear.Weights, e.Linear.Bias} {
			for _, v := range w {
				if v-v != 0 {
					return fmt.Errorf("the weight %v: a linear model that XGBoost trained to an end has finite ones", v)
				}
			}
		}
	}
	return nil
}

// A model is an ensemble on its way into a document.
type model struct {
	e       *ir.Ensemble
	frame   *xgboost.Frame
	version [3]int32
	listed  [][]span // of each set, the categories that go right; nil if no node refers to it
	start   start

	d    document
	tree treeArrays // scratch
}

// root returns the document.
func (m *model) root() xgboost.Object {
	root := m.frame.Root
	learner := root.Get("learner").(xgboost.Object)
	learner = learner.Set("attributes", m.attributes(learner))
	learner = learner.Set("gradient_booster", m.booster(learner))
	learner = learner.Set("learner_model_param", m.start.param(learner))
	root = root.Set("learner", learner)
	return root.Set("version", []any{int64(m.version[0]), int64(m.version[1]), int64(m.version[2])})
}

// attributes returns the attributes with the best round of the ensemble.
func (m *model) attributes(learner xgboost.Object) xgboost.Object {
	a, _ := learner.Get("attributes").(xgboost.Object)
	best := strconv.Itoa(m.e.BestRound)
	switch {
	case m.e.BestRound < 0:
		return a.Without("best_iteration", "best_score", "best_ntree_limit")
	case a.Get("best_iteration") != best:
		// The limit, of versions up to 1.7, belongs to another round.
		return a.Without("best_ntree_limit").Set("best_iteration", best)
	}
	return a
}

// booster returns the booster with what the ensemble has in place of its model.
func (m *model) booster(learner xgboost.Object) xgboost.Object {
	b := learner.Get("gradient_booster").(xgboost.Object)
	if inner, ok := b.Get("gbtree").(xgboost.Object); ok {
		b = inner // DART up to 3.2
	}
	kept, _ := b.Get("model").(xgboost.Object)
	if m.e.Linear != nil {
		return xgboost.Object{{Key: "model", Value: m.linear(kept)}, {Key: "name", Value: "gblinear"}}
	}
	return xgboost.Object{{Key: "model", Value: m.trees(kept)}, {Key: "name", Value: "gbtree"}}
}

// linear returns the model of a linear booster: the weights of a feature stand
// together, the biases last (dmlc/xgboost:src/gbm/gblinear_model.h).
func (m *model) linear(kept xgboost.Object) xgboost.Object {
	l := m.e.Linear
	weights := make([]float64, 0, len(l.Weights)+len(l.Bias))
	weights = append(append(weights, l.Weights...), l.Bias...)
	kept = kept.Set("boosted_rounds", int64(m.linearRounds()))
	return kept.Set("weights", xgboost.Floats{Type: 'd', Values: weights})
}

// linearRounds returns the rounds of a linear model. Files up to 1.4 state none, which
// 3.2 would take for a model yet to be trained.
func (m *model) linearRounds() int {
	if m.frame.Rounds < 0 {
		return 1
	}
	return m.frame.Rounds
}

// trees returns the model of a tree booster.
func (m *model) trees(kept xgboost.Object) xgboost.Object {
	rounds, outputs := m.start.place(m.e)
	n := len(outputs)
	param, _ := kept.Get("gbtree_model_param").(xgboost.Object)
	param = param.Without("size_leaf_vector").Set("num_trees", strconv.Itoa(n))

	kept = kept.Without("weight_drop").Set("gbtree_model_param", param)
	kept = kept.Set("iteration_indptr", func() {
		m.d.array(len(rounds), func(i int) { m.d.integer(int64(rounds[i])) })
	})
	kept = kept.Set("tree_info", func() {
		m.d.array(n, func(i int) { m.d.integer(int64(outputs[i])) })
	})
	return kept.Set("trees", func() {
		m.d.array(n, func(i int) { m.writeTree(i, m.start.tree(m.e, i)) })
	})
}
