package graphviz

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/internal/recording"
	"nabla/internal/recording/recordingtest"
	"nabla/losses"
)

// overTime returns what each step adds to the gradients of recordingtest's
// Unrolled, last step first, by the recursion of backpropagation through time.
func overTime() map[string][]float64 {
	const wx, wh, b, wy, target = 0.5, -0.75, 0.25, 2., 1.
	x, h := []float64{1, -2, 0.5}, []float64{0}
	for t := range x {
		h = append(h, math.Tanh(wx*x[t]+wh*h[t]+b))
	}
	all := map[string][]float64{}
	dh := (wy*h[3] - target) * wy
	for t := 3; t >= 1; t-- {
		dz := dh * (1 - h[t]*h[t])
		all["w_x"] = append(all["w_x"], dz*x[t-1])
		all["w_h"] = append(all["w_h"], dz*h[t-1])
		all["b"] = append(all["b"], dz)
		dh = dz * wh
	}
	return all
}

// sharesOf returns the terms that the picture writes, by the names of the
// weights.
func sharesOf(l *lesson) map[string][]float64 {
	all := map[string][]float64{}
	for i, places := range l.places {
		if places == nil {
			continue
		}
		for _, s := range l.shares(i) {
			all[l.Nodes[i].Name] = append(all[l.Nodes[i].Name], s.value)
		}
	}
	return all
}

// The gradient of a weight that is shared over time is written as the sum of
// what the steps add, whether each step has a scope or one is entered again.
func TestGradientsAreSumsOverTime(t *testing.T) {
	for name, scope := range map[string]func(step int) string{
		"scopes": func(step int) string { return fmt.Sprint("step ", step) },
		"calls":  func(int) string { return "cell" },
	} {
		l := lessonOf(t, recordingtest.Unrolled(scope))
		if diff := cmp.Diff(overTime(), sharesOf(l), cmpopts.EquateApprox(1e-14, 0)); diff != "" {
			t.Errorf("%s: the sums (-want +got)\n%s", name, diff)
		}
		if len(l.framed) != 3 {
			t.Errorf("%s: %d steps", name, len(l.framed))
		}
		for i, places := range l.places {
			if places == nil {
				continue
			}
			text := l.lower(l.spotsOf(i)[0]).String()
			for k, at := range []string{"dz3", "dz2", "dz1"} {
				if want := "from " + at; !strings.Contains(text, want) || k > 0 && strings.Index(text, want) < strings.Index(text, "from dz3") {
					t.Errorf("%s: %s lacks %q in %s", name, l.Nodes[i].Name, want, text)
				}
			}
		}
	}
}

// Time runs from left to right: the columns of a step are those right after the
// step before it, and what a step uses stands in its columns.
func TestStepsHaveColumnsOfTheirOwn(t *testing.T) {
	l := lessonOf(t, recordingtest.Recurrent())
	for k, f := range l.framed {
		if want := fmt.Sprint("step ", k+1); f.name != want || f.first > f.last || k > 0 && f.first != l.framed[k-1].last+1 {
			t.Errorf("step %d is %+v after %+v", k+1, f, l.framed[:k])
		}
		var names []string
		for column := f.first; column <= f.last; column++ {
			for _, s := range l.inColumn(column) {
				names = append(names, l.Nodes[s.node].Name)
			}
		}
		want := strings.Fields(strings.ReplaceAll("xN w_x w_h b zN hN", "N", fmt.Sprint(k+1)))
		if k == 0 {
			want = append([]string{"h0"}, want...)
		}
		slices.Sort(names)
		if slices.Sort(want); !slices.Equal(names, want) {
			t.Errorf("step %d holds %v, want %v", k+1, names, want)
		}
	}
}

// A weight is marked as shared wherever it is used at several places: side by
// side, one after the other, or in the loss beside the network.
func TestSharedWeights(t *testing.T) {
	const w, x1, x2 = 0.5, 2., -1.
	h1, h2 := math.Tanh(w*x1), math.Tanh(w*x2)
	for name, c := range map[string]struct {
		record func(g *autograd.Graph, w autograd.Value) autograd.Value
		want   []float64
	}{
		"siamese": {func(g *autograd.Graph, w autograd.Value) autograd.Value {
			twin := func(x float64, scope string) autograd.Value {
				g.Enter(scope)
				defer g.Leave()
				return w.Mul(g.Scalar(x)).Named("z " + scope).Tanh()
			}
			return twin(x1, "left").Sub(twin(x2, "right")).Square()
		}, []float64{-2 * (h1 - h2) * (1 - h2*h2) * x2, 2 * (h1 - h2) * (1 - h1*h1) * x1}},
		"tied": {func(g *autograd.Graph, w autograd.Value) autograd.Value {
			code := w.Mul(g.Scalar(x1)).Named("z").Tanh().Named("code")
			return w.Mul(code).Named("y").Sub(g.Scalar(1).Named("t")).Square()
		}, []float64{2 * (w*h1 - 1) * h1, 2 * (w*h1 - 1) * w * (1 - h1*h1) * x1}},
		"used once": {func(g *autograd.Graph, w autograd.Value) autograd.Value {
			return w.Mul(g.Scalar(x1)).Named("z").Sub(g.Scalar(1).Named("t")).Square()
		}, nil},
	} {
		g := autograd.NewGraph(autograd.Options{Trace: true})
		weight := g.Param(autograd.NewParam("w", autograd.Scalar(w)))
		loss := c.record(g, weight)
		l := lessonOf(t, loss)
		if diff := cmp.Diff(c.want, sharesOf(l)["w"], cmpopts.EquateApprox(1e-14, 0)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
		if name != "tied" && l.framed != nil {
			t.Errorf("%s: the frames %v of a loop", name, l.framed)
		}
		var b bytes.Buffer
		if err := Write(&b, loss, loss.Backward(), Options{View: Course}); err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Count(b.String(), "shared ×2"), len(c.want); got != want {
			t.Errorf("%s: %d marks, want %d", name, got, want)
		}
	}
}

// A long sum is cut off, with the sum of the rest in its last term.
func TestLongSums(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	w, h := g.Param(autograd.NewParam("w", autograd.Scalar(1.5))), g.Scalar(1)
	for t := range 11 {
		h = w.Mul(h).Named(fmt.Sprint("h", t+1))
	}
	l := lessonOf(t, h)
	for i, places := range l.places {
		if places == nil {
			continue
		}
		text := l.lower(l.spotsOf(i)[0]).String()
		share := math.Pow(1.5, 10) // of every step
		if !strings.Contains(text, "from 3 more") || !strings.Contains(text, fmt.Sprintf("%.0f", 3*share)) || !strings.Contains(text, fmt.Sprintf("%.1f", 11*share)) {
			t.Errorf("the sum is %s", text)
		}
	}
}

// In the view Neurons a shared weight has its name, an input stands beside the
// step that uses it, and with WeightGradients each place shows what it adds.
func TestNeuronsOfALoop(t *testing.T) {
	loss := recordingtest.Recurrent()
	m, _, err := modelOf(loss, loss.Backward(), Options{View: Neurons}.checked())
	if err != nil {
		t.Fatal(err)
	}
	b := m.Neurons()
	got := map[string][]float64{}
	for _, s := range slices.Backward(b.Synapses) {
		if s.Shared != "" {
			got[s.Shared] = append(got[s.Shared], s.Slope)
		}
		if from, to := b.Circles[s.From], b.Circles[s.To]; from.Layer != to.Layer-1 {
			t.Errorf("%s in column %d leads to %s in %d", from.Name, from.Layer, to.Name, to.Layer)
		}
	}
	want := overTime()
	delete(want, "b")
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-14, 0)); diff != "" {
		t.Errorf("the weights' gradients (-want +got)\n%s", diff)
	}
}

// unrolledBatch is a loop over a batch of 3 rows, on tensors: 1 input, 2
// outputs, 4 steps.
func unrolledBatch() (loss autograd.Value, wh *autograd.Param) {
	rng := rand.New(rand.NewPCG(3, 1))
	normal := func(shape ...int) autograd.Tensor { return autograd.Normal(rng, 0, 1, shape...) }
	wx, b, wy := autograd.NewParam("Wx", normal(1, 2)), autograd.NewParam("b", normal(2)), autograd.NewParam("Wy", normal(2, 1))
	wh = autograd.NewParam("Wh", normal(2, 2))
	g := autograd.NewGraph(autograd.Options{Trace: true})
	h := g.Constant(normal(3, 2)).Named("h0").As(autograd.RoleInput)
	for t := range 4 {
		g.Enter("cell")
		x := g.Constant(normal(3, 1)).Named(fmt.Sprint("x", t+1)).As(autograd.RoleInput)
		h = x.MatMul(g.Param(wx)).Add(h.MatMul(g.Param(wh))).Add(g.Param(b)).Named(fmt.Sprint("z", t+1)).Tanh().Named(fmt.Sprint("h", t+1))
		g.Leave()
	}
	y := h.MatMul(g.Param(wy)).Named("y")
	return losses.MSE(y, g.Constant(normal(3, 1)).Named("t")), wh
}

// Of a batch, the sum over time is this row's part; those of all rows add up to
// the gradient.
func TestSumsOverTimeOfABatch(t *testing.T) {
	loss, wh := unrolledBatch()
	grads := loss.Backward()
	rows := make([]float64, wh.Size())
	for row := range 3 {
		l := lessonOf(t, loss, recording.Sample(row))
		if len(l.framed) != 4 {
			t.Errorf("%d steps", len(l.framed))
		}
		for i := range l.Nodes {
			n := &l.Nodes[i]
			if !strings.HasPrefix(n.Name, "Wh") {
				continue
			}
			sum := 0.0
			for _, s := range l.shares(i) {
				sum += s.value
			}
			if p := l.partsOf(n); len(l.places[i]) != 4 || math.Abs(sum-p.row) > 1e-14 {
				t.Errorf("row %d: %s at %d places has the sum %v, and %v of this row", row, n.Name, len(l.places[i]), sum, p.row)
			}
			rows[n.Element] += sum
		}
	}
	if diff := cmp.Diff(grads.OfParam(wh).Float64s(), rows, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Errorf("the gradient (-) and the sum over time and rows (+)\n%s", diff)
	}
}

// On tensors the products with a step's input and with its state are one layer
// of neurons, and each place has its part of the gradient.
func TestNeuronsOfALoopOfTensors(t *testing.T) {
	loss, wh := unrolledBatch()
	grads := loss.Backward()
	m, _, err := modelOf(loss, grads, Options{View: Neurons}.checked())
	if err != nil {
		t.Fatal(err)
	}
	b := m.Neurons()
	if got, want := len(b.Circles), 2+4*(1+2)+1; got != want {
		t.Errorf("%d circles, want %d: the state, four inputs with two neurons each, the output", got, want)
	}
	sum, synapses := 0.0, 0
	for _, s := range b.Synapses {
		from, to := b.Circles[s.From], b.Circles[s.To]
		if from.Layer != to.Layer-1 {
			t.Errorf("%s in column %d leads to %s in %d", from.Name, from.Layer, to.Name, to.Layer)
		}
		if s.Shared == "Wh" {
			sum, synapses = sum+s.Slope, synapses+1
		}
	}
	want := 0.0
	for _, v := range grads.OfParam(wh).Float64s() {
		want += v
	}
	if synapses != 4*4 || math.Abs(sum-want) > 1e-12 {
		t.Errorf("the parts of %d weights add up to %v, the gradient to %v", synapses, sum, want)
	}
}
