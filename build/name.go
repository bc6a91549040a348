package build

import (
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// ModelName returns the name under which a model file is served: its base name
// without extension; "model" for standard input.
func ModelName(file string) string {
	base := filepath.Base(file)
	name := strings.TrimSuffix(base, filepath.Ext(base))
	if name == "" || name == "." || name == "-" || name == string(filepath.Separator) {
		return "model"
	}
	return name
}

// PackageName returns a Go package name for a name of anything: its ASCII
// letters and digits in lower case, after "model" if it begins with a digit or
// is a word of the language.
func PackageName(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			b.WriteRune(r)
		}
	}
	pkg := b.String()
	if !token.IsIdentifier(pkg) || reserved[pkg] {
		return "model" + pkg
	}
	return pkg
}

// reserved are names that a package of a project can't have: the program's own
// package and imports, words that models.go uses, and what the go command treats
// specially.
var reserved = map[string]bool{
	"main": true, "os": true, "predict": true, "serve": true, "grpc": true, "worker": true, "models": true,
	"internal": true, "testdata": true, "vendor": true, "init": true, "string": true, "nil": true, "true": true, "false": true,
}

// ProgramName returns a module path for the program that becomes the file out.
func ProgramName(out string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(ModelName(out)) {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '_' {
			b.WriteRune(r)
		}
	}
	switch name := strings.Trim(b.String(), "-_"); {
	case name == "" || reserved[name]:
		return "server"
	case slices.Contains(standard, name):
		return name + "-server"
	default:
		return name
	}
}

// standard are the first elements of the standard library's import paths and the
// names that mean something else to the go command; a module of such a path does
// not build.
var standard = strings.Fields(`
	all archive arena bufio builtin bytes cmd cmp compress con container context crypto database debug embed encoding errors
	expvar flag fmt go hash html image index io iter log maps math mime net os path plugin reflect regexp runtime simd
	slices sort std strconv strings structs sync syscall testing text time tool unicode unique unsafe uuid weak work`)
