package svg_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nabla/graphviz"
	"nabla/internal/recording/recordingtest"
	"nabla/internal/svg"
)

// sound fails if texts of a drawing overlap or leave the canvas, if an arrow's
// label is left out, or if the second picture differs from the first.
func sound(t *testing.T, text string) {
	t.Helper()
	first, faults, err := svg.Faults(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
	if second, err := svg.Draw(text); err != nil || !bytes.Equal(first, second) {
		t.Error("drawn again it is another picture")
	}
}

// The drawings of package graphviz's tests.
func TestGoldens(t *testing.T) {
	paths, err := filepath.Glob("../../graphviz/testdata/*.dot")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d drawings, error %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			sound(t, string(text))
		})
	}
}

// The hotels' networks in every view and both directions.
func TestHotels(t *testing.T) {
	tasks := recordingtest.HotelTasks
	for _, k := range []int{1, 3} { // one output and three
		large := tasks[k]
		large.Name, large.Sizes = large.Name+"-large", []int{2, 5, 10, large.Sizes[2]}
		tasks = append(tasks, large)
	}
	for _, task := range tasks {
		loss, _ := task.Record()
		grads := loss.Backward()
		for view := graphviz.Forward; view <= graphviz.Neurons; view++ {
			for _, direction := range []graphviz.Direction{graphviz.LeftToRight, graphviz.TopToBottom} {
				o := graphviz.Options{View: view, Direction: direction, Title: task.Name, Legend: true}
				if view == graphviz.Course {
					o.Select = []graphviz.Selection{graphviz.Sample(0)}
				}
				t.Run(task.Name+" "+view.String()+" "+string(direction), func(t *testing.T) {
					var text bytes.Buffer
					if err := graphviz.Write(&text, loss, grads, o); err != nil {
						t.Fatal(err)
					}
					sound(t, text.String())
				})
			}
		}
	}
}

// A text that the library does not write is an error.
func TestOthers(t *testing.T) {
	for _, text := range []string{
		"", "graph {}", "digraph {", "digraph { a -> b }", "digraph { n1[label=<<B>x]; }", `digraph { n1[label="x]; }`, "digraph { n1[label=<<B>x</I>>]; }", "digraph { n1 [x] }", "digraph { -> }",
	} {
		if _, err := svg.Draw(text); err == nil {
			t.Errorf("%q is drawn", text)
		}
	}
}

// Text is escaped, attributes too.
func TestEscapes(t *testing.T) {
	picture, err := svg.Draw(`digraph { n1[label="a &lt; b\n&quot;c\"",id="x\"y<",tooltip="<&"]; }`)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`>a &lt; b</tspan>`, `>&#34;c&#34;</tspan>`, `id="x&#34;y&lt;"`, `<title>&lt;&amp;</title>`} {
		if !strings.Contains(string(picture), want) {
			t.Errorf("%s is not in %s", want, picture)
		}
	}
}
