package graphviz_test

import (
	"bytes"
	"fmt"
	"strings"

	"nabla/autograd"
	"nabla/graphviz"
)

func Example() {
	g := autograd.NewGraph(autograd.Options{Trace: true}) // Trace keeps what the drawing shows of the backward pass
	i := g.Scalar(3.6).Named("i")
	w := g.Variable(autograd.Scalar(0.5)).Named("w")
	b := g.Variable(autograd.Scalar(-1)).Named("b")
	z := w.Mul(i).Add(b).Named("z") // weighted sum
	a := z.Tanh().Named("a")        // activation
	loss := a.Sub(g.Scalar(1).Named("y")).Square().Named("loss")
	grads := loss.Backward()
	var forward, backward bytes.Buffer
	graphviz.Write(&forward, loss, graphviz.Options{Gradients: grads})
	graphviz.Write(&backward, loss, graphviz.Options{Gradients: grads, View: graphviz.Backward})
	fmt.Println("boxes:", strings.Count(forward.String(), "shape="), "and", strings.Count(backward.String(), "shape="))
	fmt.Println("chain rule:", strings.Contains(backward.String(), "× 3.6 = −1.352"))
	// Output:
	// boxes: 9 and 7
	// chain rule: true
}

// The course's picture of one data point of a batch.
func ExampleSample() {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	w := g.Param(autograd.NewParam("w", autograd.FromNested([][]float64{{0.5}})))
	x := g.Constant(autograd.FromNested([][]float64{{1}, {2}, {3.6}, {5}})).As(autograd.RoleInput)
	y := g.Constant(autograd.FromNested([][]float64{{1}, {2}, {2}, {3}})).As(autograd.RoleTarget)
	loss := x.MatMul(w).Named("z").Tanh().Named("a").Sub(y).Square().Mean().Named("loss")
	grads := loss.Backward()
	var course bytes.Buffer
	third := []graphviz.Selection{graphviz.Sample(2)} // row 2, from 0
	graphviz.Write(&course, loss, graphviz.Options{Gradients: grads, View: graphviz.Course, Select: third})
	fmt.Println(strings.Contains(course.String(), "Σ (a − y)²/n, n = 4; its derivative is 2(a − y)/n"))
	fmt.Println(strings.Contains(course.String(), "× 3.6 = −0.1938"))
	// Output:
	// true
	// true
}
