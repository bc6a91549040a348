package compile

import (
	"strings"

	"hew/ir"
	"hew/kernel"
	"hew/predict"
)

// Info describes e under the given name, as version "1" of it. The caller says
// what evaluates it: Source.Engine, Exact and Hew.
func Info(e *ir.Ensemble, name string) predict.Info {
	info := predict.Info{
		Name:        name,
		Version:     "1",
		NumFeatures: len(e.Features),
		NumOutputs:  e.Width(),
		NumMargins:  e.Outputs,
		NumTrees:    len(e.Trees),
		Input:       predict.Type(e.Input.String()),
		Output:      predict.Type(e.Sum.String()),
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
		info.Features[j] = predict.Feature{
			Name: f.Name, Type: f.Type.String(), Categories: f.Categories, Open: f.Open,
			RefusesMissing: f.Refuses&ir.Missing != 0, RefusesInfinite: f.Refuses&ir.Infinite != 0,
			RefusesTooLarge: f.Refuses&ir.TooLarge != 0, RefusesNoCode: f.Refuses&ir.NoCode != 0, Accepts: f.Accepts,
		}
	}
	for _, a := range e.Answers {
		named := predict.Answer{Name: a.Name, Width: e.VectorWidth(a.Vector)}
		for _, l := range a.Labels {
			named.Labels = append(named.Labels, predict.Labels{Texts: l.Texts, Type: l.Type.String()})
		}
		info.Answers = append(info.Answers, named)
	}
	return info
}

// Interp returns the reference evaluator of e as a predictor of the given name.
func Interp(e *ir.Ensemble, name string) predict.Predictor {
	return interpreted(e, "").Predictor(name)
}

// Predictor returns a predictor of the given name for e: the named engine, with
// the instructions of cpu and but for passes named in without.
func Predictor(e *ir.Ensemble, name, engine string, cpu kernel.CPU, without ...string) (predict.Predictor, error) {
	g, err := NewEngine(e, engine, cpu, without...)
	if err != nil {
		return predict.Predictor{}, err
	}
	return g.Predictor(name), nil
}
