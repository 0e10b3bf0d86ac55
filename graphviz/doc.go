// Package graphviz draws recordings: the computation as a graph with the
// numbers in it, and backpropagation as a graph with the chain rule's factor
// and product on every arrow. It writes the DOT language, pictures of it
// with Graphviz and without, and the language of Mermaid for README files.
// Package page writes pages to step through, and package explain says why a
// gradient is what it is.
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
// makes a picture of it that a browser shows. SVG does the same from Go, and
// WriteFile goes by the end of the name: neuron.dot, neuron.svg, neuron.mmd.
//
// # Views
//
// Forward draws the computation. Backward draws the way of the gradients, from
// the loss to the parameters, and heads the box of z with dz. Combined draws
// both in one picture: beside each arrow of the computation, in ink, a dashed
// red one leads back. Layers has one box for each layer.
//
// # Reading a box
//
// A box is a value: its name, its operation, the shape of a tensor, then its
// number in green and its gradient in red. What has no name is called by its
// operation and its number in the recording. Small tensors show each element
// between brackets, larger ones their least, mean and greatest element, their
// Euclidean norm, the share of exact zeros, and how many elements are NaN or
// infinite. A mean that is 0 but for rounding is "≈ 0".
//
// Parameters are yellow and variables blue, both with square corners; inputs
// are a turquoise tag, targets a light green sheet, other constants grey and
// dashed; what is computed is white and rounded; the root has a double border.
// Shape or border alone tell them apart. What holds a NaN or an infinity is
// magenta, and a box says what is wrong with its value or gradient. Scopes, such
// as layers, are frames around the boxes that belong to them, one inside the
// other. Options.Legend adds a frame that says all this.
//
// The ground of a gradient is the redder the greater its largest element is,
// from that of the drawing's largest down in steps of √10. A gradient that is
// exactly zero is grey, without a ground. Where there is none the box says why:
// "no backward yet" without Options.Gradients, "not reached" where the loss
// does not depend on the value, "not kept without Trace" where the graph
// forgot it. What nothing is learned through, such as a constant, has no such
// row.
//
// # Reading an arrow
//
// Arrows of the computation are numbered by input where the order of the inputs
// matters, and grey where no gradient passes. A value used twice has two
// arrows.
//
// An arrow of the backward pass says what the value at its head receives:
//
//   - "× 3.6 = −2.17" between scalars: the local factor, which is the derivative
//     of one value by the other, and its product with the gradient at the
//     arrow's tail.
//   - "× 0 … 1" over "= −0.2 … 0.4" between tensors, of an operation on single
//     elements: the least and greatest factor, and the least and greatest
//     product. "× 1, Σ over 24" says that the value was broadcast, so that each
//     element receives a sum of 24 products.
//   - "× Wᵀ" over "norm 0.78" of any other operation: what becomes of the gradient
//     g at the tail, with x for the input and y for the result, and the norm of
//     what comes out.
//
// A value that is used several times shows the sum of what it receives: the
// terms of scalars, the norms of tensors. What the arrows of a value hand on
// adds up to its gradient in every drawing of what the backward pass started
// from, whatever was selected; in one of another root, the uses outside of it
// are missing.
//
// # Layers
//
// The box of a layer says the shapes of what goes in and comes out, how many
// parameters it has, and norms: ‖z‖ and ‖a‖ of weighted sums and activations,
// ‖dz‖ and ‖da‖ of their gradients, ‖dW‖ and ‖db‖ of those of the weights and
// biases; y stands for results of other names. A layer is a scope; a
// Sequential with a name is a frame around its layers. Dense layers that nobody
// named are told apart by their Params: dense, dense (2).
//
// # Large recordings
//
// Options.Select chooses what is drawn, with one Selection or several, which
// are applied in order:
//
//	o := graphviz.Options{View: graphviz.Combined, Select: []graphviz.Selection{graphviz.Depth(1), graphviz.Focus(loss, 1, 0)}}
//
// These are the selections:
//
//   - Depth draws each scope at a depth as one box.
//   - Collapse draws all values to which a function gives the same name as one
//     box.
//   - Fold draws blocks that repeat once, beside a box for the others: "+11
//     more", and "×12" in the frame of the first where all share their
//     parameters.
//   - Focus draws a value and what lies some steps up and down from it.
//   - Path draws what lies between two values.
//
// A box of several values is a grey folder; it says how many values it holds
// and how many numbers are learned in it, and shows the numbers of those that
// are used outside. What is left out around a value is a small dotted box. Above
// Options.MaxNodes boxes, 1000 unless set, a drawing is refused: Graphviz would
// take minutes, and nobody could read it. Above Options.MaxWeights weights that
// would be drawn one by one, 30 unless set, layers are folded: Forward, Backward
// and Combined have a box for each, Course becomes Layers, and Neurons draws the
// first neurons of each layer. The title or the line under it says so; a
// negative MaxWeights draws them all.
//
// # One data point, and the course's picture
//
// The tensors of a batch hide the steps of the chain rule. Sample takes them
// apart and draws one data point in single numbers:
//
//	third := []graphviz.Selection{graphviz.Sample(2)} // row 2, from 0
//	graphviz.Write(&course, loss, grads, graphviz.Options{View: graphviz.Course, Select: third})
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
// The same recording and options give the same bytes, but for SVG
// where Graphviz is installed, on whose version it then depends. Names may contain anything. Writing takes
// time linear in the size of the recording. Nothing of the recording is
// changed. All formats draw the same model of it.
package graphviz
