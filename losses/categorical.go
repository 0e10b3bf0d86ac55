package losses

import (
	"fmt"

	"nabla/autograd"
)

// CategoricalCrossEntropy returns the mean over the rows of −Σ t·ln p, with
// the classes along the last axis: probabilities p, such as a softmax's, and
// targets t of the same shape, one-hot or any other distribution. The
// logarithm is at least −100.
//
//	∂loss/∂p = −t / max(p, 1e−12) / n, n the number of rows
//
// Where the probability of the right class is exactly 0, the loss of the row
// is 100 and the gradient −1e12, never NaN. Behind a softmax that gradient is
// multiplied by 0; [CategoricalCrossEntropyWith] from logits has no such edge.
// A negative probability gives NaN.
//
// It panics with an *[autograd.ShapeError] if the shapes differ or there is no
// axis. The mean of nothing is NaN.
func CategoricalCrossEntropy(prediction, target autograd.Value) autograd.Value {
	return CategoricalCrossEntropyWith(prediction, target, Options{})
}

// CategoricalCrossEntropyWith is [CategoricalCrossEntropy] with another
// reduction, weights, class axis or label smoothing. With Logits the prediction
// is x before the softmax, and the loss −Σ t·log softmax(x), without overflow
// at any distance:
//
//	∂loss/∂x = (softmax(x)·Σt − t) / n
//
// A logit of −Inf gives 0·Inf = NaN even where the target is 0: for classes
// that are masked out, use [CategoricalCrossEntropyLabelsWith].
func CategoricalCrossEntropyWith(prediction, target autograd.Value, options Options) autograd.Value {
	const op = "CategoricalCrossEntropy"
	mustFit(op, prediction, target)
	axis := options.axis(op, prediction)
	g := options.begin(op, logits|classWeights|classAxis|labelSmoothing, prediction, target)
	defer g.Leave()
	options.checkProbabilities(op, prediction)
	rows, weighted := none, target
	if e := options.LabelSmoothing; e != 0 {
		weighted = target.MulScalar(1 - e).AddScalar(e / float64(prediction.Dim(axis)))
	}
	if given(options.ClassWeights) {
		v := along(options.ClassWeights, axis, prediction.Rank())
		weighted = weighted.Mul(v)
		if options.Reduction == WeightedMean {
			rows = target.Mul(v).Sum(axis)
		}
	}
	if options.Logits {
		return options.reduce(op, prediction.LogSoftmax(axis).Mul(weighted).Sum(axis).Neg(), rows)
	}
	return options.reduce(op, prediction.CrossEntropy(weighted).Sum(axis), rows)
}

// CategoricalCrossEntropyLabels is [CategoricalCrossEntropy] against class
// labels, one for each row: the mean of −ln p[label]. The labels have the
// prediction's shape without the last axis.
//
//	∂loss/∂p = −1 / max(p, 1e−12) / n at the label, else 0
//
// It panics with an *[autograd.ShapeError] for labels of another shape, and
// with an *[autograd.IndexError] if a label is not in [0, classes).
func CategoricalCrossEntropyLabels(prediction autograd.Value, labels autograd.Ints) autograd.Value {
	return CategoricalCrossEntropyLabelsWith(prediction, labels, Options{})
}

// CategoricalCrossEntropyLabelsWith is [CategoricalCrossEntropyLabels] with
// another reduction, weights, class axis, label smoothing, or labels that do
// not count. With Logits the prediction is x before the softmax, and the loss
// −log softmax(x)[label], without overflow at any distance. A logit of −Inf is
// a class that is ruled out.
//
//	∂loss/∂x = (softmax(x) − 1 at the label) / n
//
// With a ClassAxis of 1 the prediction is an image's [batch, classes, height,
// width] and the labels are its pixels' [batch, height, width]. With label
// smoothing ε, class weights v and the label y, the loss of a row is PyTorch's
//
//	−(1−ε)·v[y]·ln p[y] − ε/classes · Σ v·ln p
func CategoricalCrossEntropyLabelsWith(prediction autograd.Value, labels autograd.Ints, options Options) autograd.Value {
	const op = "CategoricalCrossEntropyLabels"
	mustBeGiven(op, "prediction", prediction)
	axis := options.axis(op, prediction)
	g := options.begin(op, logits|classWeights|classAxis|ignoreIndex|labelSmoothing, prediction, none)
	defer g.Leave()
	options.checkLabels(op, prediction, axis, labels)
	options.checkProbabilities(op, prediction)
	if options.Logits {
		prediction = prediction.LogSoftmax(axis)
	}
	rows, counts := options.labelWeights(prediction, axis, labels)
	losses := options.labelLosses(prediction, axis, labels, counts)
	if given(options.ClassWeights) {
		losses = losses.Mul(rows)
	}
	if e := options.LabelSmoothing; e != 0 {
		losses = losses.MulScalar(1 - e).Add(options.evenLosses(prediction, axis, counts).MulScalar(e))
	}
	return options.reduceCounted(op, losses, rows, counts)
}

// checkLabels panics unless there is the label of a class for each row, or one
// to ignore.
func (o *Options) checkLabels(op string, prediction autograd.Value, axis int, labels autograd.Ints) {
	classes := prediction.Dim(axis)
	if labels.Size()*classes != prediction.Size() {
		panic(autograd.NewShapeError("losses: "+op, "the labels are not one for each row", prediction.Shape(), labels.Shape()))
	}
	for row, label := range labels.Values() {
		if (label < 0 || label >= classes) && !o.ignores(label) {
			panic(autograd.NewIndexError("losses: "+op, fmt.Sprintf("labels[%d] =", row), label, classes))
		}
	}
}

// labelWeights returns the weight of each label's class, if there are class
// weights, and, if some may be ignored, 1 for each label that counts and 0 for
// the others.
func (o *Options) labelWeights(prediction autograd.Value, axis int, labels autograd.Ints) (rows, counts autograd.Value) {
	if given(o.ClassWeights) {
		rows = o.ClassWeights.PickAlong(0, labels, o.IgnoreIndex...)
	}
	if len(o.IgnoreIndex) > 0 {
		counts = prediction.Graph().Full(1, prediction.Dim(axis)).PickAlong(0, labels, o.IgnoreIndex...)
	}
	return rows, counts
}

// labelLosses returns −ln p[label] for each label that counts, from
// probabilities, or their logarithms with Logits, and 0 for the others.
func (o *Options) labelLosses(prediction autograd.Value, axis int, labels autograd.Ints, counts autograd.Value) autograd.Value {
	picked := prediction.PickAlong(axis, labels, o.IgnoreIndex...)
	switch {
	case o.Logits:
		return picked.Neg()
	case given(counts):
		return picked.CrossEntropy(counts)
	}
	return picked.CrossEntropy(prediction.Graph().Scalar(1))
}

// evenLosses returns the mean over the classes of −v·ln p for each row that
// counts, and 0 for the others.
func (o *Options) evenLosses(prediction autograd.Value, axis int, counts autograd.Value) autograd.Value {
	each := prediction
	if o.Logits {
		each = each.Neg()
	} else {
		each = each.CrossEntropy(prediction.Graph().Scalar(1))
	}
	if given(o.ClassWeights) {
		each = each.Mul(along(o.ClassWeights, axis, prediction.Rank()))
	}
	even := each.Mean(axis)
	if given(counts) {
		even = autograd.Where(counts, even, prediction.Graph().Scalar(0))
	}
	return even
}

// CategoricalFocalLabels returns the mean focal loss of probabilities p against
// class labels, one for each row, with the classes along the last axis: the
// cross entropy, of which well classified rows count less. With p the
// probability of the row's label, it is the mean of
//
//	(1−p)^γ · −ln p
//
// A γ of 0 is [CategoricalCrossEntropyLabels], which it otherwise is like.
//
// It panics with an *[autograd.ArgumentError] if γ is negative or not finite.
func CategoricalFocalLabels(prediction autograd.Value, labels autograd.Ints, gamma float64) autograd.Value {
	return CategoricalFocalLabelsWith(prediction, labels, gamma, Options{})
}

// CategoricalFocalLabelsWith is [CategoricalFocalLabels] with another
// reduction, weights, class axis, or labels that do not count. With Logits the
// prediction is x before the softmax, and neither the loss nor its gradient
// loses digits. ClassWeights are the paper's α.
func CategoricalFocalLabelsWith(prediction autograd.Value, labels autograd.Ints, gamma float64, options Options) autograd.Value {
	const op = "CategoricalFocalLabels"
	mustBeFrom0(op, "γ", gamma)
	mustBeGiven(op, "prediction", prediction)
	axis := options.axis(op, prediction)
	g := options.begin(op, logits|classWeights|classAxis|ignoreIndex, prediction, none)
	defer g.Leave()
	options.checkLabels(op, prediction, axis, labels)
	options.checkProbabilities(op, prediction)
	if options.Logits {
		prediction = prediction.LogSoftmax(axis)
	}
	rows, counts := options.labelWeights(prediction, axis, labels)
	losses := options.labelLosses(prediction, axis, labels, counts)
	losses = focused(losses.Neg().Expm1().Neg(), losses, gamma)
	if given(rows) {
		losses = losses.Mul(rows)
	}
	return options.reduceCounted(op, losses, rows, counts)
}
