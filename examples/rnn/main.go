// Command rnn trains the smallest recurrent network, one block that takes the
// step's input and its own previous output,
//
//	h = tanh(w_x·x + w_h·h' + b)
//
// to keep the first of four numbers in mind: y = w_y·h + c after the last step
// should be what x was in the first. The block is used four times with the same
// weights, so that the gradient of each is a sum over time, which the command
// prints. It writes a page that steps through the unrolled block, and drawings.
//
//	go run ./examples/rnn [-seed N] [-epochs N] [-out DIR] [-results]
package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/examples/internal/command"
	"nabla/graphviz"
	"nabla/losses"
	"nabla/optim"
	"nabla/page"
)

const (
	steps = 4
	rate  = 0.03
	shown = 0b1001 // the sequence that is printed and drawn: 1, −1, −1, 1
)

func main() {
	c := command.New("rnn", 300)
	c.Main(func(ctx context.Context) error { return run(ctx, c) })
}

// A network is the block's weights, and those of the output.
type network struct{ wx, wh, b, wy, c *autograd.Param }

func newNetwork(rng *rand.Rand) *network {
	param := func(name string, value float64) *autograd.Param {
		return autograd.NewParam(name, autograd.Scalar(value))
	}
	return &network{param("w_x", rng.NormFloat64()), param("w_h", 1), param("b", 0), param("w_y", rng.NormFloat64()), param("c", 0)}
}

// step is the block: its output for the input x and its previous output h.
func (n *network) step(t int, x, h autograd.Value) autograd.Value {
	g := x.Graph()
	g.Enter(fmt.Sprint("step ", t))
	defer g.Leave()
	z := g.Param(n.wx).Mul(x).Add(g.Param(n.wh).Mul(h)).Add(g.Param(n.b)).Named(fmt.Sprint("z", t))
	return z.Tanh().Named(fmt.Sprint("h", t))
}

// predict unrolls the block over a sequence.
func (n *network) predict(g *autograd.Graph, sequence []float64) autograd.Value {
	h := g.Scalar(0).Named("h0")
	for i, x := range sequence {
		h = n.step(i+1, g.Scalar(x).Named(fmt.Sprint("x", i+1)).As(autograd.RoleInput), h)
	}
	return g.Param(n.wy).Mul(h).Add(g.Param(n.c)).Named("y")
}

func (n *network) loss(g *autograd.Graph, sequence []float64) autograd.Value {
	target := g.Scalar(sequence[0]).Named("target").As(autograd.RoleTarget)
	return losses.MSE(n.predict(g, sequence), target).MulScalar(0.5).Named("loss")
}

// sequenceOf returns the sequence whose signs are the bits of a number.
func sequenceOf(bits int) []float64 {
	all := make([]float64, steps)
	for t := range all {
		all[t] = float64(bits>>(steps-1-t)&1)*2 - 1
	}
	return all
}

func run(ctx context.Context, c *command.Command) error {
	rng := rand.New(rand.NewPCG(c.Seed, 0))
	n, optimizer := newNetwork(rng), optim.NewSGD(rate)
	g := autograd.NewGraph(autograd.Options{Trace: true}) // the sums and pictures need every gradient
	loss := n.loss(g, sequenceOf(shown))
	grads := loss.Backward()
	n.printSums(c, g, grads)
	if err := draw(c, loss, grads); err != nil {
		return err
	}
	film := page.NewFilm(page.Options{Title: "Four steps of one block: keep the first number in mind"})
	film.Keep = page.Every(max(1, c.Epochs/10))
	for epoch := range c.Epochs {
		total := 0.0
		for _, bits := range rng.Perm(1 << steps) {
			g.Reset()
			loss := n.loss(g, sequenceOf(bits))
			total += loss.Item()
			grads := loss.Backward()
			if bits == shown {
				film.Record(epoch, loss, grads)
			}
			optimizer.Step(grads)
			if bits == shown {
				film.Adjusted(rate)
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if epoch%max(1, c.Epochs/10) == 0 {
			c.Print("epoch %3d  loss %.4f", epoch, total/(1<<steps))
		}
	}
	c.Result("steps=%d sequences=%d right=%d", steps, 1<<steps, n.right(g))
	return c.Write("page.html", film.WriteFile)
}

// right counts the sequences of which the network tells the first number.
func (n *network) right(g *autograd.Graph) (count int) {
	for bits := range 1 << steps {
		g.Reset()
		if sequence := sequenceOf(bits); n.predict(g, sequence).Item() > 0 == (sequence[0] > 0) {
			count++
		}
	}
	return count
}

// printSums prints the gradients of the shared weights as sums over time, in
// the order in which the backward pass adds them up: from the last step to the
// first.
func (n *network) printSums(c *command.Command, g *autograd.Graph, grads autograd.Gradients) {
	for _, p := range []*autograd.Param{n.wx, n.wh, n.b} {
		c.Print("d%s = %.4f, the sum of", p.Name(), grads.OfParam(p).Item())
		for i, part := range grads.Contributions(g.Param(p)) {
			c.Print("  step %d: %7.4f", steps-i, part.Gradient.Item())
		}
	}
}

// draw draws the network before the training, where the gradients are large.
func draw(c *command.Command, loss autograd.Value, grads autograd.Gradients) error {
	save := func(file string, view graphviz.View) error {
		return c.Write(file, func(path string) error {
			return graphviz.WriteFile(path, loss, grads, graphviz.Options{View: view})
		})
	}
	return errors.Join(save("course.svg", graphviz.Course), save("neurons.svg", graphviz.Neurons))
}
