// Package inference is the generated code of the Open Inference Protocol (V2)
// over gRPC, as inference.proto declares it.
package inference
