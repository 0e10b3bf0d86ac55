// Package graphviz draws recordings: the computation as a graph with the
// numbers in it, and backpropagation as a graph with the chain rule's factor
// and product on every arrow. It writes DOT, SVG pictures (with or without
// Graphviz), and Mermaid for README files. Package page writes pages to step
// through, and package explain says why a gradient is what it is.
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
//	graphviz.Write(&forward, loss, grads, graphviz.Options{})
//	graphviz.Write(&backward, loss, grads, graphviz.Options{View: graphviz.Backward})
//
// Saved as neuron.dot, the shell command
//
//	dot -Tsvg -O neuron.dot
//
// makes a picture of it that a browser shows. [SVG] does the same from Go, and
// [WriteFile] chooses the format by the end of the name: neuron.dot,
// neuron.svg, neuron.mmd.
//
// # Views
//
// [Forward] draws the computation. [Backward] draws the flow of the gradients
// from the loss to the parameters; the box of z is titled dz. [Combined] draws
// both in one picture: beside each arrow of the computation, in ink, a dashed
// red one leads back. [Layers] has one box for each layer.
//
// # Reading a box
//
// A box is a value: its name, its operation, the shape of a tensor, then its
// number in green and its gradient in red. A value without a name is called by
// its operation and its number in the recording. Small tensors show each
// element between brackets; larger ones show their smallest, mean and largest
// element, their Euclidean norm, the percentage of exact zeros, and how many
// elements are NaN or infinite. A mean that is 0 up to rounding is "≈ 0".
//
// Parameters are yellow and variables blue, both with square corners; inputs
// are a turquoise tag, targets a light green sheet, other constants grey and
// dashed; computed values are white and rounded; the root has a double border.
// Shape or border alone distinguish them. Boxes with a NaN or an infinity are
// magenta, and a box says what is wrong with its value or gradient. Scopes,
// such as layers, are nested frames around their boxes. Options.Legend adds a
// frame that explains all this.
//
// The background of a gradient is redder the larger its largest element is, in
// steps of √10 down from the largest of the drawing. A gradient that is exactly
// zero is grey, without a background. If there is no gradient, the box says
// why: "no backward yet" with zero Gradients, "not reached" if the loss does
// not depend on the value, "not kept without Trace" if the graph did not keep
// it. A value through which nothing is learned, such as a constant, has no
// gradient row.
//
// # Reading an arrow
//
// Arrows of the computation are numbered by input if the order of the inputs
// matters, and grey if no gradient passes. A value used twice has two arrows.
//
// An arrow of the backward pass says what it contributes to the value at its
// head:
//
//   - "× 3.6 = −2.17" between scalars: the local factor, which is the
//     derivative of one value by the other, and its product with the gradient
//     at the arrow's tail.
//   - "× 0 … 1" over "= −0.2 … 0.4" between tensors, for an elementwise
//     operation: the smallest and largest factor, and the smallest and largest
//     product. "× 1, Σ over 24" says that the value was broadcast, so that each
//     element receives a sum of 24 products.
//   - "× Wᵀ" over "norm 0.78" for any other operation: what happens to the
//     gradient g at the tail, with x for the input and y for the result, and
//     the norm of the outcome.
//
// A value that is used several times shows its gradient as a sum: of the terms
// for scalars, of their norms for tensors. In every drawing of the root of the
// backward pass, whatever was selected, the contributions on a value's arrows
// add up to its gradient; in a drawing of another root, the uses outside it are
// missing.
//
// # Layers
//
// The box of a layer shows the shapes of its inputs and outputs, its number of
// parameters, and norms: ‖z‖ and ‖a‖ of weighted sums and activations, ‖dz‖ and
// ‖da‖ of their gradients, ‖dW‖ and ‖db‖ of those of the weights and biases; y
// stands for results with other names. A layer is a scope; a Sequential with a
// name is a frame around its layers. Dense layers without a name are
// distinguished by their Params: dense, dense (2).
//
// # Large recordings
//
// Options.Select chooses what is drawn, with one or more Selections that are
// applied in order:
//
//	o := graphviz.Options{View: graphviz.Combined, Select: []graphviz.Selection{graphviz.Depth(1), graphviz.Focus(loss, 1, 0)}}
//
// These are the selections:
//
//   - [Depth] draws each scope at a depth as one box.
//   - [Collapse] draws all values to which a function gives the same name as
//     one box.
//   - [Fold] draws the first of several repeated blocks, and a box for the
//     others: "+11 more", or "×12" in the frame of the first if all share their
//     parameters.
//   - [Focus] draws a value and its surroundings, some steps up and down.
//   - [Path] draws what lies between two values.
//
// A box of several values is a grey folder; it says how many values and how
// many learned numbers it holds, and shows the values that are used outside.
// Values left out around a box are a small dotted box. A drawing with more than
// Options.MaxNodes boxes (1000 by default) is refused: Graphviz would take
// minutes, and nobody could read it. If more than Options.MaxWeights weights
// (30 by default) would be drawn one by one, layers are folded: Forward,
// Backward and Combined have a box for each, Course becomes Layers, and Neurons
// draws the first neurons of each layer. The title or the line below it says
// so; a negative MaxWeights draws them all.
//
// # One data point, and the course's picture
//
// The tensors of a batch hide the steps of the chain rule. [Sample] takes them
// apart and draws one data point in single numbers:
//
//	third := []graphviz.Selection{graphviz.Sample(2)} // row 2, from 0
//	graphviz.Write(&course, loss, grads, graphviz.Options{View: graphviz.Course, Select: third})
//
// A neuron's products and sum are one box z, a weighted sum; [WeightedSums]
// does that to scalars. Where the rows meet, in the mean or the sum of the
// losses, there is a box Σ/n or Σ, which adds up this row and, with dotted
// arrows, one box for all other rows: a parameter's gradient is the sum of what
// both contribute.
//
// The view [Course] is the course's picture of a neuron or a small network: the
// forward row in ink, i, w, b → z → a → loss, and below it, column by column,
// the backward row, loss → da → dz → dw, db. A caption gives the loss and its
// derivative, because dw = input × error holds only for ½(a − y)². The view
// [Neurons] draws neurons as circles and weights as lines: blue if positive,
// orange and dashed if negative. Its circles show the mean over all rows, or,
// with Sample, the numbers of one row.
//
// A weight that several places use, as in a loop that is unrolled, in twin
// networks or in tied layers, has a box at each place in the view Course, all
// with the same name, colour and mark: "shared ×4". Below each it says what the
// place adds to the gradient, and at the first place the sum is written out, in
// the order of the backward pass: from the last step of a loop to the first.
// The steps of a loop, which are scopes that compute the same with the same
// parameters and each use a value of the one before, have columns of their own,
// with their names above. The view Neurons writes the name of a shared weight
// beside its number; with Options.WeightGradients each place has what it adds.
//
// # Invariants
//
// The same recording and options give the same bytes, except that an SVG laid
// out by an installed Graphviz depends on its version. Names may contain
// anything. Writing takes time linear in the size of the recording and does not
// change it. All formats draw the same model of it.
package graphviz
