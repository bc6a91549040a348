//go:build amd64 && !purego

package kernel

//go:generate go -C internal/gen run ./rank -out ../../rank_amd64.s -stubs ../../rank_amd64.go -pkg kernel

const rankVectors = true
