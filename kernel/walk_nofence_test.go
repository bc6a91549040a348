//go:build !unix

package kernel

import "testing"

func walkFenced[T any](_ *testing.T, s []T) []T { return s }
