//go:build race

package kernel

// raceDetector says that tests run with it: a sync.Pool then drops things at random.
const raceDetector = true
