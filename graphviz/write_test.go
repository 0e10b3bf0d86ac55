package graphviz_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/graphviz"
	"nabla/internal/recording/recordingtest"
)

// label returns the text of the box that starts with that title.
func (p parsed) label(t testing.TB, title string) string {
	t.Helper()
	for _, box := range p.boxes {
		if label := strings.Join(strings.Fields(box["label"]), " "); strings.HasPrefix(label, title+" ") {
			return label
		}
	}
	t.Errorf("no box %q", title)
	return ""
}

func TestGradientStates(t *testing.T) {
	record := func(o autograd.Options) (loss autograd.Value) {
		g := autograd.NewGraph(o)
		x := g.Variable(autograd.Scalar(-2)).Named("x")
		gate := g.Variable(autograd.Scalar(5)).Named("gate")
		frozen := autograd.NewParam("frozen", autograd.Scalar(3))
		frozen.Frozen = true
		statistic := autograd.NewStatistic("running", autograd.Scalar(0))
		c := g.Scalar(1).Named("c")
		y := x.ReLU().Named("y").Add(g.Param(frozen)).Add(g.Param(statistic)).Add(c)
		return y.Mul(gate.GreaterScalar(0).Named("open")).Named("loss")
	}
	all := map[string]string{
		"x": "x variable value −2", "y": "y relu value 0", "gate": "gate variable value 5",
		"frozen": "frozen param frozen value 3", "running": "running param statistic value 0", "c": "c constant value 1", "open": "open greater scalar 0 value 1", "loss": "loss mul value 4",
	}
	troubles := map[string]string{ // for gradients that do not exist
		"y": " ⚠ closed: its input −2 is not above 0", "gate": " ⚠ no gradient arrives: greater scalar open stops it",
	}
	for _, c := range []struct {
		name     string
		options  autograd.Options
		backward bool
		grad     map[string]string
	}{
		{"before", autograd.Options{Trace: true}, false, map[string]string{
			"x": "no backward yet", "y": "no backward yet", "gate": "no backward yet", "loss": "no backward yet"}},
		{"after", autograd.Options{Trace: true}, true, map[string]string{
			"x": "0", "y": "1", "gate": "not reached", "loss": "1"}},
		{"without trace", autograd.Options{}, true, map[string]string{
			"x": "0", "y": "not kept without Trace", "gate": "not reached", "loss": "not kept without Trace"}},
		{"single precision", autograd.Options{Trace: true, Precision: autograd.Float32}, true, map[string]string{
			"x": "0", "y": "1", "gate": "not reached", "loss": "1"}},
		{"no gradients", autograd.Options{NoGrad: true}, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			loss := record(c.options)
			var grads autograd.Gradients
			if c.backward {
				grads = loss.Backward()
			}
			got, want := check(t, drawn(t, loss, grads, graphviz.Options{})), withGradients(all, c.grad)
			if !c.options.NoGrad {
				for title, trouble := range troubles {
					want[title] += trouble
				}
			}
			for title := range all {
				if diff := cmp.Diff(want[title], got.label(t, title)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

// withGradients adds the gradients to the labels.
func withGradients(labels, grad map[string]string) map[string]string {
	all := map[string]string{}
	for title, label := range labels {
		if g, ok := grad[title]; ok {
			label += " grad " + g
		}
		all[title] = label
	}
	return all
}

// The colours and borders that distinguish kinds, exact zeros and troubles.
func TestLooks(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	variable := g.Variable(autograd.Scalar(0))
	looks := map[string]string{}
	for name, x := range map[string]autograd.Value{
		"constant": g.Scalar(1), "variable": variable, "param": g.Param(autograd.NewParam("p", autograd.Scalar(1))),
		"operation": variable.Exp(), "NaN": g.Scalar(math.NaN()), "Inf": variable.Log(), "NaN operation": variable.Log().Mul(variable),
	} {
		root := x.Add(x)
		for id, box := range check(t, drawn(t, root, autograd.Gradients{}, graphviz.Options{})).boxes {
			if id == fmt.Sprintf("v%06d", x.Node().ID) {
				looks[name] = box["fillcolor"] + box["style"]
			} else if id == fmt.Sprintf("v%06d", root.Node().ID) && name == "constant" {
				looks["root"] = box["fillcolor"] + box["style"]
			}
		}
	}
	if looks["NaN operation"] != looks["Inf"] {
		t.Errorf("NaN looks like %s, infinity like %s", looks["NaN operation"], looks["Inf"])
	}
	delete(looks, "NaN operation")
	for a, look := range looks {
		for b, other := range looks {
			if a != b && look == other {
				t.Errorf("%s and %s look the same: %s", a, b, look)
			}
		}
	}
}

func TestArrowsKeepOrderAndCount(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x, y := g.Variable(autograd.Scalar(2)), g.Variable(autograd.Scalar(5))
	root := x.Mul(x).Sub(y)
	var got []string
	for _, a := range check(t, drawn(t, root, autograd.Gradients{}, graphviz.Options{})).arrows {
		got = append(got, a.from+" "+a.to+" "+a.attributes["headlabel"])
	}
	want := []string{"v000000 v000002 ", "v000000 v000002 ", "v000001 v000003 2", "v000002 v000003 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBackwardArrows(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.NewTensor([]float64{3, -4}))
	w := g.Variable(autograd.Scalar(-0.5))
	root := x.Sum().Mul(w).Mul(g.Scalar(0)).Sub(w)
	var got []string
	var b bytes.Buffer
	if err := graphviz.Write(&b, root, root.Backward(), graphviz.Options{View: graphviz.Backward}); err != nil {
		t.Fatal(err)
	}
	p := check(t, b.Bytes())
	for _, a := range p.arrows {
		got = append(got, a.from+" "+a.to+" "+a.attributes["label"])
	}
	slices.Sort(got)
	want := []string{
		"v000002 v000000 copied\nnorm 0", // sum → x
		"v000003 v000001 × −1 = 0",       // (Σx)·w → w: the factor is the value Σx
		"v000003 v000002 × −0.5 = 0",
		"v000005 v000003 × 0 = 0", // times the constant zero
		"v000006 v000001 × −1 = −1",
		"v000006 v000005 × 1 = 1",
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, want := p.label(t, "d(variable #1)"), "d(variable #1) grad −1 sum of −1 + 0 value −0.5"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNestedFrames(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	enter := func(names ...string) autograd.Value {
		for _, name := range names {
			g.Enter(name)
			defer g.Leave()
		}
		return g.Scalar(1)
	}
	// "a/b" is not b inside a, and the second visit of a/b is the same frame.
	root := enter("a", "b").Add(enter("a/b")).Add(enter("a", "b")).Add(enter("c", "b"))
	var got []string
	for _, frame := range check(t, drawn(t, root, autograd.Gradients{}, graphviz.Options{})).frames {
		got = append(got, frame["id"]+" "+frame["label"])
	}
	want := []string{"s000002 b", "s000001 a", "s000003 a/b", "s000005 b", "s000004 c"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A custom operation may have the name of a built-in one. Nothing is assumed
// about it.
func TestCustomOperationOfAKnownName(t *testing.T) {
	for _, name := range []string{"mul", "mul scalar", "sub", ""} {
		g := autograd.NewGraph(autograd.Options{Trace: true})
		identity := autograd.Operation{
			Name:    name,
			Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0].Clone() },
			Rule:    func(r *autograd.Rule) { r.Add(0, r.Grad()) },
		}
		x := g.Variable(autograd.Scalar(7)).Named("x")
		root := autograd.Custom(identity, x).MulScalar(0)
		var b bytes.Buffer
		if err := graphviz.Write(&b, root, root.Backward(), graphviz.Options{View: graphviz.Backward}); err != nil {
			t.Fatal(err)
		}
		for _, a := range check(t, b.Bytes()).arrows {
			if label := a.attributes["label"]; a.to == "v000000" && label != "= 0" {
				t.Errorf("%s: %q", name, label)
			}
		}
	}
}

func TestZeroSizeTensors(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.Zeros(0, 3)).Named("x")
	root := x.MulScalar(2).Sum()
	for _, view := range []graphviz.View{graphviz.Forward, graphviz.Backward, graphviz.Combined, graphviz.Layers} {
		check(t, drawn(t, root, root.Backward(), graphviz.Options{View: view}))
	}
}

// A recording repeated after Reset gives the same bytes, and so does one drawn
// twice.
func TestDeterministic(t *testing.T) {
	for _, view := range []graphviz.View{graphviz.Forward, graphviz.Backward} {
		var first []byte
		for range 5 {
			root := recordingtest.ScalarNetwork()
			grads, o := root.Backward(), graphviz.Options{View: view}
			for range 2 {
				got := drawn(t, root, grads, o)
				if first == nil {
					first = got
				}
				if !bytes.Equal(first, got) {
					t.Fatal(cmp.Diff(string(first), string(got)))
				}
			}
		}
	}
}

func TestTenThousandNodes(t *testing.T) {
	root := recordingtest.Chain(10_000)
	grads, o := root.Backward(), graphviz.Options{MaxNodes: -1}
	for view, want := range map[graphviz.View]int{graphviz.Forward: 10_000, graphviz.Backward: 5_001, graphviz.Combined: 10_000, graphviz.Layers: 52} {
		o.View = view
		p, err := parse(drawn(t, root, grads, o))
		if err != nil || len(p.boxes) != want {
			t.Errorf("view %d: %d boxes, want %d, error %v", view, len(p.boxes), want, err)
		}
	}
}

// BenchmarkTenThousandNodes draws 10,000 values. Each drawing should take less
// than a second.
func BenchmarkTenThousandNodes(b *testing.B) {
	root := recordingtest.Chain(10_000)
	gradients := root.Backward()
	middle := root.Graph().At(5_001)
	for _, c := range []struct {
		name   string
		view   graphviz.View
		choose []graphviz.Selection
	}{
		{"forward", graphviz.Forward, nil}, {"backward", graphviz.Backward, nil}, {"combined", graphviz.Combined, nil}, {"layers", graphviz.Layers, nil},
		{"depth", graphviz.Combined, []graphviz.Selection{graphviz.Depth(1)}}, {"fold", graphviz.Combined, []graphviz.Selection{graphviz.Fold()}},
		{"focus", graphviz.Combined, []graphviz.Selection{graphviz.Focus(middle, 1000, 1000)}},
	} {
		o := graphviz.Options{View: c.view, Select: c.choose, MaxNodes: -1}
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				drawn(b, root, gradients, o)
			}
		})
	}
	b.Run("mermaid", func(b *testing.B) {
		for b.Loop() {
			mermaid(b, root, gradients, graphviz.Options{View: graphviz.Combined, MaxNodes: -1})
		}
	})
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestWriterError(t *testing.T) {
	want := errors.New("disk full")
	if err := graphviz.Write(failingWriter{want}, recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{}); !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
}

func TestWriteFile(t *testing.T) {
	dir, root := t.TempDir(), recordingtest.Neuron()
	path := filepath.Join(dir, "neuron.dot")
	for _, before := range []string{"", "old content"} {
		if before != "" {
			if err := errors.Join(os.WriteFile(path, []byte(before), 0o600), os.Chmod(path, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		if err := graphviz.WriteFile(path, root, autograd.Gradients{}, graphviz.Options{}); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, drawn(t, root, autograd.Gradients{}, graphviz.Options{})) {
			t.Errorf("got %q, error %v", got, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the permissions of the replaced file are lost: %v, error %v", info.Mode(), err)
	}
	onlyFile(t, dir)
}

// The obstacle is left as it was, and no other file appears.
func TestWriteFileError(t *testing.T) {
	dir := t.TempDir()
	if err := graphviz.WriteFile(filepath.Join(dir, "none", "x.dot"), recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing folder: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.dot"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := graphviz.WriteFile(filepath.Join(dir, "folder.dot"), recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{}); err == nil {
		t.Error("a folder was replaced")
	}
	onlyFile(t, dir)
}

func TestWriteFileKeepsSymbolicLink(t *testing.T) {
	dir := t.TempDir()
	link, target := filepath.Join(dir, "link.dot"), filepath.Join(t.TempDir(), "target.dot")
	if err := os.WriteFile(target, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := graphviz.WriteFile(link, recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.Readlink(link); err != nil || got != target {
		t.Errorf("the link is now %q, error %v", got, err)
	}
	if info, err := os.Stat(target); err != nil || info.Size() == 0 {
		t.Errorf("nothing was written: %v", err)
	}
}

func onlyFile(t *testing.T, dir string) {
	t.Helper()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left over: %v, error %v", entries, err)
	}
}

func TestMistakesPanic(t *testing.T) {
	stale := recordingtest.Neuron()
	staleGradients := stale.Backward()
	stale.Graph().Reset()
	changed := autograd.NewParam("w", autograd.Scalar(1))
	g := autograd.NewGraph(autograd.Options{})
	reads := g.Param(changed).Square()
	changed.Set(autograd.Scalar(2))
	for name, c := range map[string]struct {
		root  autograd.Value
		grads autograd.Gradients
		o     graphviz.Options
		want  any
	}{
		"view":              {recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{View: 99}, new(*autograd.ArgumentError)},
		"direction":         {recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{Direction: "UP"}, new(*autograd.ArgumentError)},
		"negative digits":   {recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{Digits: -1}, new(*autograd.ArgumentError)},
		"too many digits":   {recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{Digits: 18}, new(*autograd.ArgumentError)},
		"negative elements": {recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{Elements: -1}, new(*autograd.ArgumentError)},
		"zero Value":        {autograd.Value{}, autograd.Gradients{}, graphviz.Options{}, new(*autograd.GraphError)},
		"another graph's gradients, of a constant": {autograd.NewGraph(autograd.Options{}).Scalar(1), recordingtest.Neuron().Backward(), graphviz.Options{}, new(*autograd.GraphError)},
		"another graph's gradients":                {recordingtest.Neuron(), recordingtest.Neuron().Backward(), graphviz.Options{}, new(*autograd.GraphError)},
		"a Value after Reset":                      {stale, autograd.Gradients{}, graphviz.Options{}, new(*autograd.StaleError)},
		"gradients after Reset":                    {recordingtest.Neuron(), staleGradients, graphviz.Options{}, new(*autograd.StaleError)},
		"a changed parameter":                      {reads, autograd.Gradients{}, graphviz.Options{}, new(*autograd.StaleError)},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.dot")
			err := autograd.Try(func() { graphviz.WriteFile(path, c.root, c.grads, c.o) })
			if err == nil || !errors.As(err, c.want) {
				t.Errorf("got %v, want %T", err, c.want)
			}
			if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a file was left: %v", err)
			}
		})
	}
}

// FuzzNames draws a value, a scope, a custom operation and a title with any
// name. TestNamesLaidOut lays out the seeds with Graphviz.
func FuzzNames(f *testing.F) {
	for _, name := range recordingtest.Names {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, view := range []graphviz.View{graphviz.Forward, graphviz.Backward, graphviz.Combined} {
			p, err := parse(oddlyNamed(t, name, view))
			if err != nil {
				t.Fatal(err)
			}
			arrows := map[graphviz.View]int{graphviz.Forward: 1, graphviz.Backward: 1, graphviz.Combined: 2}[view]
			if len(p.boxes) != 2 || len(p.arrows) != arrows || len(p.frames) != 1 {
				t.Errorf("%d boxes, %d arrows, %d frames", len(p.boxes), len(p.arrows), len(p.frames))
			}
			if _, err := parse(oddlyNamed(t, name, view, graphviz.Depth(1), graphviz.Collapse(func(autograd.Node) string { return name }))); err != nil {
				t.Fatal(err)
			}
			for _, c := range p.frames[0]["label"] {
				if c < ' ' || c == 0x7f {
					t.Errorf("control character %U", c)
				}
			}
		}
	})
}

func TestNamesLaidOut(t *testing.T) {
	for _, name := range recordingtest.Names {
		check(t, oddlyNamed(t, name, graphviz.Combined))
	}
}

// called records a value, a scope and a custom operation with that name.
func called(name string) autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.Scalar(1)).Named(name)
	operation := autograd.Operation{
		Name:    name,
		Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0].Clone() },
		Rule:    func(r *autograd.Rule) { r.Add(0, r.Grad()) },
	}
	g.Enter(name)
	defer g.Leave()
	return autograd.Custom(operation, x)
}

func oddlyNamed(t testing.TB, name string, view graphviz.View, selected ...graphviz.Selection) []byte {
	y := called(name)
	return drawn(t, y, y.Backward(), graphviz.Options{View: view, Title: name, Select: selected})
}
