package compile

import (
	"strings"

	"hew/interp"
	"hew/ir"
	"hew/predict"
)

// Info describes e under the given name, as version "1" of it. The caller says
// what evaluates it: Source.Engine, Exact and Hew.
func Info(e *ir.Ensemble, name string) predict.Info {
	info := predict.Info{
		Name:        name,
		Version:     "1",
		NumFeatures: len(e.Features),
		NumOutputs:  e.Link.Width(e.Outputs),
		NumMargins:  e.Outputs,
		NumTrees:    len(e.Trees),
		Features:    make([]predict.Feature, len(e.Features)),
		Task:        e.Task.String(),
		Classes:     e.Classes,
		Source: predict.Source{
			File:      e.Source.File,
			SHA256:    e.Source.SHA256,
			Format:    strings.Join(strings.Fields(e.Source.Trainer+" "+e.Source.Version+" "+e.Source.Container), " "),
			Objective: e.Source.Objective,
		},
	}
	for j, f := range e.Features {
		info.Features[j] = predict.Feature{Name: f.Name, Type: f.Type.String(), Categories: f.Categories}
	}
	return info
}

// Interp returns the reference evaluator of e as a predictor of the given name.
func Interp(e *ir.Ensemble, name string) predict.Predictor {
	m := interp.New(e)
	p := predict.Predictor{Info: Info(e, name), Predict: m.Predict, Margin: m.Margin}
	if len(e.Trees) > 0 {
		p.Leaf = m.Leaf
	}
	p.Source.Engine = "interp"
	p.Source.Exact = true
	return p
}
