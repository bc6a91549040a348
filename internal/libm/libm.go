// Package libm computes exponentials and logarithms with the bits of glibc.
//
// Trainers transform margins with the C library, and its results differ from
// those of package math, and from correctly rounded ones, in the last bit. A
// link that is to give the trainer's own bits must repeat the C library's
// arithmetic. The reference is glibc 2.36 on x86-64 with fused multiply-add.
//
// Each function stands in a file of its own name that needs nothing but package
// math, so that generated packages can carry it: Source returns that file.
package libm

import (
	"embed"
	"fmt"
)

//go:embed cbrt.go exp.go expf.go expm1.go expm1f.go log.go log10.go log1p.go log1pf.go log2.go logf.go ndtri.go pow.go tanh.go
var sources embed.FS

// Source returns the Go source of a function by its file's name without the
// suffix: cbrt, exp, expf, expm1, expm1f, log, log10, log1p, log1pf, log2, logf, ndtri,
// pow or tanh. It panics for another name. The unexported names in it begin with that
// name, so that several sources fit into one package; pow needs exp beside it, tanh
// expm1, log10 and ndtri log.
func Source(name string) []byte {
	b, err := sources.ReadFile(name + ".go")
	if err != nil {
		panic(fmt.Sprintf("libm: no source of %q", name))
	}
	return b
}
