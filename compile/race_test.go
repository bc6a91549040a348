//go:build race

package compile_test

// raceDetector says that tests run with it: a sync.Pool then drops things at random.
const raceDetector = true
