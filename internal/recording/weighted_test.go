package recording

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/internal/operations"
	"nabla/internal/recording/recordingtest"
	"nabla/neurons"
)

func weighted(t *testing.T, root autograd.Value) *Model {
	t.Helper()
	m, err := New(root, root.Backward(), defaultElements).SelectAll([]Selection{WeightedSums()})
	if err != nil {
		t.Fatal(err)
	}
	addUp(t, m)
	return m
}

// formula writes a node in terms of its inputs: w·x + b.
func (m *Model) formula(i int) string {
	n := &m.Nodes[i]
	name := func(input int) string { return m.Nodes[m.Edges[n.In[input]].From].Title() }
	text := ""
	for _, t := range n.Terms {
		if text != "" {
			text += " + "
		}
		text += name(t[0])
		for _, factor := range t[1:] {
			text += "·" + name(factor)
		}
	}
	return n.Title() + " = " + text
}

func (m *Model) formulas() (all []string) {
	for i := range m.Nodes {
		if m.Nodes[i].Op == operations.WeightedSum {
			all = append(all, m.formula(i))
		}
	}
	return all
}

func TestWeightedSums(t *testing.T) {
	for name, c := range map[string]struct {
		f    func(w, v, b, x, y autograd.Value) autograd.Value
		want []string
	}{
		"neuron": {func(w, v, b, x, y autograd.Value) autograd.Value {
			return w.Mul(x).Add(v.Mul(y)).Add(b).Named("z").Tanh()
		}, []string{"z = w·x + v·y + b"}},
		"input first":  {func(w, v, b, x, y autograd.Value) autograd.Value { return b.Add(x.Mul(w)).Named("z").Tanh() }, []string{"z = b + w·x"}},
		"sums of sums": {func(w, v, b, x, y autograd.Value) autograd.Value { return b.Add(y).Add(w.Mul(x).Add(v)).Named("z") }, []string{"z = b + y + w·x + v"}},
		"one product":  {func(w, v, b, x, y autograd.Value) autograd.Value { return x.Mul(w).Named("z") }, []string{"z = w·x"}},
		"no weight":    {func(w, v, b, x, y autograd.Value) autograd.Value { return x.Mul(b.Exp()).Named("z") }, nil},
		"square":       {func(w, v, b, x, y autograd.Value) autograd.Value { return w.Mul(w).Named("z") }, nil},
		"no product":   {func(w, v, b, x, y autograd.Value) autograd.Value { return w.Add(x).Add(b).Named("z") }, nil},
		"named product": {func(w, v, b, x, y autograd.Value) autograd.Value {
			return w.Mul(x).Named("wx").Add(v.Mul(y)).Named("z")
		}, []string{"wx = w·x", "z = wx + v·y"}},
		"product of sums": {func(w, v, b, x, y autograd.Value) autograd.Value { return w.Add(v).Mul(x).Add(b).Named("z") }, []string{"z = add #5·x + b"}},
		"used twice": {func(w, v, b, x, y autograd.Value) autograd.Value {
			p := w.Mul(x)
			return p.Add(p).Named("z")
		}, []string{"weighted sum #5 = w·x"}},
		"used elsewhere": {func(w, v, b, x, y autograd.Value) autograd.Value {
			p := x.Mul(y)
			return w.Mul(p).Add(p).Named("z")
		}, []string{"z = w·mul #5 + mul #5"}},
		"another scope": {func(w, v, b, x, y autograd.Value) autograd.Value {
			g := w.Graph()
			g.Enter("inner")
			p := w.Mul(x)
			g.Leave()
			return p.Add(v.Mul(y)).Named("z")
		}, []string{"weighted sum #5 = w·x", "z = weighted sum #5 + v·y"}},
		"tensors": {func(w, v, b, x, y autograd.Value) autograd.Value {
			t := w.Graph().Variable(autograd.NewTensor([]float64{1, 2}))
			return t.Mul(x).Add(b).Sum()
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := autograd.NewGraph(autograd.Options{Trace: true})
			variable := func(name string, v float64) autograd.Value { return g.Variable(autograd.Scalar(v)).Named(name) }
			root := c.f(variable("w", 0.5), variable("v", -2), variable("b", 0.1), g.Scalar(3).Named("x"), g.Scalar(7).Named("y"))
			m := weighted(t, root)
			if diff := cmp.Diff(c.want, m.formulas()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The factors of a weighted sum: x for the weight, w for the input, 1 for the
// bias; and dz times each.
func TestWeightedSumFactors(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	w, b := g.Variable(autograd.Scalar(0.5)).Named("w"), g.Variable(autograd.Scalar(0.1)).Named("b")
	m := weighted(t, w.Mul(g.Variable(autograd.Scalar(3)).Named("x")).Add(b).Named("z").MulScalar(-2).Named("y"))
	got := map[string][2]float64{}
	for i := range m.Edges {
		e := &m.Edges[i]
		got[m.Nodes[e.From].Name] = [2]float64{e.Local.Few[0], e.Contribution.Few[0]}
	}
	want := map[string][2]float64{"w": {3, -6}, "x": {0.5, -1}, "b": {1, -2}, "z": {-2, -2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWeightedSumsOfANetwork(t *testing.T) {
	_, network := recordingtest.HotelTasks[1].Record()
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := []autograd.Value{g.Scalar(0.5).Named("x1"), g.Scalar(-1).Named("x2")}
	m := weighted(t, neurons.Of(network).Forward(x)[0].Square())
	want := []string{"z1 = w1·x1 + w2·x2 + b", "z2 = w1·x1 + w2·x2 + b", "z3 = w1·x1 + w2·x2 + b", "z1 = w1·a1 + w2·a2 + w3·a3 + b"}
	if diff := cmp.Diff(want, m.formulas()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A chain of ten thousand sums is one node, in linear time.
func TestWeightedSumOfMany(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	const terms = 10_000
	x := g.Scalar(2)
	z := x.Mul(g.Variable(autograd.Scalar(1)))
	for range terms - 1 {
		z = z.Add(x.Mul(g.Variable(autograd.Scalar(1))))
	}
	m := New(z, z.Backward(), defaultElements).withWeightedSums()
	if root := m.Nodes[m.Root]; len(root.Terms) != terms || len(m.Nodes) != terms+2 {
		t.Errorf("%d terms, %d nodes", len(root.Terms), len(m.Nodes))
	}
}
