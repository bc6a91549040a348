// Package prediction is the generated code of the plain prediction service, as
// prediction.proto declares it.
package prediction
