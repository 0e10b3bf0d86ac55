package recording

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/data/hotels"
	"nabla/internal/operations"
	"nabla/internal/recording/recordingtest"
	"nabla/losses"
	"nabla/neurons"
)

// addUp checks that in a model of single numbers each gradient is the sum of
// its contributions, and each contribution the product of gradient and factor.
func addUp(t *testing.T, m *Model) {
	t.Helper()
	for i := range m.Nodes {
		n := &m.Nodes[i]
		if (n.Op == operations.MeanOfRows || n.Op == operations.SumOfRows) && !n.IsRest() {
			meetsIn(t, m, n)
		}
		if i == m.Root || n.State != Reached {
			continue
		}
		sum, largest := make([]float64, n.Value.Size), 0.0
		for _, use := range n.Uses {
			e := &m.Edges[use]
			if !e.Learns {
				continue
			}
			for k, v := range e.Contribution.Few {
				sum[k] += v
				largest = max(largest, math.Abs(v))
			}
			if up := m.Nodes[e.To].Gradient; e.LocalKnown && up.Size == 1 && n.Value.Size == 1 {
				if product := up.Few[0] * e.Local.Few[0]; math.Abs(product-e.Contribution.Few[0]) > 1e-12*math.Max(math.Abs(product), 1e-3) {
					t.Errorf("%s to %s: %v × %v is not %v", n.Title(), m.Nodes[e.To].Title(), up.Few[0], e.Local.Few[0], e.Contribution.Few[0])
				}
			}
		}
		for k, v := range sum {
			if math.Abs(v-n.Gradient.Few[k]) > 1e-12*largest {
				t.Errorf("%s: the contributions add up to %v, the gradient is %v", n.Title(), v, n.Gradient.Few[k])
			}
		}
	}
}

// meetsIn checks that a node is the sum of its inputs times their factors.
func meetsIn(t *testing.T, m *Model, n *Node) {
	t.Helper()
	sum, largest := 0.0, 0.0
	for _, in := range n.In {
		if e := &m.Edges[in]; m.Nodes[e.From].Value.Size == 1 {
			v := m.Nodes[e.From].Value.Few[0] * e.Local.Few[0]
			sum, largest = sum+v, max(largest, math.Abs(v))
		} else {
			return // belongs to several meetings
		}
	}
	if math.Abs(sum-n.Value.Few[0]) > 1e-12*largest {
		t.Errorf("%s is %v, the rows add up to %v", n.Title(), n.Value.Few[0], sum)
	}
}

func TestSampleOfTheHotels(t *testing.T) {
	for _, task := range recordingtest.HotelTasks {
		t.Run(task.Name, func(t *testing.T) {
			loss, _ := task.Record()
			grads := loss.Backward()
			for row := range 24 {
				addUp(t, sampled(t, loss, grads, row))
			}
		})
	}
}

func sampled(t testing.TB, root autograd.Value, grads autograd.Gradients, row int) *Model {
	t.Helper()
	m, err := New(root, grads, defaultElements).SelectAll([]Selection{Sample(row)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The numbers of a data point are those of a network of scalars on its features
// alone, whose gradients are n times this row's part.
func TestSampleAgainstScalars(t *testing.T) {
	for _, task := range recordingtest.HotelTasks[:3] {
		t.Run(task.Name, func(t *testing.T) {
			loss, network := task.Record()
			const row, count = 5, 24
			m := sampled(t, loss, loss.Backward(), row)

			g := autograd.NewGraph(autograd.Options{Trace: true})
			features, target := task.Features(hotels.Load()[row:row+1]), task.Targets(hotels.Load()[row:row+1])
			var x []autograd.Value
			for _, v := range features.Float64s() {
				x = append(x, g.Scalar(v))
			}
			neurons := neurons.Of(network)
			a := neurons.Forward(x)
			want := task.Loss(a[0], g.Scalar(target.Item()))
			grads := want.Backward()

			params := map[string]*Node{}
			for i := range m.Nodes {
				if n := &m.Nodes[i]; n.Kind == autograd.KindParam {
					params[m.Scopes[n.Scope].Name+"."+n.Name] = n
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
						own := m.Edges[n.Uses[0]]
						if m.Nodes[own.To].Op != operations.WeightedSum {
							t.Fatalf("%s goes to %s first", name, m.Nodes[own.To].Op)
						}
						if dw := grads.OfParam(w).Item(); math.Abs(count*own.Contribution.Few[0]-dw) > 1e-12*math.Max(1, math.Abs(dw)) {
							t.Errorf("%s: this row's part is %v, want %v/%d", name, own.Contribution.Few[0], dw, count)
						}
					}
				}
			}
		})
	}
}

// For every operation that is taken apart, the contributions to the single
// numbers add up to the recorded gradient, which autograd computes by other
// formulas.
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
		"min":       func(h autograd.Value) autograd.Value { return h.KeepDims().Min(1).Mul(h).Mean() },
		"logsumexp": func(h autograd.Value) autograd.Value { return h.LogSumExp(1).Mean() },
		"norm":      func(h autograd.Value) autograd.Value { return h.Norm(2, 1).Mean() },
		"where": func(h autograd.Value) autograd.Value {
			return autograd.Where(h.GreaterScalar(0.2), h.Exp(), h.MulScalar(3)).Mean()
		},
		"slice": func(h autograd.Value) autograd.Value {
			return h.Slice(1, 0, 3, 2).Mul(h.Slice(1, 2, autograd.End, -2)).Mean()
		},
		"rows":    func(h autograd.Value) autograd.Value { return h.Slice(0, 1, 4, 1).Square().Mean() },
		"permute": func(h autograd.Value) autograd.Value { return h.T().Square().Sum(0).Mean() },
		"reshape": func(h autograd.Value) autograd.Value { return h.Reshape(2, 2, 3).Square().Mean() },
		"concat":  func(h autograd.Value) autograd.Value { return autograd.Concat(1, h, h.Exp()).Square().Mean() },
		"stack":   func(h autograd.Value) autograd.Value { return autograd.Stack(1, h, h.Square()).Sum(1).Square().Mean() },
		"expand":  func(h autograd.Value) autograd.Value { return h.KeepDims().Sum(1).Expand(4, 5).Square().Mean() },
		"pad":     func(h autograd.Value) autograd.Value { return h.Pad(2, [2]int{}, [2]int{1, 2}).Exp().Mean() },
		"index select": func(h autograd.Value) autograd.Value {
			return h.IndexSelect(1, autograd.NewInts([]int{2, 0, 2})).Exp().Mean()
		},
		"shuffled rows": func(h autograd.Value) autograd.Value {
			return h.IndexSelect(0, autograd.NewInts([]int{3, 1, 0, 2})).Exp().Mean()
		},
		"embedding": func(h autograd.Value) autograd.Value {
			return h.Embedding(autograd.NewInts([]int{3, 1, 0, 2, 3, 3, 2, 0}, 4, 2)).Exp().Mean()
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
			return h.Mul(penalty).Mean().Add(penalty.Square().Sum().MulScalar(0.01))
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
			root := f(recordingtest.HiddenLayer())
			grads := root.Backward()
			for row := range 4 {
				m := sampled(t, root, grads, row)
				addUp(t, m)
				for i := range m.Nodes {
					if n := &m.Nodes[i]; !n.IsRest() && n.Source.Value.View().Float64s()[n.Element] != n.Value.Few[0] {
						t.Errorf("%s is %v, want element %d of %v", n.Title(), n.Value.Few[0], n.Element, n.Source.Value.View())
					}
				}
			}
		})
	}
}

var double = autograd.Operation{
	Name:    "double",
	Forward: func(in []autograd.Tensor) autograd.Tensor { return autograd.Scalar(2 * in[0].Item()) },
	Rule:    func(r *autograd.Rule) { r.Add(0, r.Grad().MulScalar(2)) },
}

func TestSampleNames(t *testing.T) {
	root := recordingtest.HiddenLayer().Softmax(1).Sum(1).Mean().Named("loss")
	var got []string
	m := sampled(t, root, root.Backward(), 1)
	for i := range m.Nodes {
		got = append(got, m.Nodes[i].Name)
	}
	want := []string{"x1", "x2", "W[0,0]", "W[0,1]", "W[0,2]", "W[1,0]", "W[1,1]", "W[1,2]", "b1", "b2", "b3",
		"z1", "z2", "z3", "a1", "a2", "a3", "softmax[0]", "softmax[1]", "softmax[2]", "", "the other 3 rows", "loss"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	rows := &m.Nodes[m.Root]
	if got, want := m.Nodes[m.Edges[rows.In[1]].From].Value.Few[0], 3.0; rows.Op != "Σ/n" || math.Abs(got-want) > 1e-15 {
		t.Errorf("%s of this row and %v, want %v", rows.Op, got, want)
	}
}

// Recordings of one data point: scalars, a vector of features, inputs without a
// mark.
func TestSampleWithoutBatch(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	w := g.Variable(autograd.FromNested([][]float64{{0.5, -0.3, 0.8}, {0.2, 0.9, -0.4}})).Named("W")
	scalar := g.Variable(autograd.Scalar(2)).Mul(g.Scalar(3).As(autograd.RoleInput))
	vector := g.Constant(autograd.NewTensor([]float64{1, 2})).As(autograd.RoleInput).MatMul(w).Sum()
	unmarked := g.Constant(autograd.FromNested([][]float64{{1, 2}})).MatMul(w).Sum()
	for name, root := range map[string]autograd.Value{"scalar": scalar, "vector": vector, "one row": unmarked} {
		m := sampled(t, root, root.Backward(), 0)
		addUp(t, m)
		for i := range m.Nodes {
			if m.Nodes[i].IsRest() {
				t.Errorf("%s: other rows", name)
			}
		}
		if _, err := New(root, autograd.Gradients{}, defaultElements).SelectAll([]Selection{Sample(1)}); !errors.As(err, new(*SampleError)) {
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
		_, err := New(c.f(recordingtest.HiddenLayer()), autograd.Gradients{}, defaultElements).SelectAll(c.pick)
		var got *SampleError
		if !errors.As(err, &got) || got.Op != c.op {
			t.Errorf("%s: %v, want one of %s", name, err, c.op)
		}
	}
}

// Other Selections draw part of a data point: each weighted sum keeps its
// inputs in order, and the contributions to each value still add up.
func TestSampleThenOthers(t *testing.T) {
	loss, _ := recordingtest.HotelTasks[1].Record()
	grads := loss.Backward()
	var z autograd.Value
	for n := range loss.Ancestors() {
		if n.Value.Name() == "z" && n.Value.Dim(1) == 3 {
			z = n.Value
		}
	}
	for name, then := range map[string]Selection{"Focus": Focus(z, 1, 1), "Path": Path(z, loss), "Depth": Depth(1), "Fold": Fold()} {
		m, err := New(loss, grads, defaultElements).SelectAll([]Selection{Sample(3), then})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sums := 0
		for i := range m.Nodes {
			n := &m.Nodes[i]
			if n.Terms == nil {
				continue
			}
			sums++
			for _, term := range n.Terms {
				for _, input := range term {
					if m.Edges[n.In[input]].Input != input {
						t.Errorf("%s: input %d of %s is in the place of %d", name, m.Edges[n.In[input]].Input, n.Title(), input)
					}
				}
			}
		}
		if sums == 0 && name != "Depth" {
			t.Errorf("%s: no weighted sum is drawn", name)
		}
		_, course := m.InSingleNumbers("Course")
		_, neurons := m.InNeurons()
		for _, err := range []error{course, neurons} {
			var refused *ViewError
			if name != "Fold" && !errors.As(err, &refused) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Sample refuses a recording that is too large, and does so quickly.
func TestSampleOfTooMuch(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	for name, root := range map[string]autograd.Value{
		"products": g.Constant(autograd.Ones(300, 300)).MatMul(g.Variable(autograd.Ones(300, 300))).Sum(),
		"numbers":  g.Constant(autograd.Ones(2, 300)).MatMul(g.Variable(autograd.Ones(300, 300))).Sum(),
	} {
		if _, err := New(root, autograd.Gradients{}, defaultElements).SelectAll([]Selection{Sample(0)}); !errors.As(err, new(*SampleError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
