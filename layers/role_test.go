package layers_test

import (
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/neurons"
)

// What a network is given is told apart from other constants, and so is what
// it is compared with.
func TestRolesOfInputsAndTargets(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	model := layers.NewSequential(layers.NewDense(rng, 2, 3), layers.ReLU(), layers.NewDense(rng, 3, 1))
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Constant(autograd.Zeros(4, 2))
	y := g.Constant(autograd.Zeros(4, 1)).As(autograd.RoleInput) // a role of the user's stays
	z := g.Constant(autograd.Zeros(4, 1))
	losses.MSE(model.Forward(x), y)
	losses.BinaryCrossEntropy(model.Forward(x), z)
	got := []autograd.Role{x.Node().Role, y.Node().Role, z.Node().Role}
	want := []autograd.Role{autograd.RoleInput, autograd.RoleInput, autograd.RoleTarget}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("constant %d: %v, want %v", i, got[i], want[i])
		}
	}
	for n := range g.Nodes() {
		if n.Kind != autograd.KindConstant && n.Role != autograd.RoleNone {
			t.Errorf("%s has the role %v", n.Op, n.Role)
		}
	}
	inputs := []autograd.Value{g.Scalar(1), g.Scalar(2)}
	neurons.Of(model).Forward(inputs)
	for i, x := range inputs {
		if got := x.Node().Role; got != autograd.RoleInput {
			t.Errorf("scalar input %d: %v", i, got)
		}
	}
}
