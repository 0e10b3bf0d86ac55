package page

import (
	"strings"
)

// compact removes from a script what only its readers need: // comments,
// indentation, empty lines, line breaks within statements and blocks, and
// spaces around punctuation. Strings, templates and regular expressions stay as
// they are.
func compact(source string) string {
	c := compactor{}
	for line := range strings.Lines(source) {
		before := len(c.out)
		c.add(strings.TrimSpace(line))
		if len(c.out) > before && strings.IndexByte("{([,;", c.out[len(c.out)-1]) < 0 {
			c.out = append(c.out, '\n')
		}
	}
	return string(c.out)
}

type compactor struct{ out []byte }

// signs need no spaces around them. A line break stays except after an opening
// bracket, a comma or a semicolon, since it may end a statement.
const signs = "{}()[];,:=<>*%&|?!/+-"

// add adds a line without unneeded spaces.
func (c *compactor) add(line string) {
	for i := 0; i < len(line); i++ {
		switch ch := line[i]; {
		case strings.HasPrefix(line[i:], "//"):
			return
		case ch == '"' || ch == '\'' || ch == '`' || ch == '/' && c.beginsPattern():
			end := literalEnd(line, i)
			c.out = append(c.out, line[i:end]...)
			i = end - 1
		case ch == ' ' && (c.needless(line[i+1]) || strings.HasPrefix(line[i+1:], "//")):
		default:
			c.out = append(c.out, ch)
		}
	}
}

// needless reports whether a space before next can be removed: it cannot if two
// equal signs would then be read as one.
func (c *compactor) needless(next byte) bool {
	if len(c.out) == 0 {
		return true
	}
	last := c.out[len(c.out)-1]
	if strings.IndexByte("+-/", last) >= 0 && strings.IndexByte("+-/", next) >= 0 {
		return false
	}
	return strings.IndexByte(signs, last) >= 0 || strings.IndexByte(signs, next) >= 0
}

// beginsPattern reports whether a slash here begins a regular expression and is
// not a division: there is no operand before it.
func (c *compactor) beginsPattern() bool {
	return len(c.out) > 0 && strings.IndexByte("(,=:?!&|{[;\n", c.out[len(c.out)-1]) >= 0
}

// literalEnd returns the end of the string, template or regular expression that
// begins at i. An expression in a template, between ${ and }, may contain
// others.
func literalEnd(line string, i int) int {
	quote := line[i]
	for i++; i < len(line); i++ {
		switch {
		case line[i] == '\\':
			i++
		case quote == '/' && line[i] == '[':
			for i++; i < len(line) && line[i] != ']'; i++ {
				if line[i] == '\\' {
					i++
				}
			}
		case quote == '`' && strings.HasPrefix(line[i:], "${"):
			i = expressionEnd(line, i+2)
		case line[i] == quote:
			return i + 1
		}
	}
	return len(line)
}

// expressionEnd returns the index of the brace that ends an expression in a
// template.
func expressionEnd(line string, i int) int {
	for depth := 1; i < len(line); i++ {
		switch line[i] {
		case '"', '\'', '`':
			i = literalEnd(line, i) - 1
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(line)
}

// compactStyle is compact for a style sheet, where a line break is a space. In
// selectors a space before a colon or a bracket is significant.
func compactStyle(source string) string {
	var b strings.Builder
	for line := range strings.Lines(source) {
		b.WriteString(strings.TrimSpace(line))
	}
	return styleBlanks.Replace(b.String())
}

var styleBlanks = strings.NewReplacer(": ", ":", ", ", ",", " { ", "{", " {", "{", "{ ", "{", "; ", ";", ";}", "}", "; }", "}", " }", "}")
