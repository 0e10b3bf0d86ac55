package graphviz_test

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/graphviz"
	"nabla/internal/recording/recordingtest"
)

// titles returns the first words of all boxes, sorted.
func titles(p parsed) []string {
	var all []string
	for _, box := range p.boxes {
		all = append(all, firstWords(box["label"]))
	}
	slices.Sort(all)
	return all
}

// firstWords returns the part of a label before its numbers.
func firstWords(label string) string {
	words := strings.Fields(label)
	for i, w := range words {
		if w == "value" || w == "grad" || w == "shape" {
			words = words[:i]
			break
		}
	}
	return strings.Join(words, " ")
}

func TestSelectionsShow(t *testing.T) {
	root := recordingtest.ScalarNetwork()
	at := func(name string) autograd.Value { return recordingtest.Named(root, name) }
	for name, c := range map[string]struct {
		root   autograd.Value
		choose graphviz.Selection
		want   []string
	}{
		"depth 1": {root, graphviz.Depth(1), []string{
			"loss mul scalar 0.5", "neuron 1 8 values, 3 parameters", "neuron 2 8 values, 3 parameters", "output 8 values, 3 parameters",
			"square #28", "sub #27", "x1 constant", "x2 constant", "y constant"}},
		"collapse": {root, graphviz.Collapse(recordingtest.HiddenOrOutput), []string{
			"hidden 16 values, 6 parameters", "loss mul scalar 0.5", "output 8 values, 3 parameters", "square #28", "sub #27", "x1 constant", "x2 constant", "y constant"}},
		"focus": {root, graphviz.Focus(at("z1"), 1, 1), []string{
			"a1 relu", "add #6", "b1 variable", "z1 add", "⋯ 2 more inputs", "⋯ mul #19"}},
		"focus without steps": {root, graphviz.Focus(at("x1"), 0, 0), []string{"x1 constant", "⋯ 2 more uses"}},
		"focus on all":        {root, graphviz.Focus(root, 100, 0), titles(check(t, drawn(t, root, autograd.Gradients{}, graphviz.Options{})))},
		"path": {root, graphviz.Path(at("z1"), at("z3")), []string{
			"a1 relu", "add #22", "mul #19", "z1 add", "z3 add", "⋯ 2 more inputs", "⋯ a3", "⋯ b3", "⋯ mul #21", "⋯ v1"}},
		"path of one":       {root, graphviz.Path(root, root), []string{"loss mul scalar 0.5", "⋯ square #28"}},
		"fold own":          {recordingtest.DeepNetwork(), graphviz.Fold(), []string{"+11 more: dense2 … tanh12 55 values, 220 parameters", "a tanh [2 4]", "dense1.bias param [4]", "dense1.weight param [4 4]", "loss mean", "matmul #2 [2 4]", "square #61 [2 4]", "x input [2 4]", "z add [2 4]"}},
		"fold shared":       {recordingtest.Shared(), graphviz.Fold(), []string{"+11 more: step 2 … step 12 55 values", "U param [1 2]", "W param [2 2]", "add #6 [1 2]", "h tanh [1 2]", "h0 constant [1 2]", "loss sum", "matmul #3 [1 2]", "matmul #5 [1 2]", "square #63 [1 2]", "x1 constant [1 1]"}},
		"fold calls":        {recordingtest.Calls(), graphviz.Fold(), []string{"+11 more 55 values", "U param [1 2]", "W param [2 2]", "add #6 [1 2]", "h tanh [1 2]", "h0 constant [1 2]", "loss sum", "matmul #3 [1 2]", "matmul #5 [1 2]", "square #63 [1 2]", "x1 constant [1 1]"}},
		"fold without need": {recordingtest.Neuron(), graphviz.Fold(), titles(check(t, drawn(t, recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{})))},
	} {
		t.Run(name, func(t *testing.T) {
			p := check(t, drawn(t, c.root, autograd.Gradients{}, graphviz.Options{Select: []graphviz.Selection{c.choose}}))
			if diff := cmp.Diff(c.want, titles(p)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// ×12 appears only where parameters are shared.
func TestFoldTellsSharedParameters(t *testing.T) {
	for name, c := range map[string]struct {
		root autograd.Value
		want []string
	}{
		"own":    {recordingtest.DeepNetwork(), []string{"dense1", "tanh1"}},
		"shared": {recordingtest.Shared(), []string{"step 1  ×12, the same parameters"}},
		"calls":  {recordingtest.Calls(), []string{"cell  ×12, the same parameters"}},
	} {
		var got []string
		for _, frame := range check(t, drawn(t, c.root, autograd.Gradients{}, graphviz.Options{Select: []graphviz.Selection{graphviz.Fold()}})).frames {
			got = append(got, frame["label"])
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Blocks that differ in a shape, an operation, a constant or a connection
// stay.
func TestFoldKeepsWhatDiffers(t *testing.T) {
	record := func(blocks ...func(g *autograd.Graph, x autograd.Value) autograd.Value) autograd.Value {
		g := autograd.NewGraph(autograd.Options{})
		x := g.Variable(autograd.Scalar(1))
		for i, block := range blocks {
			g.Enter(string(rune('a' + i)))
			x = block(g, x)
			g.Leave()
		}
		return x
	}
	twice := func(g *autograd.Graph, x autograd.Value) autograd.Value { return x.MulScalar(2).Tanh() }
	for name, c := range map[string]struct {
		root   autograd.Value
		folded bool
	}{
		"equal":     {record(twice, twice), true},
		"constant":  {record(twice, func(g *autograd.Graph, x autograd.Value) autograd.Value { return x.MulScalar(3).Tanh() }), false},
		"operation": {record(twice, func(g *autograd.Graph, x autograd.Value) autograd.Value { return x.MulScalar(2).Sin() }), false},
		"shape":     {record(twice, func(g *autograd.Graph, x autograd.Value) autograd.Value { return x.Expand(3).MulScalar(2) }), false},
		"wire": {record(func(g *autograd.Graph, x autograd.Value) autograd.Value { y := x.Tanh(); return y.Mul(x) },
			func(g *autograd.Graph, x autograd.Value) autograd.Value { y := x.Tanh(); return y.Mul(y) }), false},
	} {
		text := drawn(t, c.root, autograd.Gradients{}, graphviz.Options{Select: []graphviz.Selection{graphviz.Fold()}})
		if got := bytes.Contains(text, []byte("more")); got != c.folded {
			t.Errorf("%s: folded %v, want %v", name, got, c.folded)
		}
	}
}

// A scope entered again with other parameters is not a layer applied again.
func TestFoldKeepsCallsWithOtherParameters(t *testing.T) {
	for _, shared := range []bool{true, false} {
		g := autograd.NewGraph(autograd.Options{})
		w := autograd.NewParam("w", autograd.Scalar(2))
		x := g.Constant(autograd.Scalar(1))
		for range 3 {
			g.Enter("layer")
			x = x.Mul(g.Param(w)).Tanh()
			g.Leave()
			if !shared {
				w = autograd.NewParam("w", autograd.Scalar(2))
			}
		}
		text := drawn(t, x, autograd.Gradients{}, graphviz.Options{Select: []graphviz.Selection{graphviz.Fold()}})
		if got := bytes.Contains(text, []byte("×3, the same parameters")) && bytes.Contains(text, []byte("+2 more")); got != shared {
			t.Errorf("shared %v: folded %v", shared, got)
		}
	}
}

// A collapsed box passes on the sum of what its members did.
func TestCollapsedArrows(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.Scalar(3)).Named("x")
	g.Enter("block")
	y := x.Square().Add(x.MulScalar(5)).Sub(x) // dy/dx = 2x + 5 − 1 = 10
	g.Leave()
	root := y.MulScalar(2).Named("loss")
	for view, want := range map[graphviz.View][]string{
		graphviz.Backward: {"v000004 v000000 = 20", "v000005 v000004 × 2 = 2"},
		graphviz.Combined: {"v000000 v000004 ", "v000000 v000004 = 20", "v000004 v000005 ", "v000004 v000005 × 2 = 2"},
	} {
		var got []string
		p := check(t, drawn(t, root, root.Backward(), graphviz.Options{View: view, Select: []graphviz.Selection{graphviz.Depth(1)}}))
		for _, a := range p.arrows {
			got = append(got, a.from+" "+a.to+" "+a.attributes["label"])
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("view %d (-want +got):\n%s", view, diff)
		}
		if got := p.label(t, "block"); !strings.Contains(got, "4 values") || !strings.Contains(got, "grad 2") {
			t.Errorf("view %d: %q", view, got)
		}
	}
}

// A layer's box, in the course's words.
func TestLayersView(t *testing.T) {
	root := recordingtest.Network()
	p := check(t, drawn(t, root, root.Backward(), graphviz.Options{View: graphviz.Layers}))
	want := []string{"features constant [4 2]", "hidden", "loss mean", "output", "square #13 [4 1]", "sub #12 [4 1]", "targets constant [4 1]"}
	if diff := cmp.Diff(want, titles(p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	hidden := p.label(t, "hidden")
	for _, part := range []string{"shape [4 2] → [4 3]", "parameters 9", "‖z‖ ", "‖dz‖ ", "‖a‖ ", "‖da‖ ", "‖dW‖ ", "‖db‖ "} {
		if !strings.Contains(hidden, part) {
			t.Errorf("%q lacks %q", hidden, part)
		}
	}
	// A network of neurons has the layers that its tensors have.
	root = neuronNetwork()
	p = check(t, drawn(t, root, root.Backward(), graphviz.Options{View: graphviz.Layers}))
	want = []string{"layer1", "layer2", "layer3", "loss", "x1 input", "x2 input", "y target"}
	if diff := cmp.Diff(want, titles(p)); diff != "" {
		t.Errorf("neurons (-want +got):\n%s", diff)
	}
	// Named Sequentials are replaced by their layers.
	root = classes()
	p = check(t, drawn(t, root, root.Backward(), graphviz.Options{View: graphviz.Layers}))
	for _, title := range []string{"dense1", "tanh1", "dropout1", "softmax1", "loss"} {
		if !slices.Contains(titles(p), title) {
			t.Errorf("no layer %q in %q", title, titles(p))
		}
	}
}

func TestTooManyNodes(t *testing.T) {
	root := recordingtest.DeepNetwork()
	var tooMany *graphviz.TooManyNodesError
	err := graphviz.Write(&bytes.Buffer{}, root, autograd.Gradients{}, graphviz.Options{MaxNodes: 20})
	if !errors.As(err, &tooMany) || tooMany.Nodes != 63 || tooMany.Max != 20 {
		t.Fatalf("got %v", err)
	}
	for _, name := range []string{"63", "20", "Depth", "Collapse", "Fold", "Focus", "Path", "Layers", "MaxNodes"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%q does not name %s", err, name)
		}
	}
	// The limit applies to what is drawn, not to what was recorded.
	for _, o := range []graphviz.Options{
		{MaxNodes: 20, Select: []graphviz.Selection{graphviz.Fold()}},
		{MaxNodes: 27, View: graphviz.Layers},
		{MaxNodes: 3, Select: []graphviz.Selection{graphviz.Focus(root, 0, 0)}},
	} {
		if err := graphviz.Write(&bytes.Buffer{}, root, autograd.Gradients{}, o); err != nil {
			t.Error(err)
		}
	}
}

func TestMistakesInSelectionsPanic(t *testing.T) {
	root, other := recordingtest.ScalarNetwork(), recordingtest.Neuron()
	z1, z2 := recordingtest.Named(root, "z1"), recordingtest.Named(root, "z2")
	write := func(s graphviz.Selection) func() {
		return func() {
			graphviz.Write(&bytes.Buffer{}, root, autograd.Gradients{}, graphviz.Options{Select: []graphviz.Selection{s}})
		}
	}
	for name, f := range map[string]func(){
		"depth 0":              func() { graphviz.Depth(0) },
		"no function":          func() { graphviz.Collapse(nil) },
		"steps up":             func() { graphviz.Focus(z1, -1, 0) },
		"steps down":           func() { graphviz.Focus(z1, 0, -1) },
		"focus another graph":  write(graphviz.Focus(other, 1, 1)),
		"focus no value":       write(graphviz.Focus(autograd.Value{}, 1, 1)),
		"path between neurons": write(graphviz.Path(z1, z2)),
		"path backwards":       write(graphviz.Path(root, z1)),
		"focus on what is left out": func() {
			graphviz.Write(&bytes.Buffer{}, root, autograd.Gradients{}, graphviz.Options{Select: []graphviz.Selection{graphviz.Focus(z1, 1, 1), graphviz.Focus(z2, 1, 1)}})
		},
	} {
		var argument *autograd.ArgumentError
		if err := autograd.Try(f); !errors.As(err, &argument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every view of every Selection is deterministic.
func TestSelectionsAreDeterministic(t *testing.T) {
	var first map[string]string
	for range 3 {
		texts := map[string]string{}
		for name, record := range recordings {
			root := record()
			gradients := root.Backward()
			for what, selected := range selections(root) {
				for _, view := range []graphviz.View{graphviz.Combined, graphviz.Layers} {
					o := graphviz.Options{View: view, Select: selected, Legend: true}
					texts[name+what+string(rune('0'+view))] = string(drawn(t, root, gradients, o))
				}
			}
		}
		if first == nil {
			first = maps.Clone(texts)
		}
		if diff := cmp.Diff(first, texts); diff != "" {
			t.Fatal(diff)
		}
	}
}

// Every kind of box has its own look, and the legend has the looks that occur.
func TestLegend(t *testing.T) {
	root := recordingtest.HotelNetwork()
	legend := func(o graphviz.Options) (words []string) {
		o.Legend = true
		p := check(t, drawn(t, root, root.Backward(), o))
		shapes := map[string]string{}
		for _, id := range slices.Sorted(maps.Keys(p.boxes)) {
			box := p.boxes[id]
			if !strings.HasPrefix(id, "legend") || id == "legend99" {
				continue
			}
			words = append(words, box["label"])
			look := strings.Join([]string{box["shape"], box["style"], box["fillcolor"], box["peripheries"]}, " ")
			if other, taken := shapes[look]; taken {
				t.Errorf("%q looks like %q", box["label"], other)
			}
			shapes[look] = box["label"]
		}
		return words
	}
	want := []string{"input", "target", "parameter: training changes it", "computed", "the root: what was computed in the end"}
	if diff := cmp.Diff(want, legend(graphviz.Options{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want = []string{"parameter: training changes it", "left out"}
	got := legend(graphviz.Options{Select: []graphviz.Selection{graphviz.Focus(root.Graph().At(1), 0, 0)}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The background of a gradient shows its magnitude; zero and missing ones have
// none.
func TestTints(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	var sum autograd.Value
	factors := []float64{1000, 400, 100, 30, 10, 3, 1, 0.001, 0}
	for i, factor := range factors {
		term := g.Variable(autograd.Scalar(1)).MulScalar(factor)
		if i == 0 {
			sum = term
		} else {
			sum = sum.Add(term)
		}
	}
	text := string(drawn(t, sum, sum.Backward(), graphviz.Options{}))
	var grounds []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, ">variable #") {
			_, after, found := strings.Cut(line, `BGCOLOR="`)
			if !found {
				grounds = append(grounds, "")
				continue
			}
			grounds = append(grounds, after[:7])
		}
	}
	want := []string{"#ffb6a7", "#ffc5b9", "#ffd3ca", "#ffe0da", "#ffece8", "#fff7f5", "#fff7f5", "#fff7f5", ""}
	if diff := cmp.Diff(want, grounds); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	blank := string(drawn(t, sum, autograd.Gradients{}, graphviz.Options{}))
	if strings.Contains(blank, "BGCOLOR") {
		t.Error("there is a ground before the backward pass")
	}
}

// A mean that is 0 up to rounding has no digits; a small one does.
func TestMeanOfWhatCancels(t *testing.T) {
	for _, c := range []struct {
		elements  []float64
		precision autograd.Precision
		want      string
	}{
		{[]float64{0.1, 0.2, -0.3}, autograd.Float64, "mean ≈ 0"},
		{[]float64{0.1, 0.2, -0.3}, autograd.Float32, "mean ≈ 0"},
		{[]float64{1e-20, 3e-20}, autograd.Float64, "mean 2e−20"},
		{[]float64{1, -1, 3e-9}, autograd.Float64, "mean 1e−9"},
		{[]float64{1, -1, 0}, autograd.Float64, "mean 0"},
	} {
		g := autograd.NewGraph(autograd.Options{Precision: c.precision})
		x := g.Variable(autograd.NewTensor(c.elements)).Named("x")
		if got := check(t, drawn(t, x, autograd.Gradients{}, graphviz.Options{Elements: 1})).label(t, "x"); !strings.Contains(got, c.want+" ") {
			t.Errorf("%v: %q, want %q", c.elements, got, c.want)
		}
	}
}

// The zero Selection changes nothing; calling its nil function used to panic.
func TestZeroSelection(t *testing.T) {
	root := recordingtest.Neuron()
	var with, without bytes.Buffer
	if err := graphviz.Write(&with, root, autograd.Gradients{}, graphviz.Options{Select: []graphviz.Selection{{}}}); err != nil {
		t.Fatal(err)
	}
	if err := graphviz.Write(&without, root, autograd.Gradients{}, graphviz.Options{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(without.String(), with.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
