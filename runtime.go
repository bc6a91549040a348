// Package hew holds what the programs that hew builds carry: the sources of the
// run-time packages, embedded here so that the hew command can copy them into a
// project from wherever it runs.
package hew

import "embed"

// Version is the version of hew that generated code and servers name.
const Version = "0.1.0"

// Runtime holds the sources of the packages that generated programs link, tests
// included, and the go.mod and go.sum that name their dependencies' versions.
//
//go:embed go.mod go.sum LICENSE
//go:embed internal/nearest/*.go predict/*.go serve serve/grpc bench/measure/*.go bench/worker/*.go
var Runtime embed.FS
