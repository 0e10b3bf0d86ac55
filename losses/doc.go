// Package losses measures how far a prediction is from its target, as one
// number that training minimises. A loss takes Values of a graph and returns
// another, which can be differentiated to any order.
//
//	g := autograd.NewGraph(autograd.Options{})
//	weight := autograd.NewParam("w", autograd.Scalar(0.5))
//	x := g.Constant(autograd.NewTensor([]float64{1, 2, 3}))
//	target := g.Constant(autograd.NewTensor([]float64{2, 4, 6}))
//	prediction := x.Mul(g.Param(weight))
//	loss := losses.MSE(prediction, target)
//	fmt.Println("MSE", loss.Item())
//	fmt.Println("dw ", loss.Backward().OfParam(weight).Item())
//	sum := losses.MSEWith(prediction, target, losses.Options{Reduction: losses.Sum})
//	fmt.Println("sum", sum.Item())
//
// # Which one
//
// [MSE], [MAE] and [Huber] compare numbers. [BinaryCrossEntropy] compares
// probabilities of yes with 1 and 0, [CategoricalCrossEntropy] those of
// several classes with one-hot rows, [CategoricalCrossEntropyLabels] with the
// classes' numbers. Logits are what a network computes before the sigmoid or
// softmax. From them the cross entropies are exact at any distance, and a
// network that is certain and wrong still learns:
//
//	loss := losses.CategoricalCrossEntropyLabelsWith(logits, labels, losses.Options{Logits: true})
//
// # Unequal classes
//
// Where few of many examples are of a class, ClassWeights and PosWeight make
// them count more, and [BinaryFocal] and [CategoricalFocalLabels] make those
// count less that are right already. LabelSmoothing keeps a network from being
// too certain, and [KLDivergence] has it imitate another one's probabilities.
//
// # Pixels
//
// A segmentation has scores [batch, classes, height, width] and a label for
// each pixel. ClassAxis names the axis of the classes, so that nothing is
// permuted, and IgnoreIndex the labels that do not count:
//
//	loss := losses.CategoricalCrossEntropyLabelsWith(scores, mask, losses.Options{Logits: true, ClassAxis: 1, IgnoreIndex: border})
//
// [DiceLabels] counts all classes alike, however few pixels they have.
//
// # Margins, distances, likelihoods
//
// [Hinge], [SquaredHinge] and [MarginRanking] ask scores to differ by a margin,
// [Triplet], [Contrastive] and [CosineEmbedding] vectors. Their signs are −1
// and 1. [GaussianNLL] and [PoissonNLL] take the parameters of a distribution
// as the prediction, and [LogCosh] is between [MSE] and [MAE].
//
// # Sequences
//
// [CTC] compares the classes of many steps with a shorter sequence of labels,
// without being told at which step each label is.
//
// # Mean, sum, weights
//
// Each returns the mean over its losses: one per element, or one per row for
// those of several classes and of distances. The function of the same name that
// ends in With takes [Options]: logits, another [Reduction], weights.
//
// # Shapes
//
// Prediction and target have exactly the same shape. A target [24] against a
// prediction [24, 1] would broadcast to [24, 24] and compare every row with
// every other one: it panics with an *[autograd.ShapeError] instead. The zero
// Value panics with an *[autograd.ArgumentError].
//
// # In a drawing
//
// A loss records in the scope "loss", and its result is named loss.
package losses
