package xgboost

import (
	"strconv"
	"strings"

	"hew/load/internal/fault"
)

// A model is what has been read of a file so far.
type model struct {
	document
	trees treeReader

	withoutTrees bool // skip them

	version   version
	booster   string
	objective string
	config    bool // it looks like a document of Booster.save_config

	numFeature, numClass, numTarget int
	baseScore                       []float32
	boostFromAverage                bool

	featureNames, featureTypes []string
	bestIteration              string
	labels                     []string
	warnings                   []string

	hasModel, hasTrees    bool
	numTrees, numParallel int // as stated; -1 if not
	treeInfo, indptr      []int32
	weightDrop            []float32
	hasWeightDrop         bool
	categories            []categoryNames

	linear        []float32
	hasLinear     bool
	boostedRounds int // of a linear model; -1 if not stated
}

func newModel(d document) *model {
	m := &model{
		document: d, boostFromAverage: true,
		numTrees: -1, numParallel: -1, boostedRounds: -1,
	}
	m.trees.init(m)
	return m
}

// A field is a key of an object and what reads its value.
type field struct {
	key      string
	read     func() error
	required bool
}

// fieldsOf reads an object. Keys that are not in the table are skipped, as XGBoost
// does; a key that comes twice is an error: of two values XGBoost takes the last
// in JSON and the first in UBJSON. There can be 64 fields.
func (m *model) fieldsOf(what string, table []field) error {
	var seen uint64
	err := m.object(func(key []byte) error {
		for i := range table {
			if string(key) != table[i].key {
				continue
			}
			if seen&(1<<i) != 0 {
				return m.fail("key %q comes twice in %s", key, what)
			}
			seen |= 1 << i
			return table[i].read()
		}
		return m.skip()
	})
	if err != nil {
		return err
	}
	for i := range table {
		if table[i].required && seen&(1<<i) == 0 {
			return m.fail("no %q in %s", table[i].key, what)
		}
	}
	return nil
}

// readDocument reads the whole file: the layout of
// dmlc/xgboost:src/learner.cc, LearnerIO::SaveModel.
func (m *model) readDocument() error {
	if err := m.readModel(); err != nil {
		return err
	}
	return m.end()
}

// readModel reads the object of a model.
func (m *model) readModel() error {
	hasLearner := false
	err := m.fieldsOf("the model", []field{
		{key: "version", read: m.readVersion},
		{key: "learner", read: func() error { hasLearner = true; return m.learner() }},
	})
	if err != nil {
		return err
	}
	if !hasLearner {
		return fault.Formatf("not an XGBoost model: no key \"learner\"")
	}
	if m.version == (version{}) {
		return fault.Formatf("no \"version\": which XGBoost wrote the model, and so by what rules, is unknown")
	}
	return nil
}

func (m *model) readVersion() error {
	v, err := m.ints(nil)
	if err == nil && (len(v) != 3 || min(v[0], v[1], v[2]) < 0) {
		err = m.fail("version %v is not three numbers", excerpt(v))
	}
	copy(m.version[:], v)
	return err
}

func (m *model) learner() error {
	config := func() error { m.config = true; return m.skip() }
	return m.fieldsOf("the learner", []field{
		{key: "attributes", read: m.attributes},
		{key: "feature_names", read: m.strings(&m.featureNames)},
		{key: "feature_types", read: m.strings(&m.featureTypes)},
		{key: "gradient_booster", read: m.gradientBooster},
		{key: "learner_model_param", read: m.modelParam},
		{key: "objective", read: m.readObjective},
		{key: "learner_train_param", read: config},
		{key: "generic_param", read: config},
	})
}

func (m *model) attributes() error {
	return m.fieldsOf("the attributes", []field{
		{key: "best_iteration", read: m.str(&m.bestIteration)},
		{key: "scikit_learn", read: m.scikitLearn},
	})
}

func (m *model) readObjective() error {
	return m.fieldsOf("the objective", []field{
		{key: "name", read: m.str(&m.objective), required: true},
	})
}

func (m *model) modelParam() error {
	return m.fieldsOf("learner_model_param", []field{
		{key: "base_score", read: m.readBaseScore, required: true},
		{key: "boost_from_average", read: func() error {
			n, err := m.number("boost_from_average", 0)
			m.boostFromAverage = n != 0
			return err
		}},
		{key: "num_class", read: m.count(&m.numClass, "num_class", 0)},
		{key: "num_feature", read: m.count(&m.numFeature, "num_feature", 1), required: true},
		{key: "num_target", read: m.count(&m.numTarget, "num_target", 0)},
	})
}

// readBaseScore reads one number or, from 3.1, an array of numbers inside a string
// (dmlc/xgboost:src/common/param_array.cc, which takes parentheses too).
func (m *model) readBaseScore() error {
	text, err := m.text()
	if err != nil {
		return err
	}
	list := strings.TrimSpace(text)
	for _, brackets := range [2]string{"[]", "()"} {
		if strings.HasPrefix(list, brackets[:1]) && strings.HasSuffix(list, brackets[1:]) {
			list = strings.Trim(list, brackets)
			break
		}
	}
	m.baseScore = nil
	for number := range strings.SplitSeq(list, ",") {
		b, ok := parseFloat([]byte(strings.TrimSpace(number)))
		if !ok || b-b != 0 {
			return m.fail("base_score %.40q is not a finite number", text)
		}
		m.baseScore = append(m.baseScore, b)
	}
	return nil
}

// gradientBooster reads a booster of any kind. DART has had three layouts: up to
// 3.2 a gbtree inside, with the weights beside it; in 3.3 the weights beside the
// model; from 3.4 the weights inside the model (dmlc/xgboost:src/gbm/gbtree.cc).
func (m *model) gradientBooster() error {
	return m.fieldsOf("the booster", []field{
		{key: "name", read: m.str(&m.booster), required: true},
		{key: "model", read: m.boosterModel},
		{key: "gbtree", read: func() error {
			return m.fieldsOf("the gbtree of a dart booster", []field{{key: "model", read: m.boosterModel}})
		}},
		{key: "weight_drop", read: m.readWeightDrop},
	})
}

func (m *model) boosterModel() error {
	if m.hasModel {
		return m.fail("a second model in the booster")
	}
	m.hasModel = true
	return m.fieldsOf("the booster's model", []field{
		{key: "gbtree_model_param", read: m.treeModelParam},
		{key: "trees", read: m.readTrees},
		{key: "tree_info", read: func() (err error) { m.treeInfo, err = m.ints(m.treeInfo); return err }},
		{key: "iteration_indptr", read: func() (err error) { m.indptr, err = m.ints(m.indptr); return err }},
		{key: "cats", read: m.readCategories},
		{key: "weight_drop", read: m.readWeightDrop},
		{key: "weights", read: func() (err error) { m.hasLinear = true; m.linear, err = m.floats(m.linear); return err }},
		{key: "boosted_rounds", read: m.count(&m.boostedRounds, "boosted_rounds", 0)},
	})
}

func (m *model) readTrees() error {
	m.hasTrees = true
	if m.withoutTrees {
		return m.skip()
	}
	return m.trees.readAll()
}

func (m *model) treeModelParam() error {
	return m.fieldsOf("gbtree_model_param", []field{
		{key: "num_trees", read: m.count(&m.numTrees, "num_trees", 0)},
		{key: "num_parallel_tree", read: m.count(&m.numParallel, "num_parallel_tree", 0)},
	})
}

func (m *model) readWeightDrop() (err error) {
	if m.hasWeightDrop {
		return m.fail("a second weight_drop in the booster")
	}
	m.hasWeightDrop = true
	m.weightDrop, err = m.floats(nil)
	return err
}

// number reads an integer, which XGBoost writes as a string mostly.
func (m *model) number(name string, least int64) (int64, error) {
	text, err := m.text()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, m.fail("%s %.40q is not a 32-bit integer", name, text)
	}
	if n < least {
		return 0, m.fail("%s is %d, want at least %d", name, n, least)
	}
	return n, nil
}

func (m *model) count(dst *int, name string, least int64) func() error {
	return func() error {
		n, err := m.number(name, least)
		*dst = int(n)
		return err
	}
}

func (m *model) str(dst *string) func() error {
	return func() (err error) { *dst, err = m.text(); return err }
}

func (m *model) strings(dst *[]string) func() error {
	return func() error {
		return m.array(func() error {
			s, err := m.text()
			*dst = append(*dst, s)
			return err
		})
	}
}

func (m *model) warn(format string, args ...any) {
	m.warnings = append(m.warnings, fault.Formatf(format, args...).Error())
}

// outputs returns the number of margins of a row
// (dmlc/xgboost:src/learner.cc, LearnerModelParam).
func (m *model) outputs() int { return max(m.numClass, m.numTarget, 1) }
