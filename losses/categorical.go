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
// reduction or weights. With Logits the prediction is x before the softmax, and
// the loss −Σ t·log softmax(x), without overflow at any distance:
//
//	∂loss/∂x = (softmax(x)·Σt − t) / n
//
// A logit of −Inf gives 0·Inf = NaN even where the target is 0: for classes
// that are masked out, use [CategoricalCrossEntropyLabelsWith].
func CategoricalCrossEntropyWith(prediction, target autograd.Value, options Options) autograd.Value {
	const op = "CategoricalCrossEntropy"
	mustFit(op, prediction, target)
	options.checkClasses(op, prediction)
	g := options.begin(op, prediction, target)
	defer g.Leave()
	options.checkProbabilities(op, prediction)
	rows := none
	if given(options.ClassWeights) {
		target = target.Mul(options.ClassWeights)
		rows = target.Sum(-1)
	}
	if options.Logits {
		return options.reduce(op, prediction.LogSoftmax(-1).Mul(target).Sum(-1).Neg(), rows)
	}
	return options.reduce(op, prediction.CrossEntropy(target).Sum(-1), rows)
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
// another reduction or weights. With Logits the prediction is x before the
// softmax, and the loss −log softmax(x)[label], without overflow at any
// distance. A logit of −Inf is a class that is ruled out.
//
//	∂loss/∂x = (softmax(x) − 1 at the label) / n
func CategoricalCrossEntropyLabelsWith(prediction autograd.Value, labels autograd.Ints, options Options) autograd.Value {
	const op = "CategoricalCrossEntropyLabels"
	mustBeGiven(op, "prediction", prediction)
	options.checkClasses(op, prediction)
	g := options.begin(op, prediction, none)
	defer g.Leave()
	checkLabels(op, prediction, labels)
	options.checkProbabilities(op, prediction)
	losses := labelLosses(prediction, labels, options.Logits)
	if !given(options.ClassWeights) {
		return options.reduce(op, losses, none)
	}
	rows := g.OneHot(labels, prediction.Dim(-1)).MatMul(options.ClassWeights)
	return options.reduce(op, losses.Mul(rows), rows)
}

// checkLabels panics unless there is the label of a class for each row.
func checkLabels(op string, prediction autograd.Value, labels autograd.Ints) {
	classes := prediction.Dim(-1)
	if labels.Size()*classes != prediction.Size() {
		panic(autograd.NewShapeError("losses: "+op, "the labels are not one for each row", prediction.Shape(), labels.Shape()))
	}
	for row, label := range labels.Values() {
		if label < 0 || label >= classes {
			panic(autograd.NewIndexError("losses: "+op, fmt.Sprintf("labels[%d] =", row), label, classes))
		}
	}
}

// labelLosses returns −ln p[label] for each label.
func labelLosses(prediction autograd.Value, labels autograd.Ints, logits bool) autograd.Value {
	if logits {
		return prediction.LogSoftmax(-1).Pick(labels).Neg()
	}
	return prediction.Pick(labels).CrossEntropy(prediction.Graph().Scalar(1))
}

// checkClasses panics when the prediction has no axis of classes, or the class
// weights are not one for each of them.
func (o Options) checkClasses(op string, prediction autograd.Value) {
	if prediction.Rank() == 0 {
		panic(autograd.NewShapeError("losses: "+op, "a scalar has no axis of classes", prediction.Shape()))
	}
	if v := o.ClassWeights; given(v) && (v.Rank() != 1 || v.Dim(0) != prediction.Dim(-1)) {
		panic(autograd.NewShapeError("losses: "+op, "prediction and class weights differ in classes", prediction.Shape(), v.Shape()))
	}
}
