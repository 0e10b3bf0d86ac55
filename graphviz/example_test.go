package graphviz_test

import (
	"bytes"
	"fmt"
	"os"
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
	graphviz.Write(&forward, loss, grads, graphviz.Options{})
	graphviz.Write(&backward, loss, grads, graphviz.Options{View: graphviz.Backward})
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
	graphviz.Write(&course, loss, grads, graphviz.Options{View: graphviz.Course, Select: third})
	fmt.Println(strings.Contains(course.String(), "Σ (a − y)²/n, n = 4; its derivative is 2(a − y)/n"))
	fmt.Println(strings.Contains(course.String(), "× 3.6 = −0.1963"))
	// Output:
	// true
	// true
}

func ExampleWriteMermaid() {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Scalar(3.6).Named("x")
	w := g.Variable(autograd.Scalar(0.5)).Named("w")
	z := w.Mul(x).Named("z")
	graphviz.WriteMermaid(os.Stdout, z, z.Backward(), graphviz.Options{View: graphviz.Backward})
	// Output:
	// ---
	// config:
	//   flowchart:
	//     wrappingWidth: 600
	// ---
	// flowchart LR
	//   v000001["dw  variable<br/>grad 3.6<br/>value 0.5"]:::variable
	//   v000002(["dz  mul<br/>grad 1<br/>value 1.8"]):::root
	//   v000002 -. "× 3.6 = 3.6" .-> v000001
	//   linkStyle 0 stroke:#b3261e,color:#b3261e
	//   classDef variable fill:#dbeafe,stroke:#2563eb,stroke-width:1.5px,color:#1f2937
	//   classDef root fill:#ede9fe,stroke:#6d28d9,stroke-width:1.5px,color:#1f2937
}

// A network of tensors: one box for each layer, and the path from one
// weight to the loss.
func ExampleOptions_select() {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Constant(autograd.NewTensor([]float64{1, 2, 3, 4}, 2, 2)).Named("x")
	w := g.Variable(autograd.NewTensor([]float64{0.5, -1, 0.25, 2}, 2, 2)).Named("W")
	g.Enter("dense")
	a := x.MatMul(w).Tanh().Named("a")
	g.Leave()
	loss := a.Square().Mean().Named("loss")
	grads := loss.Backward()
	o := graphviz.Options{View: graphviz.Combined, Select: []graphviz.Selection{graphviz.Depth(1), graphviz.Focus(loss, 1, 0)}}
	draw := func() {
		var b strings.Builder
		graphviz.Write(&b, loss, grads, o)
		fmt.Println(strings.Count(b.String(), "shape="), "boxes")
	}
	draw()
	o.Select = []graphviz.Selection{graphviz.Depth(1)}
	draw()
	o.Select = []graphviz.Selection{graphviz.Path(w, a)}
	draw()
	// Output:
	// 3 boxes
	// 5 boxes
	// 5 boxes
}
