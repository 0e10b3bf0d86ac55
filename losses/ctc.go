package losses

import (
	"nabla/autograd"
)

// CTCOptions are what [CTC] leaves open, besides the options of all losses, of
// which it knows Reduction, Weights, one for each sample, and Logits.
type CTCOptions struct {
	Options

	Blank        int           // the class that stands for no label; 0 unless it is said
	Lengths      autograd.Ints // [batch]: the steps of each sample, at least 1; the zero Ints: all
	LabelLengths autograd.Ints // [batch]: how many labels each has; the zero Ints: all
	ZeroInfinity bool          // makes the loss of a sample that cannot have its labels 0, with gradient 0, in place of +Inf
	PerLabel     bool          // divides each loss by the number of its labels, 1 at least, as PyTorch's mean does
}

// CTC returns the mean loss of a connectionist temporal classification: of
// labels that stand for a sequence, as a transcript does for speech, without
// saying at which steps. The prediction has the logarithms of the probabilities
// of the classes at each step, [batch, steps, classes], and the labels are
// [batch, longest]. A class, the blank, stands for no label: 0.
//
//	−ln p(labels) = −ln Σ Π p[step][class]
//
// over all sequences of classes that become the labels when equal neighbours
// are made one and then blanks are left out. See [autograd.Value.CTC] for the
// gradient.
//
// The loss of a sample that has too few steps for its labels is +Inf, with
// gradient NaN.
//
// It panics with an *[autograd.ShapeError] if prediction and labels do not fit,
// and with an *[autograd.IndexError] or *[autograd.ArgumentError] for a label
// that is no class, or the blank.
func CTC(prediction autograd.Value, labels autograd.Ints) autograd.Value {
	return CTCWith(prediction, labels, CTCOptions{})
}

// CTCWith is [CTC] with other options, such as lengths. With Logits the
// prediction is what the network computes before a softmax. It panics with an
// *[autograd.ArgumentError] for a length out of range, too.
func CTCWith(prediction autograd.Value, labels autograd.Ints, options CTCOptions) autograd.Value {
	const op = "CTC"
	mustBeGiven(op, "prediction", prediction)
	g := options.begin(op, logits, prediction, none)
	defer g.Leave()
	if options.Logits {
		if prediction.Rank() == 0 {
			panic(autograd.NewShapeError("losses: "+op, "a scalar has no classes", prediction.Shape()))
		}
		prediction = prediction.LogSoftmax(-1)
	}
	losses := prediction.CTC(labels, autograd.CTCOptions{
		Blank: options.Blank, Lengths: options.Lengths, LabelLengths: options.LabelLengths, ZeroInfinity: options.ZeroInfinity,
	})
	if options.PerLabel {
		losses = losses.Div(g.Constant(options.labelCounts(labels)))
	}
	return options.reduce(op, losses, none)
}

// labelCounts returns the number of labels of each sample, 1 at least.
func (o *CTCOptions) labelCounts(labels autograd.Ints) autograd.Tensor {
	counts := autograd.Full(float64(max(1, labels.Dim(1))), labels.Dim(0))
	for i, n := range o.LabelLengths.Values() {
		counts.Raw64()[i] = float64(max(1, n))
	}
	return counts
}
