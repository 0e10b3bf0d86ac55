package graphviz_test

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/graphviz"
	"nabla/internal/recording/recordingtest"
)

func mermaid(t testing.TB, root autograd.Value, grads autograd.Gradients, o graphviz.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := graphviz.WriteMermaid(&b, root, grads, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The statements in the part of Mermaid's language that the drawings use.
// Quoted texts contain nothing that Mermaid interprets.
const mermaidQuoted = `"((?:[^"#;:&<>\x60\\%(*_~$\x00-\x1f\x7f]|#[0-9]+;|<br/>)*)"`

var mermaidPatterns = map[string]*regexp.Regexp{
	"box":   regexp.MustCompile(`^ +(v[0-9eiu]+)(?:\[\[|\[/|\(\[|\[|\(|>)` + mermaidQuoted + `(?:\]\]|/\]|\]\)|\]|\)):::([a-z]+)$`),
	"frame": regexp.MustCompile(`^ +subgraph (s[0-9]+)\[` + mermaidQuoted + `\]$`),
	"end":   regexp.MustCompile(`^ +end$`),
	"arrow": regexp.MustCompile(`^  (v[0-9eiu]+) (?:-->|-\.->|-\.-|-\. ` + mermaidQuoted + ` \.->?) (v[0-9eiu]+)$`),
	"style": regexp.MustCompile(`^  linkStyle [0-9]+ stroke:#[0-9a-f]{6}(?:,color:#[0-9a-f]{6})?$`),
	"class": regexp.MustCompile(`^  classDef [a-z]+ fill:#[0-9a-f]{6},stroke:#[0-9a-f]{6},stroke-width:[0-9.]+px,color:#[0-9a-f]{6}(?:,stroke-dasharray:[0-9 ]+)?$`),
}

// parseMermaid counts the statements by their kind and returns the texts of the
// boxes, by their ids.
func parseMermaid(text string) (counts map[string]int, boxes map[string]string, err error) {
	if !utf8.ValidString(text) {
		return nil, nil, fmt.Errorf("not UTF-8")
	}
	_, body, found := strings.Cut(text, "wrappingWidth: 600\n---\nflowchart ")
	if !found {
		return nil, nil, fmt.Errorf("no beginning in %.80q", text)
	}
	counts, boxes = map[string]int{}, map[string]string{}
	depth := 0
	for i, line := range strings.Split(strings.TrimSuffix(body, "\n"), "\n") {
		if i == 0 {
			if line != "LR" && line != "TB" {
				return nil, nil, fmt.Errorf("direction %q", line)
			}
			continue
		}
		kind := ""
		for name, pattern := range mermaidPatterns {
			if match := pattern.FindStringSubmatch(line); match != nil {
				kind = name
				if name == "box" {
					boxes[match[1]] = unescaped(match[2])
				}
			}
		}
		if kind == "" {
			return nil, nil, fmt.Errorf("what is %q?", line)
		}
		counts[kind]++
		if depth += map[string]int{"frame": 1, "end": -1}[kind]; depth < 0 {
			return nil, nil, fmt.Errorf("an end of nothing")
		}
	}
	if depth != 0 || counts["style"] != counts["arrow"] {
		return nil, nil, fmt.Errorf("%d frames are open, %d styles of %d arrows", depth, counts["style"], counts["arrow"])
	}
	return counts, boxes, nil
}

// unescaped returns a text as Mermaid shows it.
func unescaped(text string) string {
	text = strings.ReplaceAll(text, "<br/>", "\n")
	return html.UnescapeString(regexp.MustCompile(`#([0-9]+);`).ReplaceAllString(text, "&#$1;"))
}

func TestMermaid(t *testing.T) {
	root := recordingtest.Neuron()
	gradients := root.Backward()
	for view, want := range map[graphviz.View]map[string]int{
		graphviz.Forward:  {"box": 9, "arrow": 8, "style": 8, "class": 4},
		graphviz.Backward: {"box": 7, "arrow": 6, "style": 6, "class": 3},
		graphviz.Combined: {"box": 9, "arrow": 14, "style": 14, "class": 4},
		graphviz.Layers:   {"box": 9, "arrow": 8, "style": 8, "class": 4},
	} {
		got, boxes, err := parseMermaid(mermaid(t, root, gradients, graphviz.Options{View: view}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("view %d (-want +got):\n%s", view, diff)
		}
		words := "w  variable\nvalue 0.5\ngrad −1.352"
		if view == graphviz.Backward {
			words = "dw  variable\ngrad −1.352\nvalue 0.5"
		}
		if boxes["v000001"] != words {
			t.Errorf("view %d: %q, want %q", view, boxes["v000001"], words)
		}
	}
	if text := mermaid(t, root, gradients, graphviz.Options{View: graphviz.Combined}); !strings.Contains(text, `"← × 3.6 = −1.352"`) {
		t.Errorf("the chain rule is missing:\n%s", text)
	}
}

// Draws any name, operation, scope and title with Mermaid.
func FuzzMermaidNames(f *testing.F) {
	for _, name := range recordingtest.Names {
		f.Add(name)
	}
	for _, name := range []string{"1. list", "- list", "# head", "**bold**", "_it_", "`code`", "$$x$$", "%%{init: {}}%%", "%% comment", "style a:b#c;", "end", "a --> b", "\"]", "#quot;", "(x)", "click", "@{ shape: rect }"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		y := called(name)
		gradients := y.Backward()
		for _, view := range []graphviz.View{graphviz.Forward, graphviz.Backward, graphviz.Combined, graphviz.Layers} {
			counts, boxes, err := parseMermaid(mermaid(t, y, gradients, graphviz.Options{View: view, Title: name}))
			if err != nil {
				t.Fatal(err)
			}
			if len(boxes) != 2 || counts["box"] != 2 || view != graphviz.Layers && counts["frame"] != 1 {
				t.Errorf("view %d: %v", view, counts)
			}
			if short := !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) && len(name) <= 32; short && view == graphviz.Forward &&
				strings.TrimSpace(name) != "" && !strings.HasPrefix(boxes["v000000"], strings.ReplaceAll(strings.TrimSpace(name), `\`, "⧵")) {
				t.Errorf("%q is shown as %q", name, boxes["v000000"])
			}
		}
	})
}

// Any title becomes a string of YAML.
func TestMermaidTitle(t *testing.T) {
	for title, want := range map[string]string{
		"plain": `title: "plain"`, `a "b" \ c`: `title: "a \"b\" \\ c"`, "two\nlines": `title: "two↵lines"`, "---": `title: "---"`,
	} {
		if text := mermaid(t, recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{Title: title}); !strings.HasPrefix(text, "---\n"+want+"\nconfig:") {
			t.Errorf("%q: %.60q", title, text)
		}
	}
}
