// Package page writes a page for the browser that shows a network learning, step
// by step: one file that needs no network connection. It steps through predict,
// measure, feedback and adjust with the arithmetic written out, in the view of
// neurons or of operations; it says of any gradient why it is what it is, finds
// values by name, operation, "grad:0" or "nan", folds layers, and computes what
// would follow from another weight or input. A Film is a page of several epochs
// of a training, with the curve of the loss and what the network predicts beside
// it. A step is an operation, a layer or an epoch, and Play goes through all
// epochs. Options.Inputs and Options.Targets tell the page what the data call
// the columns, their units and how they were scaled. It is used with the mouse
// or with keys alone, which "?" lists.
//
// The graph needs autograd.Options{Trace: true}: without it the backward pass
// cannot be shown, and Write and Film.Record return a [TraceError].
//
// [graphviz.Sample] takes a batch of tensors apart for it. Where all rows are computed
// alike, the page is given the numbers in which they differ, and another weight
// changes the loss, and every gradient, by all rows; a dropout's mask stays. Else
// it says that the other rows are not drawn. What the network predicts follows
// another weight where the inputs are the Fit's features, or linear functions of
// them, and what Predict returns is a linear function of the network's last
// value; else the page says that it is as recorded.
//
// Write and WriteFile make the page of one recording, NewFilm that of a
// training:
//
//	film := page.NewFilm(page.Options{Title: "One weight learns"})
//	film.Keep = page.Every(40)
//	for epoch := range 800 {
//		g.Reset()
//		loss := g.Param(w).Mul(g.Scalar(3)).Sub(g.Scalar(2)).Square()
//		gradients := loss.Backward()
//		film.Record(epoch, loss, gradients)
//		optimizer.Step(gradients)
//		film.Adjusted(optimizer.LearningRate)
//	}
//	err := film.WriteFile(filepath.Join(folder, "weight.html"))
//
// What is shown of a recording is chosen with the Selections of package
// graphviz.
package page
