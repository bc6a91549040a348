// Package quantize narrows the numbers of an ensemble.
//
// Rank is exact: it turns each comparison of numbers into one of bytes that
// decides the same for every value.
//
// The passes of Options are lossy. They give splits other thresholds and leaves other
// values, of narrower types or fewer of them, and leave everything else as it is:
// the trees keep their shape. Each certifies how far it may have moved the margins
// (package lossy); move.go and leaves.go say how.
package quantize
