package recording

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
)

// Guards networks made by hand from layers without names: they were drawn as
// one layer.
func TestLayersOfOneNameAreToldApart(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	first, second := layers.NewDense(rng, 2, 2), layers.NewDense(rng, 2, 2)
	for name, c := range map[string]struct {
		network func(g *autograd.Graph, x autograd.Value) autograd.Value
		want    []string // the scopes of the sums z, in order
	}{
		"one behind the other": {func(_ *autograd.Graph, x autograd.Value) autograd.Value {
			return second.Forward(first.Forward(x))
		}, []string{"dense", "dense (2)"}},
		"applied again": {func(_ *autograd.Graph, x autograd.Value) autograd.Value {
			return first.Forward(first.Forward(second.Forward(first.Forward(x))))
		}, []string{"dense", "dense (2)", "dense", "dense"}},
		"in scopes of their own": {func(g *autograd.Graph, x autograd.Value) autograd.Value {
			g.Enter("a")
			x = first.Forward(x)
			g.Leave()
			g.Enter("b")
			defer g.Leave()
			return second.Forward(x)
		}, []string{"a/dense", "b/dense"}},
		"neurons in one scope": {func(g *autograd.Graph, x autograd.Value) autograd.Value {
			g.Enter("hidden")
			defer g.Leave()
			for range 2 {
				x = x.Mul(g.Param(autograd.NewParam("w", autograd.Scalar(0.5)))).Named("z")
			}
			return x
		}, []string{"hidden", "hidden"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := autograd.NewGraph(autograd.Options{Trace: true})
			loss := c.network(g, g.Constant(autograd.Ones(3, 2))).Mean()
			m, err := New(loss, loss.Backward(), defaultElements).SelectAll(nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range m.Nodes {
				if n := &m.Nodes[i]; n.Name == "z" {
					var path []string
					for s := n.Scope; s != 0; s = m.Scopes[s].Parent {
						path = append([]string{m.Scopes[s].Name}, path...)
					}
					got = append(got, strings.Join(path, "/"))
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Twelve layers of the same name fold like twelve with different names.
func TestFoldOfLayersOfOneName(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Constant(autograd.Ones(3, 2))
	for range 12 {
		x = layers.NewDense(rng, 2, 2).Forward(x)
	}
	loss := x.Mean()
	m, err := New(loss, loss.Backward(), defaultElements).SelectAll([]Selection{Fold()})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range m.Nodes {
		if n := &m.Nodes[i]; n.Group != nil {
			names = append(names, n.Name)
		}
	}
	if want := []string{"+11 more: dense (2) … dense (12)"}; fmt.Sprint(names) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", names, want)
	}
}
