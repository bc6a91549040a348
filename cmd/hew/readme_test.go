package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/kernel"
)

var update = flag.Bool("update", false, "rewrite the outputs in README.md")

const readme = "../../README.md"

// golden holds the recorded models.
const golden = "../../testdata/golden-xgboost"

// TestREADME runs the commands in the console blocks of README.md from the root
// of the repository and compares what they print with what it says. What they
// write to bin goes to a temporary directory. The Go code that it shows must be
// what hew compile wrote.
func TestREADME(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs")
	}
	data, err := os.ReadFile(readme)
	require.NoError(t, err)
	bin := t.TempDir()
	t.Chdir("../..")
	var got strings.Builder
	commands := 0
	inConsole, skipping := false, false
	for line := range strings.Lines(string(data)) {
		switch {
		case strings.HasPrefix(line, "```"):
			inConsole, skipping = strings.HasPrefix(line, "```console"), false
		case inConsole && strings.HasPrefix(line, "$ hew "):
			commands++
			got.WriteString(line)
			got.WriteString(runLine(t, strings.TrimSpace(line[len("$ hew "):]), bin))
			skipping = true
			continue
		}
		if !skipping {
			got.WriteString(line)
		}
	}
	require.Equal(t, 7, commands)
	text := showCode(t, got.String(), filepath.Join(bin, "cover", "trees_000.go"))
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(text), 0o666))
	}
	require.Equal(t, everywhere(text), everywhere(string(data)), "run go test ./cmd/hew -run README -update and read the difference")
}

// runLine runs a command of the README and returns what it prints.
func runLine(t *testing.T, line, bin string) string {
	args := strings.Fields(line)
	for i, a := range args {
		if rest, ok := strings.CutPrefix(a, "bin/"); ok {
			args[i] = filepath.Join(bin, rest)
		}
	}
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, run(context.Background(), args, strings.NewReader(""), &stdout, &stderr), "hew %s: %s", line, stderr.String())
	return stdout.String()
}

// level matches the lines that say what a processor has for a model.
var level = regexp.MustCompile(`(?m)^(plan +engine|simd) .*\n`)

// everywhere returns text without what it says of other processors than this one.
// README.md is written where there is AVX-512.
func everywhere(text string) string {
	if cpu := kernel.ThisCPU(); cpu.VBMI && cpu.GFNI {
		return text
	}
	return level.ReplaceAllString(text, "")
}

// showCode replaces the Go code that shows a tree by the first tree of a file.
func showCode(t *testing.T, text, file string) string {
	code, err := os.ReadFile(file)
	require.NoError(t, err)
	begin := strings.Index(string(code), "func tree0(")
	end := begin + strings.Index(string(code[begin:]), "\n}\n") + len("\n}\n")
	const fence = "```go\nfunc tree0("
	at := strings.Index(text, fence)
	require.Positive(t, at, "README.md shows no tree")
	rest := text[at+len("```go\n"):]
	return text[:at] + "```go\n" + string(code[begin:end]) + rest[strings.Index(rest, "```"):]
}
