package codegen

import (
	"fmt"
	"strings"
	"unicode"
)

// A namer makes exported Go identifiers that differ from each other.
type namer map[string]bool

// reserve takes names that identifiers may not have.
func (n namer) reserve(names ...string) {
	for _, name := range names {
		n[name] = true
	}
}

// exported returns an identifier for text that n has not given before: its
// words, capitalised and joined. Text without any letter or digit becomes
// otherwise. A name that is taken gets a number.
func (n namer) exported(text, otherwise string) string {
	name := camel(text)
	if name == "" {
		name = otherwise
	}
	if r := []rune(name)[0]; !unicode.IsUpper(r) {
		name = "X" + name // a digit, or a letter of a script without capitals
	}
	unique := name
	for i := 2; n[unique]; i++ {
		unique = fmt.Sprintf("%s%d", name, i)
	}
	n[unique] = true
	return unique
}

// camel joins the words of text, each with a capital.
func camel(text string) string {
	var b strings.Builder
	start := true
	for _, r := range text {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			start = true
			continue
		case start:
			r = unicode.ToUpper(r)
		}
		start = false
		b.WriteRune(r)
	}
	return b.String()
}
