package serve

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"

	"hew/internal/nearest"
	"hew/predict"
)

// Limits bound what one request may ask for, in every front end.
type Limits struct {
	MaxBody int64 // bytes of a request's body, unpacked, and of an answer's numbers
	MaxRows int   // rows in a request
}

// Models are the models that a server serves, in order; the first one is the
// default. They carry what all front ends share.
type Models struct {
	Limits
	Log     *Log
	Metrics *Metrics

	list     []*Model
	draining atomic.Bool
}

// NewModels returns the registry of the given predictors; log may be nil. Several may have one
// name and differ in version; the first of them answers a request without one.
func NewModels(limits Limits, log *Log, predictors ...predict.Predictor) (*Models, error) {
	if len(predictors) == 0 {
		return nil, errors.New("no model to serve")
	}
	m := &Models{Limits: limits, Log: log, Metrics: newMetrics()}
	for _, p := range predictors {
		model, err := newModel(m, p)
		if err != nil {
			return nil, fmt.Errorf("model %q: %w", p.Name, err)
		}
		for _, other := range m.list {
			if other.Name == p.Name && other.Version == p.Version {
				return nil, fmt.Errorf("two models are named %q in version %q", p.Name, p.Version)
			}
		}
		m.list = append(m.list, model)
	}
	return m, nil
}

// All returns all models in order.
func (m *Models) All() []*Model { return m.list }

// Versions returns the versions of the model with the given name.
func (m *Models) Versions(name string) []string {
	var versions []string
	for _, model := range m.list {
		if model.Name == name {
			versions = append(versions, model.Version)
		}
	}
	return versions
}

// Lookup returns a model. An empty name means the first model, an empty version
// the first one of that name. The error is an *Error.
func (m *Models) Lookup(name, version string) (*Model, error) {
	if name == "" {
		name = m.list[0].Name
	}
	known := false
	for _, model := range m.list {
		if model.Name != name {
			continue
		}
		if version == "" || model.Version == version {
			return model, nil
		}
		known = true
	}
	if known {
		return nil, Errorf(http.StatusNotFound, "model %q has no version %q (it has %s)", name, version, strings.Join(m.Versions(name), ", "))
	}
	names := make([]string, len(m.list))
	for i, model := range m.list {
		names[i] = model.Name
	}
	return nil, Errorf(http.StatusNotFound, "unknown model %q%s", name, nearest.Hint(name, names))
}

// Ready reports whether the server wants requests. It answers them in any case:
// a server that is about to stop is not ready, and finishes what still comes.
func (m *Models) Ready() bool { return !m.draining.Load() }

// Panicked turns what a front end recovered from into the answer to the
// request. It logs the stack and counts, so that nothing is swallowed.
func (m *Models) Panicked(where string, v any) *Error {
	m.Metrics.panics.Add(1)
	m.Log.Error("panic", "where", where, "value", fmt.Sprint(v), "stack", string(debug.Stack()))
	return Errorf(http.StatusInternalServerError, "internal error")
}

// An Error is a request's refusal, with the HTTP status that says who is at
// fault. Front ends of other protocols map the status to their own codes: 400,
// 404, 413, 499 (the client went away), 500, 501, 503 and 504 occur.
type Error struct {
	Status int
	Text   string
}

func (e *Error) Error() string { return e.Text }

// Errorf returns an error with a status and a formatted text.
func Errorf(status int, format string, args ...any) *Error {
	return &Error{status, fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) *Error {
	return Errorf(http.StatusBadRequest, format, args...)
}
