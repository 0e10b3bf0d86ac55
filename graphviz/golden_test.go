package graphviz_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/graphviz"
	"nabla/internal/recording/recordingtest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var goldens = []struct {
	name    string
	root    func() autograd.Value
	options graphviz.Options
	blind   bool // drawn before the backward pass
	choose  func(root autograd.Value) []graphviz.Selection
}{
	{name: "neuron.forward", root: recordingtest.Neuron, options: graphviz.Options{Title: "One neuron"}},
	{name: "neuron.backward", root: recordingtest.Neuron, options: graphviz.Options{View: graphviz.Backward}},
	{name: "neuron.before", root: recordingtest.Neuron, blind: true},
	{name: "neuron.down", root: recordingtest.Neuron, options: graphviz.Options{Direction: graphviz.TopToBottom, Digits: 2}},
	{name: "network.forward", root: recordingtest.Network},
	{name: "network.backward", root: recordingtest.Network, options: graphviz.Options{View: graphviz.Backward}},
	{name: "scalars.forward", root: recordingtest.ScalarNetwork},
	{name: "scalars.backward", root: recordingtest.ScalarNetwork, options: graphviz.Options{View: graphviz.Backward}},
	{name: "reused.forward", root: recordingtest.Reused},
	{name: "reused.backward", root: recordingtest.Reused, options: graphviz.Options{View: graphviz.Backward}},
	{name: "unnamed.forward", root: recordingtest.Unnamed},
	{name: "unnamed.backward", root: recordingtest.Unnamed, options: graphviz.Options{View: graphviz.Backward}},
	{name: "broken.forward", root: recordingtest.Broken},
	{name: "broken.backward", root: recordingtest.Broken, options: graphviz.Options{View: graphviz.Backward}},
	{name: "names.forward", root: recordingtest.OddNames, options: graphviz.Options{Title: `<i>&"\N` + "\x00"}},
	{name: "names.backward", root: recordingtest.OddNames, options: graphviz.Options{View: graphviz.Backward}},
	{name: "scalars.weighted", root: recordingtest.ScalarNetwork, options: graphviz.Options{Select: weighted}},
	{name: "scalars.weighted.backward", root: recordingtest.ScalarNetwork, options: graphviz.Options{View: graphviz.Backward, Select: weighted}},
	{name: "network.sample", root: recordingtest.Network, options: graphviz.Options{Select: second}},
	{name: "network.sample.backward", root: recordingtest.Network, options: graphviz.Options{View: graphviz.Backward, Select: second}},
	{name: "neuron.course", root: recordingtest.Neuron, options: graphviz.Options{View: graphviz.Course, Title: "One neuron"}},
	{name: "half.course", root: recordingtest.Half, options: graphviz.Options{View: graphviz.Course}},
	{name: "half.course.before", root: recordingtest.Half, options: graphviz.Options{View: graphviz.Course}, blind: true},
	{name: "scalars.course", root: recordingtest.ScalarNetwork, options: graphviz.Options{View: graphviz.Course}},
	{name: "network.course", root: recordingtest.Network, options: graphviz.Options{View: graphviz.Course, Select: second}},
	{name: "names.course", root: recordingtest.OddNeuron, options: graphviz.Options{View: graphviz.Course, Title: `<i>&"\N` + "\x00"}},
	{name: "scalars.neurons", root: recordingtest.ScalarNetwork, options: graphviz.Options{View: graphviz.Neurons}},
	{name: "network.neurons", root: recordingtest.Network, options: graphviz.Options{View: graphviz.Neurons, Title: "Exclusive or"}},
	{name: "network.neurons.slopes", root: recordingtest.Network, options: graphviz.Options{View: graphviz.Neurons, WeightGradients: true}},
	{name: "network.neurons.sample", root: recordingtest.Network, options: graphviz.Options{View: graphviz.Neurons, Select: second}},
	{name: "names.neurons", root: recordingtest.OddNeuron, options: graphviz.Options{View: graphviz.Neurons, Title: `<i>&"\N` + "\x00"}},
	{name: "neuron.combined", root: recordingtest.Neuron, options: graphviz.Options{View: graphviz.Combined}},
	{name: "neuron.combined.down", root: recordingtest.Neuron, options: graphviz.Options{View: graphviz.Combined, Direction: graphviz.TopToBottom}},
	{name: "network.combined", root: recordingtest.Network, options: graphviz.Options{View: graphviz.Combined}},
	{name: "network.layers", root: recordingtest.Network, options: graphviz.Options{View: graphviz.Layers, Legend: true}},
	{name: "network.layers.before", root: recordingtest.Network, options: graphviz.Options{View: graphviz.Layers}, blind: true},
	{name: "scalars.combined", root: recordingtest.ScalarNetwork, options: graphviz.Options{View: graphviz.Combined}},
	{name: "scalars.layers", root: recordingtest.ScalarNetwork, options: graphviz.Options{View: graphviz.Layers}},
	{name: "broken.combined", root: recordingtest.Broken, options: graphviz.Options{View: graphviz.Combined, Legend: true}},
	{name: "names.combined", root: recordingtest.OddNames, options: graphviz.Options{View: graphviz.Combined, Legend: true}},
	{name: "names.layers", root: recordingtest.OddNames, options: graphviz.Options{View: graphviz.Layers}},
	{name: "hotels.forward", root: recordingtest.HotelNetwork, options: graphviz.Options{Legend: true}},
	{name: "hotels.backward", root: recordingtest.HotelNetwork, options: graphviz.Options{View: graphviz.Backward}},
	{name: "hotels.combined", root: recordingtest.HotelNetwork, options: graphviz.Options{View: graphviz.Combined, Direction: graphviz.TopToBottom, Select: []graphviz.Selection{graphviz.Depth(1)}}},
	{name: "hotels.layers", root: recordingtest.HotelNetwork, options: graphviz.Options{View: graphviz.Layers}},
	{name: "shared.combined", root: recordingtest.Shared, options: graphviz.Options{View: graphviz.Combined}},
	{name: "shared.fold", root: recordingtest.Shared, options: graphviz.Options{View: graphviz.Combined}, choose: always(graphviz.Fold())},
	{name: "calls.fold", root: recordingtest.Calls, options: graphviz.Options{View: graphviz.Combined}, choose: always(graphviz.Fold())},
	{name: "recurrent.course", root: recordingtest.Recurrent, options: graphviz.Options{View: graphviz.Course}},
	{name: "recurrent.course.before", root: recordingtest.Recurrent, options: graphviz.Options{View: graphviz.Course}, blind: true},
	{name: "recurrent.neurons", root: recordingtest.Recurrent, options: graphviz.Options{View: graphviz.Neurons}},
	{name: "recurrent.neurons.slopes", root: recordingtest.Recurrent, options: graphviz.Options{View: graphviz.Neurons, WeightGradients: true}},
	{name: "deep.fold", root: recordingtest.DeepNetwork, options: graphviz.Options{View: graphviz.Combined}, choose: always(graphviz.Fold())},
	{name: "deep.fold.forward", root: recordingtest.DeepNetwork, choose: always(graphviz.Fold())},
	{name: "deep.fold.layers", root: recordingtest.DeepNetwork, options: graphviz.Options{View: graphviz.Layers}, choose: always(graphviz.Fold())},
	{name: "network.depth1", root: recordingtest.Network, options: graphviz.Options{View: graphviz.Combined}, choose: always(graphviz.Depth(1))},
	{name: "network.depth2", root: recordingtest.Network, options: graphviz.Options{View: graphviz.Combined}, choose: always(graphviz.Depth(2))},
	{name: "network.depth2.backward", root: recordingtest.Network, options: graphviz.Options{View: graphviz.Backward}, choose: always(graphviz.Depth(2))},
	{name: "scalars.depth1", root: recordingtest.ScalarNetwork, options: graphviz.Options{View: graphviz.Combined}, choose: always(graphviz.Depth(1))},
	{name: "scalars.collapse", root: recordingtest.ScalarNetwork, options: graphviz.Options{View: graphviz.Combined, Legend: true}, choose: always(graphviz.Collapse(recordingtest.HiddenOrOutput))},
	{name: "scalars.focus", root: recordingtest.ScalarNetwork, options: graphviz.Options{View: graphviz.Combined, Legend: true}, choose: func(root autograd.Value) []graphviz.Selection {
		return []graphviz.Selection{graphviz.Focus(recordingtest.Named(root, "z1"), 2, 1)}
	}},
	{name: "scalars.focus.backward", root: recordingtest.ScalarNetwork, options: graphviz.Options{View: graphviz.Backward}, choose: func(root autograd.Value) []graphviz.Selection {
		return []graphviz.Selection{graphviz.Focus(recordingtest.Named(root, "a1"), 1, 1)}
	}},
	{name: "scalars.path", root: recordingtest.ScalarNetwork, options: graphviz.Options{View: graphviz.Combined}, choose: func(root autograd.Value) []graphviz.Selection {
		return []graphviz.Selection{graphviz.Path(recordingtest.Named(root, "w11"), root)}
	}},
	{name: "reused.path", root: recordingtest.Reused, options: graphviz.Options{View: graphviz.Combined}, choose: func(root autograd.Value) []graphviz.Selection {
		return []graphviz.Selection{graphviz.Focus(recordingtest.Named(root, "x"), 0, 0)}
	}},
}

// always returns the same selections for any root.
func always(all ...graphviz.Selection) func(autograd.Value) []graphviz.Selection {
	return func(autograd.Value) []graphviz.Selection { return all }
}

var (
	weighted = []graphviz.Selection{graphviz.WeightedSums()}
	second   = []graphviz.Selection{graphviz.Sample(1)}
)

// whole lists the goldens that are kept as drawings, to the byte. The others
// are kept as text that describes them.
var whole = map[string][]string{
	".dot": {
		"neuron.forward", "neuron.backward", "neuron.combined", "neuron.course", "network.sample.backward", "network.neurons", "network.layers",
		"half.course", "broken.combined", "names.combined", "hotels.combined", "hotels.layers", "deep.fold", "scalars.focus",
	},
	".mmd": {"neuron.backward", "network.combined", "names.combined", "deep.fold"},
}

func TestGolden(t *testing.T) {
	pictures := map[string]*strings.Builder{}
	for _, c := range goldens {
		root, o := c.root(), c.options
		var grads autograd.Gradients
		if !c.blind {
			grads = root.Backward()
		}
		if c.choose != nil {
			o.Select = c.choose(root)
		}
		drawing := drawn(t, root, grads, o)
		text := mermaid(t, root, grads, o)
		if slices.Contains(whole[".dot"], c.name) {
			golden(t, c.name+".dot", drawing)
		}
		if slices.Contains(whole[".mmd"], c.name) {
			golden(t, c.name+".mmd", []byte(text))
		}
		recording, _, _ := strings.Cut(c.name, ".")
		if pictures[recording] == nil {
			pictures[recording] = &strings.Builder{}
		}
		describe(pictures[recording], c.name, check(t, drawing), text)
	}
	for recording, b := range pictures {
		golden(t, recording+".txt", []byte(b.String()))
	}
}

// describe writes what a reader sees in a drawing, without colours and markup:
// a line for each box, frame and arrow, and the boxes of the same drawing in
// Mermaid.
func describe(b *strings.Builder, name string, p parsed, mermaid string) {
	fmt.Fprintf(b, "== %s\n", name)
	line := func(text string) string {
		return strings.Join(strings.Fields(strings.ReplaceAll(text, "\n", " / ")), " ")
	}
	for _, id := range slices.Sorted(maps.Keys(p.boxes)) {
		if box := p.boxes[id]; box["style"] != "invis" {
			fmt.Fprintf(b, "%s, %s: %s\n", id, box["shape"], line(box["label"]))
		}
	}
	for _, frame := range p.frames {
		if frame["label"] != "" {
			fmt.Fprintf(b, "frame: %s\n", line(frame["label"]))
		}
	}
	for _, a := range p.arrows {
		if a.attributes["style"] == "invis" {
			continue
		}
		says := a.attributes["label"] + a.attributes["headlabel"] + a.attributes["taillabel"]
		fmt.Fprintln(b, strings.TrimSpace(fmt.Sprintf("%s -> %s %s", a.from, a.to, line(says))))
	}
	for _, text := range strings.Split(mermaid, "\n") {
		if match := mermaidPatterns["box"].FindStringSubmatch(text); match != nil {
			fmt.Fprintf(b, "mermaid %s, %s: %s\n", match[1], match[3], line(unescaped(match[2])))
		}
	}
	b.WriteByte('\n')
}

// golden compares with a file, to the byte.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got), rewritten by -update:\n%s", name, diff)
	}
}

// drawn returns the output of Write.
func drawn(t testing.TB, root autograd.Value, grads autograd.Gradients, o graphviz.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := graphviz.Write(&b, root, grads, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// check returns the parsed drawing. It fails if the text is not well-formed or
// if Graphviz, where installed, reports anything.
func check(t testing.TB, text []byte) parsed {
	t.Helper()
	if dot, err := exec.LookPath("dot"); err == nil {
		layOut(t, dot, text)
	}
	p, err := parse(text)
	if err != nil {
		t.Error(err)
	}
	return p
}

func layOut(t testing.TB, dot string, text []byte) {
	t.Helper()
	c := exec.Command(dot, "-Tsvg")
	var warnings bytes.Buffer
	c.Stdin, c.Stderr = bytes.NewReader(text), &warnings
	if err := c.Run(); err != nil || warnings.Len() > 0 {
		t.Errorf("dot: %v\n%s", err, &warnings)
	}
}
