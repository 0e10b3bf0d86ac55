package autograd_test

import (
	"math"
	"slices"
	"testing"

	"nabla/autograd"
)

// TestNodesTellAll records every row of the table with its gradients, and then
// each node again from what Node tells about it: the same bits show that an
// exporter is told all. Rows that draw random numbers have the same as they are
// given the same seed.
func TestNodesTellAll(t *testing.T) {
	told := map[string]bool{}
	eachRow(t, func(t *testing.T, r opRow) {
		for _, shapes := range r.allShapes() {
			for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
				g := newGraph(autograd.Options{Precision: precision})
				xs := variables(g, r.draw(shapes))
				y := r.f(xs...)
				autograd.VJP(y, g.Constant(weightsFor(y.Shape()).tensor()), xs...)
				autograd.NameOperations(g)
				for _, op := range recordedAgain(t, g) {
					told[op] = true
				}
				if t.Failed() {
					return
				}
			}
		}
	})
	for _, file := range packageSource(t) {
		for _, op := range operations(file) {
			if !told[op] && !slices.Contains(notNodes, op) && !slices.Contains(notOperations, op) && op != "custom" {
				t.Errorf("no recording of the table has a node %q", op)
			}
		}
	}
}

// recordedAgain records every node of g again in another graph and compares the
// numbers. It returns the operations.
func recordedAgain(t *testing.T, g *autograd.Graph) (ops []string) {
	t.Helper()
	again := newGraph(g.Options())
	var values []autograd.Value
	for n := range g.Nodes() {
		var y autograd.Value
		if n.Kind == autograd.KindOperation {
			in := make([]autograd.Value, len(n.Inputs))
			for i, id := range n.Inputs {
				in[i] = values[id]
			}
			y = autograd.Again(n, in, func(id int) autograd.Value { return values[id] })
			ops = append(ops, n.Op)
		} else {
			y = again.Variable(n.Value.Tensor())
		}
		values = append(values, y)
		if want, got := n.Value.Tensor(), y.Tensor(); !slices.Equal(want.Shape(), got.Shape()) || !sameBits(want, got) {
			t.Errorf("node %d, %q with %+v, constants %v: recorded %v, again %v", n.ID, n.Op, n.Options(), n.Constants, want, got)
			return ops
		}
	}
	return ops
}

func sameBits(a, b autograd.Tensor) bool {
	return slices.EqualFunc(a.Float64s(), b.Float64s(), func(x, y float64) bool {
		return math.Float64bits(x) == math.Float64bits(y) || math.IsNaN(x) && math.IsNaN(y)
	})
}

// The Ints that a call had are found again, whatever shape they were given in.
func TestTook(t *testing.T) {
	g := newGraph(autograd.Options{})
	ids, others := autograd.NewInts([]int{1, 0, 2, 1}, 2, 2), autograd.NewInts([]int{1, 0, 2, 1}, 2, 2)
	x := g.Variable(autograd.Ones(3, 4))
	for name, y := range map[string]autograd.Value{
		"embedding":       x.Embedding(ids),
		"index select":    x.IndexSelect(0, ids.Reshape(4)),
		"gather":          x.Gather(0, ids),
		"one hot":         g.OneHot(ids, 3),
		"segment sum":     g.Variable(autograd.Ones(4, 2)).SegmentSum(ids.Reshape(4), 3),
		"segment softmax": g.Variable(autograd.Ones(4, 2)).SegmentSoftmax(ids.Reshape(4), 3),
	} {
		took, not := false, false
		for n := range y.Ancestors() {
			took, not = took || n.Took(ids), not || n.Took(others)
		}
		if !took || not {
			t.Errorf("%s: its own Ints are found: %v; others: %v", name, took, not)
		}
	}
	for n := range autograd.Grad(x.Embedding(ids).Square().Sum(), x)[0].Ancestors() {
		if n.Op == "index add" && !n.Took(ids) {
			t.Error("the gradient of an embedding has lost its ids")
		}
	}
	chosen := x.Embedding(x.ArgMax(1)).Node()
	if id, ok := chosen.TookOf(); !ok || id != x.Node().ID {
		t.Errorf("the ids come from node %d, %v", id, ok)
	}
	if _, ok := x.Embedding(ids).Node().TookOf(); ok {
		t.Error("ids that were given come from a node")
	}
}
