package goldens

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	engine "github.com/goccy/go-graphviz"
	"github.com/goccy/go-graphviz/cgraph"

	"nabla/autograd"
	"nabla/graphviz"
)

// The drawings of the library's tests, each laid out without a warning.
func TestGoldensLaidOut(t *testing.T) {
	for folder, least := range map[string]int{"../testdata": 14, "../../testdata": 2} {
		paths, err := filepath.Glob(filepath.Join(folder, "*.dot"))
		if err != nil || len(paths) < least {
			t.Errorf("%d drawings in %s, at least %d are expected, error %v", len(paths), folder, least, err)
		}
		for _, path := range paths {
			t.Run(filepath.Base(path), func(t *testing.T) {
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := layOut(text); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// Names that could break a drawing, in every place that takes a name.
func TestNamesLaidOut(t *testing.T) {
	for _, name := range []string{
		"", " ", "\n", "\x00", `"`, `\`, `\"`, `\N\G\L\E\T\H\l\r\n`, "<", ">", "<b>", "</TABLE>", "&", "&amp;", "&#0;", "'", "{|}", "]]>", "<!--", "-->",
		"\xff\xfe", "\ufeff", "\U0010ffff", "\u202e", "\u2028", "🧠👩‍🔬", strings.Repeat("x", 1000), strings.Repeat("&", 40), "%d%s%!",
	} {
		for _, view := range []graphviz.View{graphviz.Forward, graphviz.Backward, graphviz.Combined, graphviz.Layers} {
			if err := layOut(drawn(t, name, view)); err != nil {
				t.Errorf("%q, view %d: %v", name, view, err)
			}
		}
	}
}

func drawn(t *testing.T, name string, view graphviz.View) []byte {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.Scalar(1)).Named(name)
	operation := autograd.Operation{
		Name:    name,
		Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0].Clone() },
		Rule:    func(r *autograd.Rule) { r.Add(0, r.Grad()) },
	}
	g.Enter(name)
	y := autograd.Custom(operation, x)
	g.Leave()
	var b bytes.Buffer
	if err := graphviz.Write(&b, y, y.Backward(), graphviz.Options{View: view, Title: name, Legend: true}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The check sees Graphviz's warnings, also the second time.
func TestWarningsAreSeen(t *testing.T) {
	for _, text := range []string{
		`digraph { a [shape=nosuchshape] }`,
		`digraph { a -> b:nosuch }`,
		`digraph { a [label=<<b>x</i>>] }`,
		`digraph { a [color="#12"] }`,
		`digraph { a [color="#12"] }`,
		`digraph { a [color="#12"] }`,
		`digraph { a [ }`,
	} {
		if err := layOut([]byte(text)); err == nil {
			t.Errorf("no warning of %s", text)
		}
	}
	if err := layOut([]byte(`digraph { a -> b }`)); err != nil {
		t.Errorf("a warning of nothing: %v", err)
	}
}

// layOut returns an error if Graphviz reports anything about a drawing.
func layOut(text []byte) error {
	mark, err := marked()
	if err != nil {
		return err
	}
	picture, err := render(text)
	if err != nil {
		return err
	}
	if !bytes.Contains(picture, []byte("</svg>")) {
		return fmt.Errorf("the picture does not end: %d bytes", len(picture))
	}
	if message := lastMessage(); message != mark {
		return errors.New(message)
	}
	return nil
}

// marked makes Graphviz give a warning, which it returns, so that a later
// warning is noticed even if it repeats an earlier one. The graph also has a
// character whose width this Graphviz, without fonts, does not know: it reports
// only the first such character, which is not a fault of the drawing.
func marked() (string, error) {
	if _, err := render([]byte(`digraph { a [label="−"] }`)); err != nil {
		return "", err
	}
	if _, err := render([]byte(`digraph { a -> b:mark }`)); err != nil {
		return "", err
	}
	mark := lastMessage()
	if !strings.Contains(mark, "port mark unrecognized") {
		return "", fmt.Errorf("Graphviz did not warn of an unknown port but says %q", mark)
	}
	return mark, nil
}

func render(text []byte) ([]byte, error) {
	ctx := context.Background()
	g, err := engine.New(ctx)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	graph, err := cgraph.ParseBytes(text)
	if err != nil {
		return nil, err
	}
	defer graph.Close()
	var picture bytes.Buffer
	err = g.Render(ctx, graph, engine.SVG, &picture)
	return picture.Bytes(), err
}

// lastMessage returns Graphviz's last error or warning. The package reports it
// only if there is no graph to return, as for an empty text.
func lastMessage() string {
	if _, err := cgraph.ParseBytes(nil); err != nil {
		return err.Error()
	}
	return ""
}
