package page

import (
	"strings"
)

// compact leaves out of a script what only its readers need: comments that
// begin with two slashes, indents, empty lines, line breaks within statements
// and blocks, and blanks around signs. Strings, templates and regular expressions stay as they are.
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

// signs are what needs no blanks around it. A line break stays after all but
// an opening bracket, a comma or a semicolon, since it may end a statement.
const signs = "{}()[];,:=<>*%&|?!/+-"

// add adds a line without the blanks that nothing needs.
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

// needless reports whether a blank before next is not needed: it is where it
// keeps two signs of one kind from being read as one.
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

// beginsPattern reports whether a slash here begins a regular expression and
// is no division: there is no number before it that could be divided.
func (c *compactor) beginsPattern() bool {
	return len(c.out) > 0 && strings.IndexByte("(,=:?!&|{[;\n", c.out[len(c.out)-1]) >= 0
}

// literalEnd returns where the string, template or regular expression ends
// that begins at i. What stands in a template between ${ and } may hold others.
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

// expressionEnd returns the place of the brace that ends an expression in a
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

// compactStyle is compact for a style sheet, where a line break is a blank. In
// its selectors a blank before a colon or a bracket has a meaning.
func compactStyle(source string) string {
	var b strings.Builder
	for line := range strings.Lines(source) {
		b.WriteString(strings.TrimSpace(line))
	}
	return styleBlanks.Replace(b.String())
}

var styleBlanks = strings.NewReplacer(": ", ":", ", ", ",", " { ", "{", " {", "{", "{ ", "{", "; ", ";", ";}", "}", "; }", "}", " }", "}")
