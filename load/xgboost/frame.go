package xgboost

import (
	"bytes"
	"slices"
)

// A Frame is a document without its trees: what stays the same when others are put in
// their place.
type Frame struct {
	// Root is the document. In place of the trees stands nil.
	Root Object

	Booster   string    // gbtree, dart or gblinear
	Version   [3]int32  // of the XGBoost that wrote it
	BaseScore []float32 // in the space of predictions
	Estimate  bool      // boost_from_average: a model without trees forgets BaseScore

	// Parallel is the number of parallel trees of a round as stated, or -1; Rounds that
	// of a linear model.
	Parallel, Rounds int

	model *model
}

// An Object is an object of a document, its members in order.
type Object []Member

// A Member is a key of an object with its value: an Object, []any, string, bool, nil,
// int64, float32, Ints or Floats.
type Member struct {
	Key   string
	Value any
}

// Ints is an array of integers that UBJSON writes with the type of its elements.
type Ints struct {
	Type   byte // a marker of UBJSON: i, U, I, l or L
	Values []int64
}

// Floats is an array of floats that UBJSON writes with the type of its elements.
type Floats struct {
	Type   byte // d or D
	Values []float64
}

// Get returns the value of a key, or nil.
func (o Object) Get(key string) any {
	if i := o.index(key); i >= 0 {
		return o[i].Value
	}
	return nil
}

// Set returns o with a value for a key, in the key's place or, for a new key, last.
func (o Object) Set(key string, value any) Object {
	if i := o.index(key); i >= 0 {
		o[i].Value = value
		return o
	}
	return append(o, Member{key, value})
}

// Without returns o without the given keys.
func (o Object) Without(keys ...string) Object {
	return slices.DeleteFunc(o, func(m Member) bool { return slices.Contains(keys, m.Key) })
}

func (o Object) index(key string) int {
	return slices.IndexFunc(o, func(m Member) bool { return m.Key == key })
}

// ReadFrame reads the frame of a model that Booster.save_model wrote, as JSON or
// UBJSON. What it checks of the model are the parts and their kinds; the trees are not
// looked at.
func ReadFrame(data []byte) (*Frame, error) {
	open := func() document {
		if begin := bytes.TrimLeft(data, " \t\r\n"); len(begin) > 1 && begin[0] == '{' && bytes.IndexByte([]byte("LlIiU"), begin[1]) >= 0 {
			return newUBJSON(bytes.NewReader(data))
		}
		return newJSON(bytes.NewReader(data))
	}
	m := newModel(open())
	m.withoutTrees = true
	if err := m.readDocument(); err != nil {
		return nil, err
	}
	if err := m.checkParts(); err != nil {
		return nil, err
	}
	root, err := readFrame(open(), "")
	if err != nil {
		return nil, err
	}
	return &Frame{
		Root: root, Booster: m.booster, Version: m.version, BaseScore: m.baseScore, Estimate: m.boostFromAverage,
		Parallel: m.numParallel, Rounds: m.boostedRounds, model: m,
	}, nil
}

// onTheWay holds the objects on the way to the trees, by their keys and that of the
// object around them.
var onTheWay = map[[2]string]bool{
	{"", "learner"}: true, {"learner", "gradient_booster"}: true, {"gradient_booster", "gbtree"}: true,
	{"gradient_booster", "model"}: true, {"gbtree", "model"}: true,
}

// readFrame reads the object of a key that is on the way.
func readFrame(d document, key string) (o Object, err error) {
	err = d.object(func(k []byte) error {
		m := Member{Key: string(k)}
		var err error
		switch {
		case key == "model" && m.Key == "trees":
			err = d.skip()
		case onTheWay[[2]string{key, m.Key}]:
			m.Value, err = readFrame(d, m.Key)
		default:
			m.Value, err = d.value(0)
		}
		o = append(o, m)
		return err
	})
	return o, err
}

// Outputs returns the number of margins of a row.
func (f *Frame) Outputs() int { return f.model.outputs() }

// Objective returns the name of the objective.
func (f *Frame) Objective() string { return f.model.objective }

// Features returns the number of features.
func (f *Frame) Features() int { return f.model.numFeature }

// Margins returns the margins at which XGBoost of the given version starts if the model
// states the given base scores, one or one for each output.
func (f *Frame) Margins(of [3]int32, scores []float32) ([]float64, error) {
	m := *f.model
	m.version, m.baseScore = of, scores
	m.boostFromAverage = false // it is a trained model, or the user's base score
	o, err := findObjective(m.objective, m.version)
	if err != nil {
		return nil, err
	}
	return m.baseMargins(o)
}

// readObject reads an object that is nested in depth others.
func readObject(d document, depth int) (Object, error) {
	o := Object{}
	err := d.object(func(key []byte) error {
		m := Member{Key: string(key)}
		var err error
		m.Value, err = d.value(depth + 1)
		o = append(o, m)
		return err
	})
	return o, err
}

// readArray reads an array that is nested in depth others.
func readArray(d document, depth int) ([]any, error) {
	a := []any{}
	err := d.array(func() error {
		v, err := d.value(depth + 1)
		a = append(a, v)
		return err
	})
	return a, err
}

// nested returns the error for a value that is nested too deep.
func nested(d document) error { return d.fail("nested deeper than %d", maxDepth) }
