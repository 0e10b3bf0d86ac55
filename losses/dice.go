package losses

import "nabla/autograd"

// Dice returns the mean Dice loss of probabilities p against targets t of the
// same shape, [batch, …, classes] with at least one axis of pixels in between:
// one minus the share of what prediction and target have in common. It has one
// loss for each image and class, with sums over the pixels:
//
//	1 − (2·Σ p·t + smooth) / (Σ p + Σ t + smooth)
//
// Classes count alike, however few pixels they have: add it to a cross entropy
// where most pixels are background. Smooth, usually 1, is finite and at least
// 0: with 0 a class that is neither there nor predicted has the loss 0/0 = NaN,
// with more it has 0.
//
//	∂loss/∂p = ((2·Σ p·t + smooth) / S − 2t) / S / n, S the denominator
//
// It panics with an *[autograd.ShapeError] if the shapes differ or have fewer
// than three axes, and with an *[autograd.ArgumentError] for another smooth.
// The mean of nothing is NaN.
func Dice(prediction, target autograd.Value, smooth float64) autograd.Value {
	return DiceWith(prediction, target, smooth, Options{})
}

// DiceWith is [Dice] with another reduction, weights (of the losses: [batch,
// classes]), class weights or class axis: 1 for [batch, classes, height,
// width]. With Logits the prediction is x before the softmax along the classes,
// or before the sigmoid if there is one class.
func DiceWith(prediction, target autograd.Value, smooth float64, options Options) autograd.Value {
	const op = "Dice"
	mustFit(op, prediction, target)
	axis := options.diceAxis(op, prediction, smooth)
	g := options.begin(op, logits|classWeights|classAxis, prediction, target)
	defer g.Leave()
	options.checkProbabilities(op, prediction)
	return options.dice(op, options.probabilities(prediction, axis), target, axis, smooth)
}

// DiceLabels is [Dice] against labels, one for each pixel: [batch, …]. It
// panics as [CategoricalCrossEntropyLabels] does.
func DiceLabels(prediction autograd.Value, labels autograd.Ints, smooth float64) autograd.Value {
	return DiceLabelsWith(prediction, labels, smooth, Options{})
}

// DiceLabelsWith is [DiceLabels] with the options of [DiceWith], and labels
// that do not count: their pixels are in no sum.
func DiceLabelsWith(prediction autograd.Value, labels autograd.Ints, smooth float64, options Options) autograd.Value {
	const op = "DiceLabels"
	mustBeGiven(op, "prediction", prediction)
	axis := options.diceAxis(op, prediction, smooth)
	g := options.begin(op, logits|classWeights|classAxis|ignoreIndex, prediction, none)
	defer g.Leave()
	options.checkLabels(op, prediction, axis, labels)
	options.checkProbabilities(op, prediction)
	p, target := options.probabilities(prediction, axis), g.OneHotAlong(axis, labels, prediction.Dim(axis), options.IgnoreIndex...)
	if len(options.IgnoreIndex) > 0 {
		p = autograd.Where(target.KeepDims().Sum(axis), p, g.Scalar(0))
	}
	return options.dice(op, p, target, axis, smooth)
}

// diceAxis returns the axis of the classes. It panics unless axes of images and
// pixels stand beside it.
func (o *Options) diceAxis(op string, prediction autograd.Value, smooth float64) int {
	mustBeFrom0(op, "smooth", smooth)
	axis := o.axis(op, prediction)
	if prediction.Rank() < 3 || axis == 0 {
		panic(autograd.NewShapeError("losses: "+op, "no axes of images, classes and pixels", prediction.Shape()))
	}
	return axis
}

// probabilities returns the prediction as probabilities.
func (o *Options) probabilities(prediction autograd.Value, axis int) autograd.Value {
	switch {
	case !o.Logits:
		return prediction
	case prediction.Dim(axis) == 1:
		return prediction.Sigmoid()
	}
	return prediction.Softmax(axis)
}

func (o *Options) dice(op string, p, target autograd.Value, axis int, smooth float64) autograd.Value {
	common := ofPixels(p.Mul(target), axis).MulScalar(2).AddScalar(smooth)
	all := ofPixels(p, axis).Add(ofPixels(target, axis)).AddScalar(smooth)
	losses := common.Div(all).Neg().AddScalar(1)
	if !given(o.ClassWeights) {
		return o.reduce(op, losses, none)
	}
	rows := o.ClassWeights.Expand(losses.Dim(0), losses.Dim(1))
	return o.reduce(op, losses.Mul(rows), rows)
}

// ofPixels returns the sums over all axes but the first and that of the
// classes: [batch, classes].
func ofPixels(x autograd.Value, axis int) autograd.Value {
	if axis < x.Rank()-1 {
		x = x.Flatten(axis+1, -1).Sum(-1)
	}
	if axis > 1 {
		x = x.Flatten(1, axis-1).Sum(1)
	}
	return x
}
