// Package losses measures how far a prediction is from its target, as one
// number that training minimises. Each loss takes two Values of a graph and
// returns a third, which can be differentiated to any order.
//
//	g := autograd.NewGraph(autograd.Options{})
//	weight := autograd.NewParam("w", autograd.Scalar(0.5))
//	x := g.Constant(autograd.NewTensor([]float64{1, 2, 3}))
//	target := g.Constant(autograd.NewTensor([]float64{2, 4, 6}))
//	prediction := x.Mul(g.Param(weight))
//	loss := losses.MSE(prediction, target)
//	fmt.Println("MSE", loss.Item())
//	fmt.Println("dw ", loss.Backward().OfParam(weight).Item())
//	sum := losses.MSEWith(prediction, target, losses.Settings{Reduction: losses.Sum})
//	fmt.Println("sum", sum.Item())
//
// # Which one
//
// [MSE], [MAE] and [Huber] compare numbers. [BinaryCrossEntropy] compares
// probabilities of yes with 1 and 0, [CategoricalCrossEntropy] those of
// several classes with one-hot rows, [CategoricalCrossEntropyLabels] with the
// classes' numbers. The cross entropies also come WithLogits, from what stands
// before the sigmoid or softmax: those are exact at any distance and keep
// teaching a network that is sure and wrong.
//
// # Mean, sum, weights
//
// Each is the mean over all its losses: one for each element, or of the
// categorical ones for each row. The function of the same name that ends in
// With takes [Settings]: another [Reduction], and weights.
//
// # Shapes
//
// Prediction and target have exactly the same shape. A target [24] against a
// prediction [24, 1] would broadcast to [24, 24] and compare every row with
// every other one: it panics with an *autograd.ShapeError instead, as the zero
// Value does with an *autograd.ArgumentError.
//
// # In a drawing
//
// A loss records in the scope "loss", and its result is named loss.
package losses
