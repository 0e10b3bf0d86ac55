package main

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
)

// near compares float64 numbers that were rounded differently.
var near = cmpopts.EquateApprox(1e-12, 1e-12)

// nearSingle is near for float32.
var nearSingle = cmpopts.EquateApprox(1e-4, 1e-5)

func TestNames(t *testing.T) {
	want := []string{
		"W1-scalar", "W1-chain", "W2",
		"W3-784-128-10-b64", "W3-784-128-10-b128", "W3-784-512-512-10-b64", "W3-784-512-512-10-b128",
		"W4-64", "W4-128", "W4-256", "W4-384", "W4-512", "W4-768", "W4-1024", "W4-2048", "W4-64x784x128", "W4-784x64x128", "W4-64x128x784",
		"W5-lenet-b32", "W5-lenet-b32-forward", "W5-unet-b16", "W5-conv-16", "W5-conv-32", "W5-conv-64", "W5-depthwise-32",
		"W5-batchnorm-32", "W5-maxpool-32", "W5-avgpool-32",
		"W6-lstm", "W6-lstm-forward", "W6-gru", "W6-gru-forward",
		"W7-exp", "W7-tanh", "W7-sigmoid", "W7-add", "W7-mul", "W7-relu", "W7-sum", "W7-gelu", "W7-asin", "W7-softmax",
		"W8-block", "W8-block-gelu", "W8-attention-4096", "W8-token",
		"W9-embedding-5000", "W9-embedding-50000", "W9-embedding-200000", "W9-embedding-5000-dense", "W9-embedding-50000-dense",
		"W-ratio",
	}
	var got []string
	for _, w := range workloads() {
		got = append(got, w.name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	wantPeers := []string{"tape", "torch", "loops", "jax", "jax-loop", "gomlx", "gomlx-plain", "gorgonia", "openblas", "gonum", "forward+backward"}
	if diff := cmp.Diff(wantPeers, peerNames(workloads())); diff != "" {
		t.Errorf("peers (-want +got):\n%s", diff)
	}
}

// The tape and Nabla train the same network to the same numbers.
func TestScalarAgainstTape(t *testing.T) {
	t.Run("float64", func(t *testing.T) { scalarAgainstTape[float64](t, autograd.Float64, near) })
	t.Run("float32", func(t *testing.T) { scalarAgainstTape[float32](t, autograd.Float32, nearSingle) })
}

func scalarAgainstTape[T number](t *testing.T, p autograd.Precision, near cmp.Option) {
	nabla, tape := newScalarNetwork(p), newTapeNetwork[T]()
	first, last := 0.0, 0.0
	for step := range 100 {
		last = nabla.forward().Item()
		tape.forward()
		if diff := cmp.Diff(float64(tape.tape.nodes[len(tape.tape.nodes)-1].value), last, near); diff != "" {
			t.Fatalf("loss of step %d (-tape +Nabla):\n%s", step, diff)
		}
		if step == 0 {
			first = last
		}
		nabla.step()
		tape.step()
	}
	if !(last < first/2) {
		t.Errorf("the loss went from %v to %v: nothing was learned", first, last)
	}
	var want, got []float64
	for i, p := range nabla.params {
		want = append(want, float64(tape.tape.nodes[i].value))
		got = append(got, p.Item())
	}
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("weights (-tape +Nabla):\n%s", diff)
	}
}

// The sizes that the figures of W1-scalar are quoted for.
func TestScalarSize(t *testing.T) {
	n := newScalarNetwork(autograd.Float64)
	n.forward()
	tape := newTapeNetwork[float64]()
	tape.forward()
	want := struct{ Params, Nabla, Tape int }{337, 983, 983}
	got := struct{ Params, Nabla, Tape int }{len(n.params), n.g.Stats().Nodes, len(tape.tape.nodes)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
}

func TestChainAgainstTape(t *testing.T) {
	nabla, tape := newChain(autograd.Float64), newTapeChain[float64]()
	nabla.length, tape.length = 3000, 3000
	nabla.step()
	tape.step()
	var got, want []float64
	for i, leaf := range nabla.leaves {
		got = append(got, nabla.grads.Of(leaf).Item())
		want = append(want, tape.tape.nodes[i].grad)
	}
	got = append(got, nabla.g.At(nabla.g.Stats().Nodes-1).Item())
	want = append(want, tape.tape.nodes[len(tape.tape.nodes)-1].value)
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("gradients and value (-tape +Nabla):\n%s", diff)
	}
}

// The tape is a peer and a reference, so it is tested itself.
func TestTapeAgainstDifferences(t *testing.T) {
	value := func(start, factor, summand float64) float64 {
		return math.Tanh(start*factor+summand) * factor
	}
	c := newTapeChain[float64]()
	c.length = 4
	c.step()
	const h = 1e-6
	s, f, b := chainStart, chainFactor, chainSummand
	want := []float64{
		(value(s+h, f, b) - value(s-h, f, b)) / (2 * h),
		(value(s, f+h, b) - value(s, f-h, b)) / (2 * h),
		(value(s, f, b+h) - value(s, f, b-h)) / (2 * h),
	}
	var got []float64
	for _, n := range c.tape.nodes[:3] {
		got = append(got, n.grad)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-8, 0)); diff != "" {
		t.Errorf("gradients (-differences +tape):\n%s", diff)
	}
}

func TestTinyAgainstLoops(t *testing.T) {
	t.Run("float64", func(t *testing.T) { tinyAgainstLoops[float64](t, autograd.Float64, near) })
	t.Run("float32", func(t *testing.T) { tinyAgainstLoops[float32](t, autograd.Float32, nearSingle) })
}

func tinyAgainstLoops[T number](t *testing.T, p autograd.Precision, near cmp.Option) {
	nabla, loops := newTinyNetwork(p), newLoops[T]()
	first := nabla.forward().Item()
	for step := range 200 {
		loss := nabla.forward().Item()
		nabla.step()
		loops.step()
		if diff := cmp.Diff(float64(loops.loss()), loss, near); diff != "" {
			t.Fatalf("loss of step %d (-loops +Nabla):\n%s", step, diff)
		}
	}
	if last := nabla.forward().Item(); !(last < 0.9*first) {
		t.Errorf("the loss went from %v to %v: nothing was learned", first, last)
	}
	want := loops.params()
	var got []float64
	for _, p := range nabla.model.Params() {
		got = append(got, p.Tensor().Float64s()...)
	}
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("weights (-loops +Nabla):\n%s", diff)
	}
}

// params returns the parameters in Nabla's order.
func (l *loops[T]) params() []float64 {
	var all []float64
	for _, part := range [][]T{l.w1[0][:], l.w1[1][:], l.b1[:], l.w2[:], {l.b2}} {
		for _, v := range part {
			all = append(all, float64(v))
		}
	}
	return all
}

func TestNetworkAgainstTwin(t *testing.T) {
	n := newNetwork(autograd.Float64, 3, []int{5, 4, 3, 2})
	twin := newTwin(n)
	for range 20 {
		want := twin.step()
		got := n.forward().Item()
		n.step()
		if diff := cmp.Diff(want, got, near); diff != "" {
			t.Fatalf("loss (-twin +Nabla):\n%s", diff)
		}
	}
	for i, p := range n.model.Params() {
		if diff := cmp.Diff(twin.params[i], p.Tensor().Float64s(), near); diff != "" {
			t.Errorf("parameter %d (-twin +Nabla):\n%s", i, diff)
		}
	}
}

// A twin is a W3 network computed row by row and number by number.
type twin struct {
	params   [][]float64 // weights and biases in turn
	features []float64
	labels   []int
}

func newTwin(n *network) *twin {
	w := &twin{features: n.features.Float64s(), labels: n.labels.Values()}
	for _, p := range n.model.Params() {
		w.params = append(w.params, p.Tensor().Float64s())
	}
	return w
}

// step trains on all rows and returns the loss before the step.
func (w *twin) step() float64 {
	loss := 0.0
	grads := make([][]float64, len(w.params))
	for i, p := range w.params {
		grads[i] = make([]float64, len(p))
	}
	rows := len(w.labels)
	inputs := len(w.features) / rows
	for r, label := range w.labels {
		loss += w.row(w.features[r*inputs:(r+1)*inputs], label, grads) / float64(rows)
	}
	for i, p := range w.params {
		for j := range p {
			p[j] -= networkRate * grads[i][j] / float64(rows)
		}
	}
	return loss
}

// row adds the gradients of a row and returns its loss.
func (w *twin) row(x []float64, label int, grads [][]float64) float64 {
	inputs := [][]float64{x}
	for i := 0; i < len(w.params); i += 2 {
		x = w.dense(x, i)
		if i+2 < len(w.params) {
			for j := range x {
				x[j] = max(x[j], 0)
			}
		}
		inputs = append(inputs, x)
	}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(v)
	}
	gradient := make([]float64, len(x))
	for j, v := range x {
		gradient[j] = math.Exp(v) / sum
	}
	gradient[label]--
	for i := len(w.params) - 2; i >= 0; i -= 2 {
		gradient = w.denseGradient(inputs[i/2], gradient, i, grads)
	}
	return math.Log(sum) - x[label]
}

func (w *twin) dense(x []float64, i int) []float64 {
	y := slices.Clone(w.params[i+1])
	for a, v := range x {
		for b := range y {
			y[b] += v * w.params[i][a*len(y)+b]
		}
	}
	return y
}

// denseGradient adds a layer's gradients and returns that of its input x; x is
// the output of a relu, so the gradient is 0 where x is 0.
func (w *twin) denseGradient(x, gy []float64, i int, grads [][]float64) []float64 {
	gx := make([]float64, len(x))
	for a, v := range x {
		for b, g := range gy {
			grads[i][a*len(gy)+b] += v * g
			if v > 0 {
				gx[a] += g * w.params[i][a*len(gy)+b]
			}
		}
	}
	for b, g := range gy {
		grads[i+1][b] += g
	}
	return gx
}

func TestProducts(t *testing.T) {
	for _, f := range []form{
		{m: 3, k: 4, n: 5},
		{m: 7, k: 2, n: 9, transA: true},
		{m: 6, k: 8, n: 3, transB: true},
		{m: 64, k: 31, n: 17},
	} {
		m := newMatrices[float64](f)()
		want := m.naive()
		m.step()
		g := newGonum64(f)()
		g.step()
		if diff := cmp.Diff(want, m.c, near); diff != "" {
			t.Errorf("%+v (-naive +Nabla):\n%s", f, diff)
		}
		if diff := cmp.Diff(want, g.c.RawMatrix().Data, near); diff != "" {
			t.Errorf("%+v (-naive +gonum):\n%s", f, diff)
		}
		single, gonum := newMatrices[float32](f)(), newGonum32(f)()
		wantSingle := single.naive()
		single.step()
		gonum.step()
		if diff := cmp.Diff(wantSingle, single.c, nearSingle); diff != "" {
			t.Errorf("%+v in float32 (-naive +Nabla):\n%s", f, diff)
		}
		if diff := cmp.Diff(wantSingle, gonum.c.Data, nearSingle); diff != "" {
			t.Errorf("%+v in float32 (-naive +gonum):\n%s", f, diff)
		}
	}
}

// naive is the product by its definition.
func (m *matrices[T]) naive() []T {
	c := make([]T, m.m*m.n)
	for i := range m.m {
		for j := range m.n {
			for q := range m.k {
				a, b := m.a[i*m.k+q], m.b[q*m.n+j]
				if m.transA {
					a = m.a[q*m.m+i]
				}
				if m.transB {
					b = m.b[j*m.k+q]
				}
				c[i*m.n+j] += a * b
			}
		}
	}
	return c
}

func TestElementwise(t *testing.T) {
	const rows, columns = 3, 4
	each := func(f func(x, y float64) float64) func(x, y []float64) []float64 {
		return func(x, y []float64) []float64 {
			z := make([]float64, len(x))
			for i := range x {
				z[i] = f(x[i], y[i])
			}
			return z
		}
	}
	want := map[string]func(x, y []float64) []float64{
		"exp":     each(func(x, _ float64) float64 { return math.Exp(x) }),
		"tanh":    each(func(x, _ float64) float64 { return math.Tanh(x) }),
		"sigmoid": each(func(x, _ float64) float64 { return 1 / (1 + math.Exp(-x)) }),
		"add":     each(func(x, y float64) float64 { return x + y }),
		"mul":     each(func(x, y float64) float64 { return x * y }),
		"relu":    each(func(x, _ float64) float64 { return max(x, 0) }),
		"gelu":    each(func(x, _ float64) float64 { return x * math.Erfc(-x/math.Sqrt2) / 2 }),
		"asin":    each(func(x, _ float64) float64 { return math.Asin(x) }),
		"sum":     func(x, _ []float64) []float64 { return []float64{sum(x)} },
		"softmax": func(x, _ []float64) []float64 {
			z := each(func(x, _ float64) float64 { return math.Exp(x) })(x, x)
			for i := 0; i < len(z); i += columns {
				for j, total := 0, sum(z[i:i+columns]); j < columns; j++ {
					z[i+j] /= total
				}
			}
			return z
		},
	}
	for _, o := range elementOperations {
		e := newElements(autograd.Float64, rows, columns, o)
		x, y := e.x.Tensor().Float64s(), e.y.Tensor().Float64s()
		if diff := cmp.Diff(want[o.name](x, y), e.forward().Tensor().Float64s(), near); diff != "" {
			t.Errorf("%s (-want +got):\n%s", o.name, diff)
		}
	}
}

func sum(x []float64) float64 {
	total := 0.0
	for _, v := range x {
		total += v
	}
	return total
}

// The quotient that W-ratio is compared with.
func TestFlops(t *testing.T) {
	forward, backward := forwardFlops(largeWidths, 64), backwardFlops(largeWidths, 64)
	if diff := cmp.Diff(2.4, (forward+backward)/forward, cmpopts.EquateApprox(0, 0.001)); diff != "" {
		t.Errorf("(forward + backward) ÷ forward (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(2.0*64*(784*128+128*10), forwardFlops(smallWidths, 64)); diff != "" {
		t.Errorf("forward (-want +got):\n%s", diff)
	}
}

// Every workload and peer runs in both precisions; the long ones are covered by
// their parts.
func TestStepsRun(t *testing.T) {
	for _, w := range workloads() {
		if w.flops > 1e7 || w.name == "W1-chain" {
			continue
		}
		for _, p := range []autograd.Precision{autograd.Float32, autograd.Float64} {
			w.nabla(p)()
			for _, peer := range w.peers {
				if peer.prepare != nil {
					peer.prepare(p)()
				}
			}
		}
	}
}

// Training steps of these workloads allocate nothing once warm.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	small := newNetwork(autograd.Float64, 6, []int{5, 4, 3})
	for name, step := range map[string]func(){
		"W1-scalar": newScalarNetwork(autograd.Float64).step,
		"W2":        newTinyNetwork(autograd.Float64).step,
		"W3":        small.step,
		"tape":      newTapeNetwork[float64]().step,
	} {
		step()
		if got := testing.AllocsPerRun(10, step); got != 0 {
			t.Errorf("%s allocates %v times a step", name, got)
		}
	}
}
