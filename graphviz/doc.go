// Package graphviz draws recordings: the computation as a graph with the
// numbers in it, and backpropagation as a graph with the chain rule's factor
// and product on every arrow. It writes the DOT language, from which Graphviz
// makes pictures.
//
//	g := autograd.NewGraph(autograd.Options{Trace: true}) // Trace keeps what the drawing shows of the backward pass
//	i := g.Scalar(3.6).Named("i")
//	w := g.Variable(autograd.Scalar(0.5)).Named("w")
//	b := g.Variable(autograd.Scalar(-1)).Named("b")
//	z := w.Mul(i).Add(b).Named("z") // weighted sum
//	a := z.Tanh().Named("a")        // activation
//	loss := a.Sub(g.Scalar(1).Named("y")).Square().Named("loss")
//	grads := loss.Backward()
//	var forward, backward bytes.Buffer
//	graphviz.Write(&forward, loss, graphviz.Options{Gradients: grads})
//	graphviz.Write(&backward, loss, graphviz.Options{Gradients: grads, View: graphviz.Backward})
//
// Saved as neuron.dot, the shell command
//
//	dot -Tsvg -O neuron.dot
//
// makes a picture of it that a browser shows.
//
// # Reading a drawing
//
// A box is a value: its name, its operation, the shape of a tensor, then its
// number in green and its gradient in red. What has no name is called by its
// operation and its number in the recording. Small tensors show each element
// between brackets, larger ones their least, mean and greatest element.
//
// Parameters are yellow and variables blue, both with square corners;
// constants are grey and dashed; what is computed is white and rounded; the
// root has a double border. What holds a NaN or an infinity is magenta. Scopes
// are frames around the boxes that belong to them.
//
// A gradient that is exactly zero is grey. Where there is none the box says
// why: "no backward yet" without Options.Gradients, "not reached" where the
// loss does not depend on the value, "not kept without Trace" where the graph
// forgot it. What nothing is learned through, such as a constant, has no such
// row.
//
// Arrows lead along the computation. They are numbered by input where the
// order of the inputs matters, and grey where no gradient passes. A value used
// twice has two arrows.
//
// In the backward graph the arrows lead from the loss to the parameters, and
// the box of z is headed dz. Between two scalars an arrow says "× 3.6 = −2.17":
// the local factor, which is the derivative of one value by the other, and its
// product with the gradient at the arrow's tail, which is what the value at its
// head receives. A value that receives several shows the sum. Between tensors an
// arrow says the Euclidean norm of what it hands on.
//
// # One data point, and the course's picture
//
// The tensors of a batch hide the steps of the chain rule. Sample takes them
// apart and draws one data point in single numbers:
//
//	third := []graphviz.Selection{graphviz.Sample(2)} // row 2, from 0
//	graphviz.Write(&course, loss, graphviz.Options{Gradients: grads, View: graphviz.Course, Select: third})
//
// A neuron's products and sum are one box z, a weighted sum; WeightedSums does
// that to scalars. Where the rows meet, in the mean or the sum of the losses,
// stands a box Σ/n or Σ, of this row and of one box for all other rows, with
// dotted arrows: a parameter's gradient is the sum of what both add to it.
//
// The view Course is the course's picture of a neuron or a small network: the
// forward row in ink, i, w, b → z → a → loss, and under it, column by column,
// the backward row, loss → da → dz → dw, db. Over it stands which loss it is and
// what its derivative is, because dw = input × error holds for ½(a − y)² alone.
// The view Neurons draws neurons as circles and weights as lines: blue where
// positive, orange and dashed where negative. Its circles show the mean of all
// rows, with Sample the numbers of one.
//
// # Invariants
//
// The same recording and options give the same bytes. Names may contain
// anything. Writing takes time linear in the size of the recording. Nothing of
// the recording is changed.
package graphviz
