package graphviz

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/data/hotels"
	"nabla/layers"
	"nabla/losses"
)

// addUp checks that each gradient of a model of single numbers is the sum of
// what the value receives, and each contribution the product of gradient and
// factor.
func addUp(t *testing.T, m *model) {
	t.Helper()
	for i := range m.nodes {
		n := &m.nodes[i]
		if (n.op == meanOfRows || n.op == sumOfRows) && !n.isRest() {
			meetsIn(t, m, n)
		}
		if i == m.root || n.state != reached {
			continue
		}
		sum, largest := make([]float64, n.value.size), 0.0
		for _, use := range n.uses {
			e := &m.edges[use]
			if !e.learns {
				continue
			}
			for k, v := range e.contribution.few {
				sum[k] += v
				largest = max(largest, math.Abs(v))
			}
			if up := m.nodes[e.to].gradient; e.localKnown && up.size == 1 && n.value.size == 1 {
				if product := up.few[0] * e.local.few[0]; math.Abs(product-e.contribution.few[0]) > 1e-12*math.Max(math.Abs(product), 1e-3) {
					t.Errorf("%s to %s: %v × %v is not %v", n.title(), m.nodes[e.to].title(), up.few[0], e.local.few[0], e.contribution.few[0])
				}
			}
		}
		for k, v := range sum {
			if math.Abs(v-n.gradient.few[k]) > 1e-12*largest {
				t.Errorf("%s: the contributions add up to %v, the gradient is %v", n.title(), v, n.gradient.few[k])
			}
		}
	}
}

// meetsIn checks that a node is the sum of its inputs times their factors.
func meetsIn(t *testing.T, m *model, n *node) {
	t.Helper()
	sum, largest := 0.0, 0.0
	for _, in := range n.in {
		if e := &m.edges[in]; m.nodes[e.from].value.size == 1 {
			v := m.nodes[e.from].value.few[0] * e.local.few[0]
			sum, largest = sum+v, max(largest, math.Abs(v))
		} else {
			return // of several meetings
		}
	}
	if math.Abs(sum-n.value.few[0]) > 1e-12*largest {
		t.Errorf("%s is %v, the rows add up to %v", n.title(), n.value.few[0], sum)
	}
}

// A hotelTask is one of the course's networks and what it learns, on all
// hotels.
type hotelTask struct {
	name    string
	sizes   []int
	output  layers.Layer
	loss    func(prediction, target autograd.Value) autograd.Value
	targets func(hotels.Rows) autograd.Tensor
}

var hotelTasks = []hotelTask{
	{"linear", []int{1, 1}, nil, losses.MSE, prices},
	{"nonlinear", []int{2, 3, 1}, nil, losses.MSE, prices},
	{"binary", []int{2, 3, 1}, layers.Sigmoid(), losses.BinaryCrossEntropy, hot},
	{"multiclass", []int{2, 3, 3}, layers.Softmax(), losses.CategoricalCrossEntropy, categories},
}

func prices(rows hotels.Rows) autograd.Tensor { return rows.Prices().Tensor() }
func hot(rows hotels.Rows) autograd.Tensor    { return rows.Hot().Tensor() }
func categories(rows hotels.Rows) autograd.Tensor {
	all, err := hotels.Categories().OneHot(rows.Categories())
	if err != nil {
		panic(err)
	}
	return all.Tensor()
}

func (h hotelTask) features(rows hotels.Rows) autograd.Tensor {
	if h.sizes[0] == 1 {
		return rows.Distances().Tensor()
	}
	return rows.Features().Tensor()
}

func (h hotelTask) record() (loss autograd.Value, network layers.Layer) {
	rows := hotels.Load()[:24]
	rng := rand.New(rand.NewPCG(4, 0))
	var all []layers.Layer
	for i := 1; i < len(h.sizes); i++ {
		all = append(all, layers.NewDense(rng, h.sizes[i-1], h.sizes[i]))
		if i+1 < len(h.sizes) {
			all = append(all, layers.ReLU())
		}
	}
	if h.output != nil {
		all = append(all, h.output)
	}
	g := autograd.NewGraph(autograd.Options{Trace: true})
	network = layers.NewSequential(all...)
	return h.loss(network.Forward(g.Constant(h.features(rows))), g.Constant(h.targets(rows))), network
}

func TestSampleOfTheHotels(t *testing.T) {
	for _, task := range hotelTasks {
		t.Run(task.name, func(t *testing.T) {
			loss, _ := task.record()
			grads := loss.Backward()
			for row := range 24 {
				addUp(t, sampled(t, loss, grads, row))
			}
		})
	}
}

func sampled(t testing.TB, root autograd.Value, grads autograd.Gradients, row int) *model {
	t.Helper()
	m, err := modelOf(root, Options{Gradients: grads, Select: []Selection{Sample(row)}}.checked())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The numbers of a data point are those of a network of scalars on its
// features alone, its gradients n times this row's part.
func TestSampleAgainstScalars(t *testing.T) {
	for _, task := range hotelTasks[:3] {
		t.Run(task.name, func(t *testing.T) {
			loss, network := task.record()
			const row, count = 5, 24
			m := sampled(t, loss, loss.Backward(), row)

			g := autograd.NewGraph(autograd.Options{Trace: true})
			features, target := task.features(hotels.Load()[row:row+1]), task.targets(hotels.Load()[row:row+1])
			var x []autograd.Value
			for _, v := range features.Float64s() {
				x = append(x, g.Scalar(v))
			}
			neurons := layers.NeuronsOf(network)
			a := neurons.Forward(x)
			want := task.loss(a[0], g.Scalar(target.Item()))
			grads := want.Backward()

			params := map[string]*node{}
			for i := range m.nodes {
				if n := &m.nodes[i]; n.kind == autograd.KindParam {
					params[m.scopes[n.scope].name+"."+n.name] = n
				}
			}
			for l, layer := range neurons.Layers {
				for j, neuron := range layer.Neurons {
					for i, w := range neuron.Weights {
						name := fmt.Sprintf("dense%d.w[%d,%d]", l+1, i, j)
						if len(layer.Neurons)*len(neuron.Weights) == 1 {
							name = fmt.Sprintf("dense%d.w", l+1)
						}
						n := params[name]
						if n == nil {
							t.Fatalf("no parameter %s", name)
						}
						own := m.edges[n.uses[0]]
						if m.nodes[own.to].op != weightedSum {
							t.Fatalf("%s goes to %s first", name, m.nodes[own.to].op)
						}
						if dw := grads.OfParam(w).Item(); math.Abs(count*own.contribution.few[0]-dw) > 1e-12*math.Max(1, math.Abs(dw)) {
							t.Errorf("%s: this row's part is %v, want %v/%d", name, own.contribution.few[0], dw, count)
						}
					}
				}
			}
		})
	}
}

// Every operation that is taken apart: what the single numbers receive adds up
// to the recorded gradient, which the library computes by other formulas.
func TestSampleOfEachOperation(t *testing.T) {
	labels := autograd.NewInts([]int{2, 0, 1, 2})
	for name, f := range map[string]func(h autograd.Value) autograd.Value{
		"sum":          func(h autograd.Value) autograd.Value { return h.Sum() },
		"mean":         func(h autograd.Value) autograd.Value { return h.Mean() },
		"sum of means": func(h autograd.Value) autograd.Value { return h.Mean(0).Sum() },
		"mean of sums": func(h autograd.Value) autograd.Value { return h.Sum(1).Square().Mean() },
		"two losses":   func(h autograd.Value) autograd.Value { return h.Square().Mean().Add(h.Abs().Sum()) },
		"softmax":      func(h autograd.Value) autograd.Value { return h.Softmax(1).Square().Sum(1).Mean() },
		"log softmax":  func(h autograd.Value) autograd.Value { return h.LogSoftmax(-1).Square().Mean() },
		"labels": func(h autograd.Value) autograd.Value {
			return losses.CategoricalCrossEntropyLabels(h.Softmax(1), labels)
		},
		"logits labels": func(h autograd.Value) autograd.Value {
			return losses.CategoricalCrossEntropyLabelsWith(h, labels, losses.Options{Logits: true})
		},
		"huber": func(h autograd.Value) autograd.Value { return losses.Huber(h, h.Graph().Full(0.3, 4, 3), 0.5) },
		"mae":   func(h autograd.Value) autograd.Value { return losses.MAE(h, h.Graph().Full(0.3, 4, 3)) },
		"bce logits": func(h autograd.Value) autograd.Value {
			return losses.BinaryCrossEntropyWith(h, h.Graph().Full(1, 4, 3), losses.Options{Logits: true})
		},
		"weighted": func(h autograd.Value) autograd.Value {
			weights := h.Graph().Constant(autograd.FromNested([][]float64{{1, 2, 1}, {1, 1, 1}, {3, 1, 1}, {1, 1, 4}}))
			return losses.MSEWith(h, h.Graph().Full(1, 4, 3), losses.Options{Weights: weights, Reduction: losses.WeightedMean})
		},
		"max":       func(h autograd.Value) autograd.Value { return h.Max(1).Square().Mean() },
		"ties":      func(h autograd.Value) autograd.Value { return h.Clamp(0, 0.01).Max(1).Mean() },
		"min":       func(h autograd.Value) autograd.Value { return h.Min(1, autograd.KeepDims).Mul(h).Mean() },
		"logsumexp": func(h autograd.Value) autograd.Value { return h.LogSumExp(1).Mean() },
		"norm":      func(h autograd.Value) autograd.Value { return h.Norm(2, 1).Mean() },
		"where": func(h autograd.Value) autograd.Value {
			return autograd.Where(h.GreaterScalar(0.2), h.Exp(), h.Scale(3)).Mean()
		},
		"slice": func(h autograd.Value) autograd.Value {
			return h.Slice(1, 0, 3, 2).Mul(h.Slice(1, 2, autograd.End, -2)).Mean()
		},
		"rows":    func(h autograd.Value) autograd.Value { return h.Slice(0, 1, 4, 1).Square().Mean() },
		"permute": func(h autograd.Value) autograd.Value { return h.T().Square().Sum(0).Mean() },
		"reshape": func(h autograd.Value) autograd.Value { return h.Reshape(2, 2, 3).Square().Mean() },
		"concat":  func(h autograd.Value) autograd.Value { return autograd.Concat(1, h, h.Exp()).Square().Mean() },
		"stack":   func(h autograd.Value) autograd.Value { return autograd.Stack(1, h, h.Square()).Sum(1).Square().Mean() },
		"expand":  func(h autograd.Value) autograd.Value { return h.Sum(1, autograd.KeepDims).Expand(4, 5).Square().Mean() },
		"pad":     func(h autograd.Value) autograd.Value { return h.Pad(2, [2]int{}, [2]int{1, 2}).Exp().Mean() },
		"index select": func(h autograd.Value) autograd.Value {
			return h.IndexSelect(1, autograd.NewInts([]int{2, 0, 2})).Exp().Mean()
		},
		"shuffled rows": func(h autograd.Value) autograd.Value {
			return h.IndexSelect(0, autograd.NewInts([]int{3, 1, 0, 2})).Exp().Mean()
		},
		"transposed": func(h autograd.Value) autograd.Value {
			return h.Graph().Variable(autograd.FromNested([][]float64{{1, -2, 0.5}, {0.3, 0.1, 2}})).MatMul(h.T()).Square().Mean()
		},
		"batch of products": func(h autograd.Value) autograd.Value {
			x := h.Unsqueeze(1)
			return x.Permute(0, 2, 1).MatMul(x).Square().Mean()
		},
		"detach": func(h autograd.Value) autograd.Value { return h.Mul(h.Detach()).Mean() },
		"custom": func(h autograd.Value) autograd.Value { return autograd.Custom(double, h.Mean()) },
		"regularised": func(h autograd.Value) autograd.Value {
			penalty := h.Graph().Variable(autograd.NewTensor([]float64{1, -2, 3}))
			return h.Mul(penalty).Mean().Add(penalty.Square().Sum().Scale(0.01))
		},
		"derived weights": func(h autograd.Value) autograd.Value {
			w := h.Graph().Variable(autograd.NewTensor([]float64{1, -2, 3})).Named("derived").Square()
			return h.Mul(w).Add(w.Reshape(1, 3)).Tanh().Mean()
		},
		"different weights": func(h autograd.Value) autograd.Value {
			table := h.Graph().Variable(autograd.FromNested([][]float64{{1, 2, 3}, {4, 5, 6}})).Exp()
			return h.Mul(table.IndexSelect(0, autograd.NewInts([]int{1, 0, 0, 1}))).Mean()
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := f(hiddenLayer())
			grads := root.Backward()
			for row := range 4 {
				m := sampled(t, root, grads, row)
				addUp(t, m)
				for i := range m.nodes {
					if n := &m.nodes[i]; !n.isRest() && n.source.View().Float64s()[n.element] != n.value.few[0] {
						t.Errorf("%s is %v, want element %d of %v", n.title(), n.value.few[0], n.element, n.source.View())
					}
				}
			}
		})
	}
}

var double = autograd.Operation{
	Name:    "double",
	Forward: func(in []autograd.Tensor) autograd.Tensor { return autograd.Scalar(2 * in[0].Item()) },
	Rule:    func(r *autograd.Rule) { r.Add(0, r.Grad().Scale(2)) },
}

// hiddenLayer records the activations of three neurons for four data points.
func hiddenLayer() autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Constant(autograd.FromNested([][]float64{{0.5, -1}, {2, 0.3}, {-0.7, 1.1}, {0.1, 0.9}})).As(autograd.RoleInput)
	w := g.Variable(autograd.FromNested([][]float64{{0.5, -0.3, 0.8}, {0.2, 0.9, -0.4}})).Named("W")
	b := g.Variable(autograd.NewTensor([]float64{0.1, 0.2, -0.1})).Named("b")
	return x.MatMul(w).Add(b).Named("z").Tanh().Named("a")
}

func TestSampleNames(t *testing.T) {
	root := hiddenLayer().Softmax(1).Sum(1).Mean().Named("loss")
	var got []string
	m := sampled(t, root, root.Backward(), 1)
	for i := range m.nodes {
		got = append(got, m.nodes[i].name)
	}
	want := []string{"x1", "x2", "W[0,0]", "W[0,1]", "W[0,2]", "W[1,0]", "W[1,1]", "W[1,2]", "b1", "b2", "b3",
		"z1", "z2", "z3", "a1", "a2", "a3", "softmax[0]", "softmax[1]", "softmax[2]", "", "the other 3 rows", "loss"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	rows := &m.nodes[m.root]
	if got, want := m.nodes[m.edges[rows.in[1]].from].value.few[0], 3.0; rows.op != "Σ/n" || math.Abs(got-want) > 1e-15 {
		t.Errorf("%s of this row and %v, want %v", rows.op, got, want)
	}
}

// What is one data point already: scalars, a vector of features, inputs
// without a mark.
func TestSampleWithoutBatch(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	w := g.Variable(autograd.FromNested([][]float64{{0.5, -0.3, 0.8}, {0.2, 0.9, -0.4}})).Named("W")
	scalar := g.Variable(autograd.Scalar(2)).Mul(g.Scalar(3).As(autograd.RoleInput))
	vector := g.Constant(autograd.NewTensor([]float64{1, 2})).As(autograd.RoleInput).MatMul(w).Sum()
	unmarked := g.Constant(autograd.FromNested([][]float64{{1, 2}})).MatMul(w).Sum()
	for name, root := range map[string]autograd.Value{"scalar": scalar, "vector": vector, "one row": unmarked} {
		m := sampled(t, root, root.Backward(), 0)
		addUp(t, m)
		for i := range m.nodes {
			if m.nodes[i].isRest() {
				t.Errorf("%s: other rows", name)
			}
		}
		if _, err := modelOf(root, Options{Select: []Selection{Sample(1)}}.checked()); !errors.As(err, new(*SampleError)) {
			t.Errorf("%s: row 1 gives %v", name, err)
		}
	}
}

func TestSampleErrors(t *testing.T) {
	for name, c := range map[string]struct {
		f    func(h autograd.Value) autograd.Value
		pick []Selection
		op   string
	}{
		"unknown": {func(h autograd.Value) autograd.Value { return h.CumSum(1).Sum() }, nil, "cumsum"},
		"custom": {func(h autograd.Value) autograd.Value {
			return autograd.Custom(autograd.Operation{Name: "mul", Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0].Clone() }, Rule: double.Rule}, h).Sum()
		}, nil, "mul"},
		"batch norm":    {func(h autograd.Value) autograd.Value { return h.Sub(h.Mean(0)).Square().Mean() }, nil, "sub"},
		"across rows":   {func(h autograd.Value) autograd.Value { return h.T().MatMul(h).Sum() }, nil, "matmul"},
		"greatest row":  {func(h autograd.Value) autograd.Value { return h.Max() }, nil, "max"},
		"a row of root": {func(h autograd.Value) autograd.Value { return h }, nil, "tanh"},
		"too large":     {func(h autograd.Value) autograd.Value { return h.Sum() }, []Selection{Sample(4)}, "Sample"},
		"negative":      {func(h autograd.Value) autograd.Value { return h.Sum() }, []Selection{Sample(-1)}, "Sample"},
		"twice":         {func(h autograd.Value) autograd.Value { return h.Sum() }, []Selection{Sample(0), Sample(0)}, "Sample"},
	} {
		if c.pick == nil {
			c.pick = []Selection{Sample(0)}
		}
		_, err := modelOf(c.f(hiddenLayer()), Options{Select: c.pick}.checked())
		var got *SampleError
		if !errors.As(err, &got) || got.Op != c.op {
			t.Errorf("%s: %v, want one of %s", name, err, c.op)
		}
	}
}

// Other Selections draw part of a data point: each weighted sum keeps its
// inputs in their places, and what each value receives still adds up.
func TestSampleThenOthers(t *testing.T) {
	loss, _ := hotelTasks[1].record()
	grads := loss.Backward()
	var z autograd.Value
	for n := range loss.Ancestors() {
		if n.Name() == "z" && n.Dim(1) == 3 {
			z = n.Value
		}
	}
	for name, then := range map[string]Selection{"Focus": Focus(z, 1, 1), "Path": Path(z, loss), "Depth": Depth(1), "Fold": Fold()} {
		m, err := modelOf(loss, Options{Gradients: grads, Select: []Selection{Sample(3), then}}.checked())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sums := 0
		for i := range m.nodes {
			n := &m.nodes[i]
			if n.terms == nil {
				continue
			}
			sums++
			for _, term := range n.terms {
				for _, input := range term {
					if m.edges[n.in[input]].input != input {
						t.Errorf("%s: input %d of %s is in the place of %d", name, m.edges[n.in[input]].input, n.title(), input)
					}
				}
			}
		}
		if sums == 0 && name != "Depth" {
			t.Errorf("%s: no weighted sum is drawn", name)
		}
		for _, view := range []View{Course, Neurons} {
			var refused *ViewError
			if _, err := prepare[view](m); name != "Fold" && !errors.As(err, &refused) {
				t.Errorf("%s in view %d: %v", name, view, err)
			}
		}
	}
}

// A recording that is too large says so, and soon.
func TestSampleOfTooMuch(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	for name, root := range map[string]autograd.Value{
		"products": g.Constant(autograd.Ones(300, 300)).MatMul(g.Variable(autograd.Ones(300, 300))).Sum(),
		"numbers":  g.Constant(autograd.Ones(2, 300)).MatMul(g.Variable(autograd.Ones(300, 300))).Sum(),
	} {
		if _, err := modelOf(root, Options{Select: []Selection{Sample(0)}}.checked()); !errors.As(err, new(*SampleError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
