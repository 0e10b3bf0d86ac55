package graphviz_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/graphviz"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var goldens = []struct {
	name    string
	root    func() autograd.Value
	options graphviz.Options
	blind   bool // drawn before the backward pass
}{
	{name: "neuron.forward", root: neuron, options: graphviz.Options{Title: "One neuron"}},
	{name: "neuron.backward", root: neuron, options: graphviz.Options{View: graphviz.Backward}},
	{name: "neuron.before", root: neuron, blind: true},
	{name: "neuron.down", root: neuron, options: graphviz.Options{Direction: graphviz.TopToBottom, Digits: 2}},
	{name: "network.forward", root: network},
	{name: "network.backward", root: network, options: graphviz.Options{View: graphviz.Backward}},
	{name: "scalars.forward", root: scalarNetwork},
	{name: "scalars.backward", root: scalarNetwork, options: graphviz.Options{View: graphviz.Backward}},
	{name: "reused.forward", root: reused},
	{name: "reused.backward", root: reused, options: graphviz.Options{View: graphviz.Backward}},
	{name: "unnamed.forward", root: unnamed},
	{name: "unnamed.backward", root: unnamed, options: graphviz.Options{View: graphviz.Backward}},
	{name: "broken.forward", root: broken},
	{name: "broken.backward", root: broken, options: graphviz.Options{View: graphviz.Backward}},
	{name: "names.forward", root: oddNames, options: graphviz.Options{Title: `<i>&"\N` + "\x00"}},
	{name: "names.backward", root: oddNames, options: graphviz.Options{View: graphviz.Backward}},
	{name: "scalars.weighted", root: scalarNetwork, options: graphviz.Options{Select: weighted}},
	{name: "scalars.weighted.backward", root: scalarNetwork, options: graphviz.Options{View: graphviz.Backward, Select: weighted}},
	{name: "network.sample", root: network, options: graphviz.Options{Select: second}},
	{name: "network.sample.backward", root: network, options: graphviz.Options{View: graphviz.Backward, Select: second}},
	{name: "neuron.course", root: neuron, options: graphviz.Options{View: graphviz.Course, Title: "One neuron"}},
	{name: "half.course", root: half, options: graphviz.Options{View: graphviz.Course}},
	{name: "half.course.before", root: half, options: graphviz.Options{View: graphviz.Course}, blind: true},
	{name: "scalars.course", root: scalarNetwork, options: graphviz.Options{View: graphviz.Course}},
	{name: "network.course", root: network, options: graphviz.Options{View: graphviz.Course, Select: second}},
	{name: "names.course", root: oddNeuron, options: graphviz.Options{View: graphviz.Course, Title: `<i>&"\N` + "\x00"}},
	{name: "scalars.neurons", root: scalarNetwork, options: graphviz.Options{View: graphviz.Neurons}},
	{name: "network.neurons", root: network, options: graphviz.Options{View: graphviz.Neurons, Title: "Exclusive or"}},
	{name: "network.neurons.slopes", root: network, options: graphviz.Options{View: graphviz.Neurons, Slopes: true}},
	{name: "network.neurons.sample", root: network, options: graphviz.Options{View: graphviz.Neurons, Select: second}},
	{name: "names.neurons", root: oddNeuron, options: graphviz.Options{View: graphviz.Neurons, Title: `<i>&"\N` + "\x00"}},
}

var (
	weighted = []graphviz.Selection{graphviz.WeightedSums()}
	second   = []graphviz.Selection{graphviz.Sample(1)}
)

func TestGolden(t *testing.T) {
	for _, c := range goldens {
		t.Run(c.name, func(t *testing.T) {
			root, o := c.root(), c.options
			if !c.blind {
				o.Gradients = root.Backward()
			}
			got := drawn(t, root, o)
			check(t, got)
			path := filepath.Join("testdata", c.name+".dot")
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
				t.Errorf("(-want +got), rewritten by -update:\n%s", diff)
			}
		})
	}
}

// drawn returns what Write writes.
func drawn(t testing.TB, root autograd.Value, o graphviz.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := graphviz.Write(&b, root, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// check returns what is drawn. It fails when the text is not well-formed, or
// when Graphviz, where it is installed, has anything to say about it.
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
