package graphviz_test

import (
	"bytes"
	"testing"

	"nabla/autograd"
	"nabla/graphviz"
	"nabla/internal/recording/recordingtest"
)

// neuronNamed records a neuron in which everything has the same name.
func neuronNamed(name string) autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	g.Enter(name)
	x := g.Constant(autograd.Ones(2, 2)).Named(name).As(autograd.RoleInput)
	z := x.MatMul(g.Param(autograd.NewParam(name, autograd.Ones(2, 1)))).Named(name)
	g.Leave()
	return z.Sub(g.Constant(autograd.Zeros(2, 1)).Named(name)).Square().Mean().Named(name)
}

// FuzzNamesOfNeurons draws a data point, the course's picture and the neurons
// with any name. The seeds are also laid out by Graphviz.
func FuzzNamesOfNeurons(f *testing.F) {
	for _, name := range recordingtest.Names {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		root := neuronNamed(name)
		grads := root.Backward()
		for view, want := range map[graphviz.View]int{graphviz.Forward: 10, graphviz.Course: 14, graphviz.Neurons: 5} {
			var b bytes.Buffer
			o := graphviz.Options{View: view, Title: name, Select: []graphviz.Selection{graphviz.Sample(1)}}
			if err := graphviz.Write(&b, root, grads, o); err != nil {
				t.Fatal(err)
			}
			if p, err := parse(b.Bytes()); err != nil || len(p.boxes) != want {
				t.Errorf("view %d: %d boxes, want %d, error %v", view, len(p.boxes), want, err)
			}
		}
	})
}

func TestNamesOfNeuronsLaidOut(t *testing.T) {
	for _, name := range recordingtest.Names {
		root := neuronNamed(name)
		grads := root.Backward()
		for _, view := range []graphviz.View{graphviz.Course, graphviz.Neurons} {
			check(t, drawn(t, root, grads, graphviz.Options{View: view, Title: name, Select: []graphviz.Selection{graphviz.Sample(1)}}))
		}
	}
}

// Data points of graphs without gradients, without Trace and in single
// precision.
func TestDataPointsOfOtherGraphs(t *testing.T) {
	for name, c := range map[string]struct {
		options  autograd.Options
		backward bool
	}{
		"no gradients": {autograd.Options{NoGrad: true}, false},
		"before":       {autograd.Options{Trace: true}, false},
		"no trace":     {autograd.Options{}, true},
		"single":       {autograd.Options{Trace: true, Precision: autograd.Float32}, true},
	} {
		g := autograd.NewGraph(c.options)
		x := g.Constant(autograd.FromNested([][]float64{{1, 2}, {3, 4}, {0.1, 7}})).As(autograd.RoleInput)
		w, b := g.Param(autograd.NewParam("w", autograd.Ones(2, 2))), g.Param(autograd.NewParam("b", autograd.Ones(2)))
		root := x.MatMul(w).Add(b).Named("z").Softmax(1).Named("a").Sub(g.OneHot(autograd.NewInts([]int{1, 0, 1}), 2).As(autograd.RoleTarget)).Square().Mean()
		var o graphviz.Options
		var grads autograd.Gradients
		if c.backward {
			grads = root.Backward()
		}
		for _, view := range []graphviz.View{graphviz.Forward, graphviz.Backward, graphviz.Combined, graphviz.Course, graphviz.Neurons} {
			for _, gradients := range []bool{false, true} {
				o.View, o.WeightGradients = view, gradients
				o.Select = []graphviz.Selection{graphviz.Sample(2)}
				if p := check(t, drawn(t, root, grads, o)); len(p.boxes) < 4 && (view != graphviz.Backward || !c.options.NoGrad) {
					t.Errorf("%s, view %d: %d boxes", name, view, len(p.boxes))
				}
			}
		}
		o.View, o.Select = graphviz.Neurons, nil
		check(t, drawn(t, root, grads, o))
	}
}
