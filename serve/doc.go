// Package serve exposes predictors over HTTP, and over other front ends that
// plug into it.
//
// Main is a whole built server: flags, environment, listening, draining. Run, its
// second half, is what hew serve calls. Below them stand three parts:
//
//   - Models, the registry of what is served, with the limits and the metrics
//     that all front ends share. Model.Score is the only place where a row meets
//     a predictor; batching and caching have their place there.
//   - the REST front end: the plain service (/health, /predict, /batch_predict),
//     the Open Inference Protocol V2 (/v2/…) and /metrics.
//   - Front, a front end that listens on a port of its own, such as serve/grpc.
//     It is apart so that a REST binary does not link it.
//
// # Rows
//
// A row is an array with one value per feature, in column order, or an object
// with one member per feature. All features must be there: a missing value is
// null, so that a misspelt or forgotten name is never taken for one. NaN,
// Infinity and -Infinity are accepted as bare tokens and as strings. A
// categorical feature takes the text of a category, if the model knows it, or
// the code. A text that is no category is refused, unless the trainer takes
// those too; its code is then -1.
//
// A number is rounded once, to the type in which the model takes rows, float32 or
// float64; one that does not fit is refused. So is a row with a value for which
// the trainer itself reports an error, such as a missing value in a scikit-learn
// model that was trained without any: the answer names row, feature and reason.
//
// # The plain service
//
//	POST /predict        a row, or {"features": row}
//	  {"model":"churn","version":"1","prediction":0.83,"label":"yes"}
//	POST /batch_predict  an array of rows, or {"rows": […]} or {"instances": […]}
//	  {"model":"churn","version":"1","predictions":[0.83,0.1],"labels":["yes","no"]}
//
// A prediction is what the trainer's predict gives: a number, or an array of
// numbers if the model has several outputs. label is there if the model is a
// classifier that names its classes. ?model=name picks another model than the
// first one, ?version=v another version.
//
// The predict of a scikit-learn classifier gives labels. Then a prediction is a
// label in its own type, text, number or boolean, label is the same as text, and a
// third member holds what the model computes first: probabilities, in the order of
// the classes, or else decision or score (decisions and scores of a batch):
//
//	{"model":"iris","version":"1","prediction":2,"probabilities":[0,0.1,0.9],"label":"2"}
//	{"model":"iris","version":"1","predictions":[2],"probabilities":[[0,0.1,0.9]],"labels":["2"]}
//
// With several outputs prediction and label are arrays, and probabilities has those
// of all outputs, one after the other.
//
// # V2
//
// The input tensor is called input-0 and holds rows × features values; or there
// is one tensor per feature, with its name and one value per row. Any datatype
// will do; FP32 for a model of float64 is widened. A BYTES tensor holds the texts
// of categories, and null where one is missing. The outputs are predict, margin
// and leaf; a request that names none gets predict. Data is JSON; the binary
// tensor extension is refused with 501. NaN and the infinities are null in an
// answer.
//
// A scikit-learn model also has its answers by name: proba, decision, score and
// label, and proba_0, proba_1, … for several outputs. predict is then its label, as
// BYTES, INT64, FP64 or BOOL, or the value of a regressor; a request that names no
// outputs gets predict, and proba if there is one.
//
// # Errors
//
// Every answer that is not 2xx is a JSON object with the member "error",
// whatever went wrong; the probes of a server that is shutting down have more.
package serve
