// Package page writes a page for the browser that shows a network learning,
// step by step: one file that needs no network connection. The page steps
// through predict, measure, feedback and adjust with the arithmetic written
// out, as neurons or as operations. It explains any gradient, finds values by
// name, operation, "grad:0" or "nan", folds layers, and computes what would
// follow from another weight or input. A [Film] is a page of several epochs of
// a training, with the curve of the loss and the network's predictions beside
// it. A step is an operation, a layer or an epoch, and Play goes through all
// epochs. Options.Inputs and Options.Targets give the page the names, units and
// scaling of the data's columns. The page can be used with the mouse or with
// keys alone; "?" lists the keys.
//
// A weight that several places use, as in a loop that is unrolled, is drawn at
// each of them with its name. In the backward pass each place says what it adds
// to the gradient, the last step of a loop first, and the sum grows beside the
// picture. The weight is adjusted once, and a change of it by the reader holds
// at all places.
//
// The graph needs autograd.Options{Trace: true}: without it the backward pass
// cannot be shown, and [Write] and [Film.Record] return a *[TraceError].
//
// [graphviz.Sample] takes a batch of tensors apart for the page. If all rows
// are computed in the same way, the page has the numbers in which they differ,
// and recomputes the loss and every gradient over all rows when a weight is
// changed; a dropout's mask stays. Otherwise it says that the other rows are
// not drawn. The picture of the predictions follows a changed weight if the
// inputs are the [Fit]'s features, or linear functions of them, and Predict
// returns a linear function of the network's last value; otherwise the page
// says that it shows what was recorded.
//
// [Write] and [WriteFile] make the page of one recording, [NewFilm] that of a
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
// Where [nabla/train.Run] makes the loop, [Film.Callback] records it:
//
//	config.Callbacks = append(config.Callbacks, film.Callback(filepath.Join(folder, "film.html")))
//
// The Selections of package graphviz choose what is shown of a recording.
package page
