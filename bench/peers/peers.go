// Package peers runs the predictors of others beside hew's engines.
//
// setup.sh installs them, at pinned versions, into a directory of the user's
// cache. Each is called as its users call it, in a process of its own that speaks
// the protocol of package worker and takes the time around the call:
// python/worker.py for what Python calls, native/worker.c for what C calls.
package peers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A peer is one way to call a library.
type peer struct {
	name string

	// env is the virtual environment of the peer, or "" if it needs none.
	env string

	// call is what the worker calls the peer.
	call string

	// library is the shared library that C calls: a pattern below the packages of
	// env or, without one, below the directory of the peers. It is "" for a peer
	// that Python calls, and itself where the compiled model is the library.
	library string

	// form is what the peer reads.
	form form

	gives gives
}

const itself = "itself"

// A form is a form of the model.
type form string

const (
	modelFile  form = "file"     // what the trainer wrote
	treesText  form = "text"     // LightGBM's text
	asTreelite form = "treelite" // converted by python/prepare.py
	asONNX     form = "onnx"
	byTL2cgen  form = "tl2cgen" // compiled by python/prepare.py
	byLLeaves  form = "lleaves"
)

func (f form) compiled() bool { return f == byTL2cgen || f == byLLeaves }

// gives says which values of a row a peer gives.
type gives struct{ predictions, margins, base bool }

var (
	everything  = gives{predictions: true, margins: true, base: true}
	predictions = gives{predictions: true}
	sums        = gives{margins: true} // of leaf values: it knows neither base margins nor link
)

// all are the peers in the order of the tables.
var all = []peer{
	{"hessboost", "", "hessboost", "libhessboost_peer.so", modelFile, everything},
	{"xgboost-c", "main", "xgboost", "xgboost/lib/libxgboost.so", modelFile, everything},
	{"xgboost-py", "main", "xgboost", "", modelFile, everything},
	{"xgboost34-c", "xgboost34", "xgboost", "xgboost/lib/libxgboost.so", modelFile, everything},
	{"xgboost34-py", "xgboost34", "xgboost", "", modelFile, everything},
	{"lleaves-c", "lleaves", "lleaves", itself, byLLeaves, sums},
	{"lleaves-py", "lleaves", "lleaves", "", byLLeaves, sums},
	{"onnxruntime-py", "main", "onnxruntime", "", asONNX, predictions},
	{"lightgbm-c", "main", "lightgbm", "lightgbm/lib/lib_lightgbm.so", treesText, sums},
	{"lightgbm-py", "main", "lightgbm", "", treesText, sums},
	{"tl2cgen-c", "main", "tl2cgen", itself, byTL2cgen, everything},
	{"treelite-c", "main", "treelite", "treelite/lib/libtreelite.so", asTreelite, everything},
	{"treelite-py", "main", "treelite", "", asTreelite, everything},
}

// Names returns the names of all peers.
func Names() []string {
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = p.name
	}
	return names
}

// Dir returns where setup.sh installs the peers.
func Dir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "hew-peers"), nil
}

// ErrMissing is wrapped by errors about peers that are not installed.
var ErrMissing = errors.New("not installed; `make peers` in hew's repository installs it")

// choose returns the peers of the given names, or all of them without names.
func choose(names []string) ([]peer, error) {
	if len(names) == 0 {
		return all, nil
	}
	var chosen []peer
	for _, name := range names {
		i := slices.IndexFunc(all, func(p peer) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("unknown peer %q; there are: %s", name, strings.Join(Names(), ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// An installation is the directory that setup.sh filled.
type installation string

// python returns the interpreter of a virtual environment. The file ready is what
// setup.sh writes last.
func (dir installation) python(env string) (string, error) {
	if _, err := os.Stat(filepath.Join(string(dir), env, "ready")); err != nil {
		return "", ErrMissing
	}
	return filepath.Join(string(dir), env, "bin", "python"), nil
}

// file returns the one file below dir that fits a pattern.
func (dir installation) file(pattern ...string) (string, error) {
	found, err := filepath.Glob(filepath.Join(append([]string{string(dir)}, pattern...)...))
	if err == nil && len(found) != 1 {
		err = ErrMissing
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// command returns the program of a peer and its first arguments. made is what was
// prepared of the model.
func (dir installation) command(p *peer, made string) ([]string, error) {
	if p.env != "" {
		python, err := dir.python(p.env)
		if err != nil {
			return nil, err
		}
		if p.library == "" {
			worker, err := dir.file("worker.py")
			return []string{python, "-I", worker, p.call}, err
		}
	}
	worker, err := dir.file("worker")
	if err != nil {
		return nil, err
	}
	library := made
	switch {
	case p.library == itself:
	case p.env == "":
		library, err = dir.file(p.library)
	default:
		library, err = dir.file(p.env, "lib", "python3*", "site-packages", p.library)
	}
	return []string{worker, p.call, library}, err
}
