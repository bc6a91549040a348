// Package quantize narrows the numbers of an ensemble.
//
// Rank is exact: it turns each comparison of numbers into one of bytes that
// decides the same for every value.
package quantize
