package graphviz_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A parsed drawing is the content of a DOT text, for tests.
type parsed struct {
	boxes  map[string]map[string]string // attributes by the id attribute
	arrows []arrow
	frames []map[string]string // the attributes of clusters, in the order in which they end
}

type arrow struct {
	from, to   string // by the id attribute
	attributes map[string]string
}

// A parser reads the part of the DOT language that the drawings use:
// statements of nodes, edges, attributes and subgraphs.
type parser struct {
	rest string
	ids  map[string]string // id attributes by node name
	out  parsed
}

// parse fails if the text is not well-formed: unterminated strings, HTML labels
// or braces, labels that are not XML, arrows to missing nodes.
func parse(text []byte) (parsed, error) {
	if !utf8.Valid(text) {
		return parsed{}, errors.New("not UTF-8")
	}
	p := parser{rest: string(text), ids: map[string]string{}, out: parsed{boxes: map[string]map[string]string{}}}
	err := p.graph()
	return p.out, err
}

func (p *parser) graph() error {
	if err := p.expect("digraph", "{"); err != nil {
		return err
	}
	if err := p.statements(map[string]string{}); err != nil {
		return err
	}
	for i, a := range p.out.arrows {
		from, to := p.ids[a.from], p.ids[a.to]
		if from == "" || to == "" {
			return fmt.Errorf("an arrow %s -> %s without a box", a.from, a.to)
		}
		p.out.arrows[i].from, p.out.arrows[i].to = from, to
	}
	if p.next(); p.rest != "" {
		return fmt.Errorf("%.20q after the graph", p.rest)
	}
	return nil
}

// statements reads up to the closing brace.
func (p *parser) statements(own map[string]string) error {
	for {
		switch p.next() {
		case '}':
			p.rest = p.rest[1:]
			return nil
		case ';':
			p.rest = p.rest[1:]
		default:
			if err := p.statement(own); err != nil {
				return err
			}
		}
	}
}

func (p *parser) statement(own map[string]string) error {
	name, err := p.end()
	if err != nil {
		return err
	}
	switch {
	case name == "subgraph":
		return p.subgraph()
	case p.next() == '=':
		p.rest = p.rest[1:]
		own[name], err = p.value()
		return err
	case strings.HasPrefix(p.rest, "->"):
		p.rest = p.rest[2:]
		to, err := p.end()
		if err != nil {
			return err
		}
		attributes, err := p.attributes()
		p.out.arrows = append(p.out.arrows, arrow{name, to, attributes})
		return err
	}
	attributes, err := p.attributes()
	p.ids[name] = attributes["id"]
	p.out.boxes[attributes["id"]] = attributes
	return err
}

func (p *parser) subgraph() error {
	if _, err := p.word(); err != nil {
		return err
	}
	if err := p.expect("{"); err != nil {
		return err
	}
	own := map[string]string{}
	err := p.statements(own)
	p.out.frames = append(p.out.frames, own)
	return err
}

func (p *parser) attributes() (map[string]string, error) {
	all := map[string]string{}
	if p.next() != '[' {
		return all, nil
	}
	for p.next() != ']' {
		p.rest = p.rest[1:] // [ or ,
		name, err := p.word()
		if err != nil {
			return nil, err
		}
		if err := p.expect("="); err != nil {
			return nil, err
		}
		if all[name], err = p.value(); err != nil {
			return nil, err
		}
		if c := p.next(); c != ',' && c != ']' {
			return nil, fmt.Errorf("%.20q after attribute %s", p.rest, name)
		}
	}
	p.rest = p.rest[1:]
	return all, nil
}

var (
	wordPattern   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	stringPattern = regexp.MustCompile(`^"(?:[^"\\\x00-\x1f]|\\["\\n])*"`)
)

func (p *parser) word() (string, error) {
	p.next()
	w := wordPattern.FindString(p.rest)
	if w == "" {
		return "", fmt.Errorf("%.20q where a word should be", p.rest)
	}
	p.rest = p.rest[len(w):]
	return w, nil
}

// end reads the end of an arrow, a word with or without a port, and returns the
// word.
func (p *parser) end() (string, error) {
	w, err := p.word()
	for err == nil && strings.HasPrefix(p.rest, ":") {
		p.rest = p.rest[1:]
		_, err = p.word()
	}
	return w, err
}

// value reads a quoted string or an HTML label, whose text it returns.
func (p *parser) value() (string, error) {
	if p.next() == '<' {
		return p.html()
	}
	s := stringPattern.FindString(p.rest)
	if s == "" {
		return "", fmt.Errorf("%.20q where a string should be", p.rest)
	}
	p.rest = p.rest[len(s):]
	return strings.NewReplacer(`\"`, `"`, `\n`, "\n").Replace(s[1 : len(s)-1]), nil
}

// html reads up to the bracket that closes the first one, as Graphviz does.
func (p *parser) html() (string, error) {
	depth := 0
	for i := range len(p.rest) {
		switch p.rest[i] {
		case '<':
			depth++
		case '>':
			depth--
		}
		if depth == 0 {
			label := p.rest[1:i]
			p.rest = p.rest[i+1:]
			return textOf(label)
		}
	}
	return "", errors.New("an HTML label does not end")
}

// textOf returns the text of an HTML label. It fails on what Graphviz rejects:
// formatting without text, unknown elements, and invalid XML.
func textOf(label string) (string, error) {
	var text strings.Builder
	var starts []int // of the text in the open elements
	d := xml.NewDecoder(strings.NewReader("<label>" + label + "</label>"))
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return strings.TrimSpace(text.String()), nil
		case err != nil:
			return "", fmt.Errorf("HTML label: %w", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if name := token.Name.Local; !strings.Contains(" label TABLE TR TD FONT B I BR ", " "+name+" ") {
				return "", fmt.Errorf("HTML label: element %s", name)
			}
			starts = append(starts, text.Len())
			if token.Name.Local == "BR" {
				text.WriteByte(' ')
			}
		case xml.EndElement:
			if start := starts[len(starts)-1]; start == text.Len() {
				return "", fmt.Errorf("HTML label: %s without text", token.Name.Local)
			}
			starts = starts[:len(starts)-1]
			if token.Name.Local == "TD" {
				text.WriteByte(' ')
			}
		case xml.CharData:
			if strings.Contains(strings.ReplaceAll(string(token), `\\`, ""), `\`) {
				return "", fmt.Errorf("HTML label: a single backslash in %q", token)
			}
			text.WriteString(strings.ReplaceAll(string(token), `\\`, `\`))
		default:
			return "", fmt.Errorf("HTML label: %T", token)
		}
	}
}

// next skips blanks and returns the character that follows, 0 at the end.
func (p *parser) next() byte {
	if p.rest = strings.TrimLeft(p.rest, " \t\n"); p.rest == "" {
		return 0
	}
	return p.rest[0]
}

func (p *parser) expect(tokens ...string) error {
	for _, token := range tokens {
		p.next()
		rest, found := strings.CutPrefix(p.rest, token)
		if !found {
			return fmt.Errorf("%.20q where %q should be", p.rest, token)
		}
		p.rest = rest
	}
	return nil
}
