package sklearn

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"hew/load/internal/fault"
	"hew/load/sklearn/internal/pickle"
	"hew/load/sklearn/internal/record"
	"hew/load/sklearn/internal/skops"
)

// open reads the container of a model: a file of skops, a pickle, or what joblib
// writes, compressed or not. It returns the model and what the container is, such
// as "pickle protocol 4" or "joblib zlib". The model refers to data.
func open(data []byte, _ string) (v record.Value, container string, err error) {
	if bytes.HasPrefix(data, []byte("PK")) {
		v, err = skops.Read(data, allowed)
		return v, "skops", err
	}
	compression := pickle.Compressed(data)
	if compression != "" {
		if data, err = pickle.Decompress(data); err != nil {
			return nil, "", err
		}
	}
	p, err := pickle.Read(data, allowed)
	switch {
	case err == nil && compression == "":
		return p.Value, p.String(), nil
	case err == nil:
		return p.Value, p.String() + " " + compression, nil
	case compression != "":
		err = decompressed(err)
	}
	return nil, "", err
}

// decompressed says that the offset of err is not one of the file.
func decompressed(err error) error {
	var e *fault.Error
	if !errors.As(err, &e) || e.Offset < 0 {
		return err
	}
	text := fmt.Sprintf("byte %d after decompression: %v", e.Offset, e.Err)
	if errors.Is(err, fault.ErrUnsupported) {
		return fault.Unsupportedf("%s", text)
	}
	return fault.Formatf("%s", text)
}

// allowed reports whether a class or a function may be named in a model. Nothing is
// ever called; the list is there so that a file with anything else is refused with
// its name before more of it is read. What is allowed and not known is refused
// where it is met, by the reader of estimators.
func allowed(module, name string) bool {
	if strings.Contains(name, ".") { // something inside of a class
		return false
	}
	if names, ok := allowedNames[module]; ok {
		return names == "" || slices.Contains(strings.Fields(names), name)
	}
	pkg, _, _ := strings.Cut(module, ".")
	return allowedPackages[pkg]
}

// allowedPackages are those that fitted models consist of.
var allowedPackages = map[string]bool{
	"sklearn": true, "numpy": true, "scipy": true, "pandas": true, "xgboost": true, "lightgbm": true, "catboost": true,
	"_loss": true, // how Cython names sklearn._loss._loss
}

// allowedNames has the names that are allowed of other modules; "" is all of them.
var allowedNames = map[string]string{
	"builtins":    "bool bytearray bytes dict float frozenset int list object range set slice str tuple type NoneType",
	"collections": "Counter OrderedDict defaultdict deque",
	"copyreg":     "_reconstructor __newobj__",
	"functools":   "partial",
	"operator":    "attrgetter itemgetter",

	// The cache of a Pipeline.
	"joblib.memory":          "",
	"joblib.logger":          "",
	"joblib._store_backends": "",
}
