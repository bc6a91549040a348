package kernel

import (
	"embed"
	"io/fs"
	"strings"
)

// Tests are among them: a pattern cannot leave them out, and a list of names would
// have to be kept.
//
//go:embed *.go *.s
var sources embed.FS

// Source returns the Go and assembly files that a package needs to have a Decode
// and an Engine of its own, by name. Generated packages carry them; they come with
// encoded tables and never encode any.
func Source() map[string][]byte {
	files := map[string][]byte{}
	names, err := fs.Glob(sources, "*")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || name == "source.go" || name == "encode.go" {
			continue
		}
		data, err := sources.ReadFile(name)
		if err != nil {
			panic(err)
		}
		files[name] = data
	}
	return files
}
