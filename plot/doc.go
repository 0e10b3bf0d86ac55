// Package plot draws what a training was like and what came of it: curves,
// fits, boundaries, confusion, distributions, images and attention. Each
// function takes what the library returns and gives a *Plot of
// gonum.org/v1/plot, which can be changed and added to before it is saved.
//
//	p := plot.Loss(history)
//	p.Title.Text = "Prices of hotels"
//	if err := plot.Save(p, "loss.png"); err != nil {
//		return err
//	}
//
// # What there is
//
//   - [Loss] and [Metric] of a train.History by epoch, the best one marked;
//     [Spark] in one line of text
//   - [Schedule]: a learning rate by step; [Lines] and [Scatter]: any numbers
//   - [Fit]: a regression over one or two features; [Boundary]: a classifier
//     over two; [ScatterClasses]: points of classes
//   - [Confusion] of a metrics.ConfusionMatrix; [ROC] and [PrecisionRecall] of
//     scores and targets
//   - [Histograms] of weights or gradients by layer, or of one layer by epoch
//   - what a train.Watch saw: [Norms] and [DeadUnits], [WeightsOver] and
//     [GradientsOver] time
//   - [Sheet] of images, and the [Attention] of tokens to others
//
// # Fits and boundaries
//
// They ask a function for predictions on a grid, in the units of the axes. If
// the network learns standardised features, that function standardises:
//
//	predict := func(x autograd.Tensor) autograd.Tensor {
//		g := autograd.NewGraph(autograd.Options{NoGrad: true})
//		return model.Forward(g.Constant(scaler.Transform(data.FromTensor(x)).Tensor())).Tensor()
//	}
//	p = plot.Boundary(features, classes, predict, "not hot", "hot")
//	p.X.Label.Text, p.Y.Label.Text = "distance in miles", "rating"
//
// # Look
//
// [Save] makes pictures of 600 × 400 pixels, in which all letters can be read,
// and [SaveSize] others. Colours are those of Okabe and Ito, which people with
// any kind of colour vision tell apart; classes differ in shape too, and lines
// beyond the seventh in dashes. What lines and marks mean stands in a row above
// them, where it covers no data; gonum's Legend is free for what you add. The
// same data give the same bytes, in PNG, SVG and PDF. A PDF shows only
// characters of Windows-1252.
//
// # Numbers that are none
//
// NaN and infinities are left out: a line has a gap there, and the ground of a
// map is purple. Arguments that do not fit together panic with autograd's typed
// errors.
package plot
