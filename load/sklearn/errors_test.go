package sklearn

import (
	"encoding/binary"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// golden returns the object in a case, for a test to spoil.
func golden(t *testing.T, name string) *record.Object {
	data, err := os.ReadFile("../../testdata/golden-sklearn/" + name + "/model.skops")
	require.NoError(t, err)
	v, _, err := open(data, name)
	require.NoError(t, err)
	return v.(*record.Object)
}

// put writes eight bytes into a field of a node of an array of records.
func put(t *testing.T, o *record.Object, field string, node int, bits uint64) {
	a := attr(o, "nodes").(*record.Array)
	f, err := a.DType.Field(field)
	require.NoError(t, err)
	b := make([]byte, 8)
	binary.LittleEndian.PutUint64(b, bits)
	copy(a.Data[node*a.DType.Size+f.Offset:][:f.DType.Size], b)
}

func TestSpoiledTrees(t *testing.T) {
	nan := math.Float64bits(math.NaN())
	for _, tt := range []struct {
		field string
		node  int
		bits  uint64
		want  string
	}{
		{"left_child", 0, 0, "tree 2, node 0: child 0 is not a later node of"},
		{"right_child", 1, 1, "tree 2, node 1: child 1 is not a later node of"},
		{"left_child", 0, 1 << 40, "tree 2, node 0: child 1099511627776 is not a later node of"},
		{"left_child", 0, 2, "child 2 has two parents"},
		{"feature", 0, 28, "tree 2, node 0: feature 28 of 28"},
		{"feature", 0, math.MaxUint64, "tree 2, node 0: feature -1 of 28"},
		{"threshold", 0, nan, "tree 2, node 0: threshold is NaN"},
	} {
		o := golden(t, "sklearn-1.6-rf-classifier-binary")
		trees, err := objects(o, "estimators_")
		require.NoError(t, err)
		tree, err := object(trees[2], "tree_")
		require.NoError(t, err)
		first, _ := attr(tree, "nodes").(*record.Array).Column("right_child")
		if tt.want == "child 2 has two parents" {
			tt.bits = uint64(first.Int64(0))
			tt.want = "has two parents"
		}
		put(t, tree, tt.field, tt.node, tt.bits)
		_, err = read(o, Options{})
		require.ErrorIs(t, err, fault.ErrFormat, tt.field)
		require.ErrorContains(t, err, tt.want)
	}
}

func TestSpoiledHistogram(t *testing.T) {
	for _, tt := range []struct {
		field string
		bits  uint64
		want  string
	}{
		{"left", 0, "tree 0, node 0: child 0 is not a later node of"},
		{"feature_idx", 12, "tree 0, node 0: feature 12 of 12"},
		{"num_threshold", math.Float64bits(math.NaN()), "tree 0, node 0: threshold is NaN"},
		{"bitset_idx", 1 << 20, "tree 0, node 0: set 1048576 of"},
	} {
		o := golden(t, "sklearn-1.6-hgb-classifier-categorical-binary")
		iterations, _ := itemsOf(attr(o, "_predictors"))
		predictors, _ := itemsOf(iterations[0])
		tree := predictors[0].(*record.Object)
		if tt.field == "num_threshold" {
			put(t, tree, "is_categorical", 0, 0)
		}
		if tt.field == "bitset_idx" {
			put(t, tree, "is_categorical", 0, 1)
		}
		put(t, tree, tt.field, 0, tt.bits)
		_, err := read(o, Options{})
		require.ErrorIs(t, err, fault.ErrFormat, tt.field)
		require.ErrorContains(t, err, tt.want)
	}
}

// What hew does not evaluate is refused by its name.
func TestRefusals(t *testing.T) {
	state := func(pairs ...record.Value) *record.Dict {
		d := &record.Dict{}
		for i := 0; i < len(pairs); i += 2 {
			d.Set(pairs[i], pairs[i+1])
		}
		return d
	}
	fitted := func(module, name string) *record.Object {
		return &record.Object{Class: record.Global{Module: module, Name: name},
			State: state("_sklearn_version", "1.6.1", "n_features_in_", int64(2))}
	}
	old := fitted("sklearn.tree._classes", "DecisionTreeRegressor")
	old.State = state("_sklearn_version", "0.24.2", "n_features_in_", int64(2))
	for want, o := range map[string]*record.Object{
		"sklearn.svm._classes.SVC is not an estimator that hew knows":                             fitted("sklearn.svm._classes", "SVC"),
		"sklearn.calibration.CalibratedClassifierCV is not an estimator that hew knows":           fitted("sklearn.calibration", "CalibratedClassifierCV"),
		"sklearn.compose._target.TransformedTargetRegressor is not an estimator that hew knows":   fitted("sklearn.compose._target", "TransformedTargetRegressor"),
		"lightgbm.sklearn.LGBMClassifier is not supported yet":                                    fitted("lightgbm.sklearn", "LGBMClassifier"),
		"saved by scikit-learn 0.24.2; hew reads 1.0 and later":                                   old,
		"DecisionTreeRegressor: tree_: is missing or not an object":                               fitted("sklearn.tree._classes", "DecisionTreeRegressor"),
		"XGBClassifier is not fitted: it has no booster":                                          fitted("xgboost.sklearn", "XGBClassifier"),
		"GridSearchCV has no best_estimator_; was it fitted with refit=True?":                     fitted("sklearn.model_selection._search", "GridSearchCV"),
		"sklearn.preprocessing._data.StandardScaler is not an estimator that hew knows; it reads": fitted("sklearn.preprocessing._data", "StandardScaler"),
	} {
		_, err := read(o, Options{})
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "\n")
	}
	_, err := Read([]byte("\x80\x04]q\x00."), "list.pkl", Options{})
	require.ErrorContains(t, err, "the file holds a list, not a fitted estimator")
}

// A newer version is read, with a warning.
func TestNewerVersion(t *testing.T) {
	o := golden(t, "sklearn-1.9-adaboost-regressor")
	e, err := read(o, Options{})
	require.NoError(t, err)
	require.Empty(t, e.Source.Warnings)
	o.State.(*record.Dict).Set("_sklearn_version", "1.12.0")
	e, err = read(o, Options{})
	require.NoError(t, err)
	require.Len(t, e.Source.Warnings, 1)
	require.Contains(t, e.Source.Warnings[0], "saved by scikit-learn 1.12.0, which is newer than the versions that hew knows")
}
