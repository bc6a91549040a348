package grpc_test

// The directive stands here because the servers that hew builds carry this
// package without its tests and without the generator.
//
//go:generate go -C ../../internal/gen/proto run . -module hew/serve/grpc/proto ../../../serve/grpc/proto
