package recording_test

import (
	"fmt"
	"slices"
	"testing"

	"nabla/autograd"
	"nabla/internal/recording"
	"nabla/internal/recording/recordingtest"
)

// stepsOf returns the names of a recording's steps, each with how many
// operations it holds.
func stepsOf(root autograd.Value) (names []string) {
	for _, s := range recording.New(root, autograd.Gradients{}, 0).Unrolled() {
		names = append(names, fmt.Sprint(s.Name, " ", len(s.Nodes)))
	}
	return names
}

func TestUnrolled(t *testing.T) {
	nested := func() autograd.Value { // a loop inside a scope
		g := autograd.NewGraph(autograd.Options{})
		w, h := g.Param(autograd.NewParam("w", autograd.Scalar(2))), g.Scalar(1)
		g.Enter("network")
		for t := range 2 {
			g.Enter(fmt.Sprint("t", t))
			h = w.Mul(h).Tanh()
			g.Leave()
		}
		g.Leave()
		return h
	}
	own := func(scope string) func() autograd.Value { // each block has a weight of its own
		return func() autograd.Value {
			g := autograd.NewGraph(autograd.Options{})
			h := g.Scalar(1)
			for t := range 3 {
				g.Enter(fmt.Sprint(scope, t))
				h = g.Param(autograd.NewParam("w", autograd.Scalar(2))).Mul(h).Tanh()
				g.Leave()
			}
			return h
		}
	}
	twins := func() autograd.Value { // the blocks stand side by side
		g := autograd.NewGraph(autograd.Options{})
		w, sum := g.Param(autograd.NewParam("w", autograd.Scalar(2))), g.Scalar(0)
		for t := range 3 {
			g.Enter(fmt.Sprint("twin", t))
			h := w.Mul(g.Scalar(float64(t))).Tanh()
			g.Leave()
			sum = sum.Add(h)
		}
		return sum
	}
	for name, c := range map[string]struct {
		record func() autograd.Value
		want   []string
	}{
		"scopes":   {recordingtest.Recurrent, []string{"step 1 5", "step 2 5", "step 3 5"}},
		"calls":    {func() autograd.Value { return recordingtest.Unrolled(func(int) string { return "cell" }) }, []string{"cell, step 1 5", "cell, step 2 5", "cell, step 3 5"}},
		"nested":   {nested, []string{"t0 2", "t1 2"}},
		"own":      {own("layer"), nil},
		"twins":    {twins, nil},
		"no scope": {recordingtest.Reused, nil},
	} {
		if got := stepsOf(c.record()); !slices.Equal(got, c.want) {
			t.Errorf("%s: the steps %q, want %q", name, got, c.want)
		}
	}
}

// A shared weight belongs to the scope around all its places, another one to
// its own.
func TestHomeOf(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	w, v := autograd.NewParam("w", autograd.Scalar(2)), autograd.NewParam("v", autograd.Scalar(3))
	g.Enter("outer")
	h := g.Scalar(1)
	for t := range 2 {
		g.Enter(fmt.Sprint("inner", t))
		h = g.Param(w).Mul(h)
		g.Leave()
	}
	g.Enter("last")
	h = h.Mul(g.Param(v))
	g.Leave()
	g.Leave()
	m := recording.New(h, autograd.Gradients{}, 0)
	for i := range m.Nodes {
		n := &m.Nodes[i]
		want, known := map[string]string{"w": "outer", "v": "last"}[n.Name]
		if got := m.Scopes[m.HomeOf(n)].Name; known && got != want {
			t.Errorf("%s belongs to %s, not %s", n.Name, got, want)
		}
	}
}
