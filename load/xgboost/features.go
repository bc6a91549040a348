package xgboost

import (
	"strconv"
	"strings"

	"hew/ir"
	"hew/load/internal/fault"
)

// features returns the columns of a row with what the file says about them.
func (m *model) features() ([]ir.Feature, error) {
	for _, c := range []struct {
		key  string
		size int
	}{{"feature_names", len(m.featureNames)}, {"feature_types", len(m.featureTypes)}, {"cats.enc", len(m.categories)}} {
		if c.size != 0 && c.size != m.numFeature {
			return nil, fault.Formatf("%s has %d entries for %d features", c.key, c.size, m.numFeature)
		}
	}
	features := make([]ir.Feature, m.numFeature)
	for j, name := range m.names() {
		f := &features[j]
		f.Name = name
		if len(m.featureTypes) > 0 {
			f.Type = m.featureType(j)
		}
		categories, ok := m.categoriesOf(j)
		if !ok {
			m.warn("the names of the categories of feature %q are garbled, as XGBoost before 3.4 writes names that are not ASCII; only their codes are known", name)
		}
		if len(categories) > 0 {
			f.Categories = categories
		}
		if len(categories) > 0 || !ok {
			f.Type = ir.Categorical
		}
	}
	m.markCategorical(features)
	return features, nil
}

// names returns the names of the features, f0, f1 and so on if the file has none.
// These share one string.
func (m *model) names() []string {
	names := m.featureNames
	if len(names) == 0 {
		var b strings.Builder
		ends := make([]int, m.numFeature)
		for j := range ends {
			b.WriteByte('f')
			b.WriteString(strconv.Itoa(j))
			ends[j] = b.Len()
		}
		names = make([]string, m.numFeature)
		begin := 0
		for j, end := range ends {
			names[j] = b.String()[begin:end]
			begin = end
		}
	}
	for j, name := range names {
		if name == "" {
			names[j] = "f" + strconv.Itoa(j)
			m.warn("feature %d has an empty name; it is called %s", j, names[j])
		}
	}
	return names
}

// featureType maps XGBoost's letters: q is a quantity, i an indicator, c a category
// (dmlc/xgboost:src/data/data.cc, LoadFeatureType).
func (m *model) featureType(j int) ir.FeatureType {
	switch t := m.featureTypes[j]; t {
	case "int":
		return ir.Int
	case "i":
		return ir.Bool
	case "c":
		return ir.Categorical
	case "float", "q":
		return ir.Float
	default:
		m.warn("feature %d is of unknown type %.20q and taken for a float", j, t)
		return ir.Float
	}
}

// markCategorical types features that trees test for categories, for files without
// types.
func (m *model) markCategorical(features []ir.Feature) {
	if len(m.trees.sets.lists) == 0 || len(m.featureTypes) > 0 {
		return
	}
	for i := range m.trees.trees {
		for _, n := range m.trees.trees[i].Nodes {
			if !n.IsLeaf() && n.Set != ir.NoSet && int(n.Feature) < len(features) {
				features[n.Feature].Type = ir.Categorical
			}
		}
	}
}

// scikitLearn reads the attribute in which XGBClassifier kept what the booster does
// not know, among it the class labels
// (dmlc/xgboost:python-package/xgboost/sklearn.py, save_model, up to 2.0). It is a
// JSON document inside a string. The labels are an extra: if they cannot be read,
// that is a warning.
func (m *model) scikitLearn() error {
	text, err := m.text()
	if err != nil {
		return err
	}
	inner := newModel(newJSON(strings.NewReader(text)))
	var labels, encoded []string
	err = inner.fieldsOf("scikit_learn", []field{
		{key: "classes_", read: inner.strings(&labels)},
		{key: "_le", read: func() error {
			return inner.fieldsOf("_le", []field{{key: "classes_", read: inner.strings(&encoded)}})
		}},
	})
	if err != nil {
		m.warn("the attribute scikit_learn is no JSON object; class labels are unknown")
		return nil
	}
	if m.labels = encoded; len(encoded) == 0 {
		m.labels = labels
	}
	return nil
}

func (m *model) finishLabels(e *ir.Ensemble) {
	if len(m.labels) == 0 || e.Task != ir.Classification {
		return
	}
	if want := max(e.Outputs, 2); len(m.labels) != want {
		m.warn("%d class labels for %d classes; they are left out", len(m.labels), want)
		return
	}
	e.Classes = m.labels
}
