package onnx

import (
	"slices"

	"nabla/autograd"
)

// losses compare with labels.
func losses() map[string]operator {
	return map[string]operator{
		"NegativeLogLikelihoodLoss": {since(12, 13, 22), 2, 3, 1, buildNLL},
		"SoftmaxCrossEntropyLoss":   {since(12, 13), 2, 3, 2, buildSoftmaxCrossEntropy},
	}
}

// A likelihood is how losses of elements are joined.
type likelihood struct {
	reduction string
	ignore    []int // no label, or one
}

func (n *node) likelihood() likelihood {
	l := likelihood{reduction: n.oneOf("reduction", "mean", "none", "sum", "mean")}
	if n.hasAttribute("ignore_index") {
		l.ignore = []int{n.int("ignore_index", 0)}
	}
	return l
}

func buildNLL(n *node) func(*call) {
	l := n.likelihood()
	return func(c *call) { c.setLike(0, c.likelihood(l, c.value(0))) }
}

func buildSoftmaxCrossEntropy(n *node) func(*call) {
	l := n.likelihood()
	return func(c *call) {
		x := c.value(0)
		if x.Rank() < 2 {
			c.failShapes("the scores are no [batch, classes, …]", x.Shape())
		}
		log := x.LogSoftmax(1)
		c.setLike(0, c.likelihood(l, log))
		c.setLike(1, log)
	}
}

// likelihood is minus the logarithm of each label's probability, times the
// weight of its class; the mean divides by the weights.
func (c *call) likelihood(l likelihood, log value) value {
	labels := c.tensor(1)
	if log.Rank() < 2 || !slices.Equal(labels.shape(), without(log.Shape(), []int{1})) {
		c.failShapes("there is not one label for each element", log.Shape(), labels.shape())
	}
	values := c.ints(1)
	index := make([]int, len(values))
	counted := make([]float64, len(values))
	for i, v := range values {
		index[i] = saturated(v)
		counted[i] = float64(truth(!slices.Contains(l.ignore, index[i])))
		if counted[i] != 0 && (index[i] < 0 || index[i] >= log.Dim(1)) {
			panic(autograd.NewIndexError(c.title(), "label", index[i], log.Dim(1)))
		}
	}
	at := toInts(index, labels.shape())
	loss := log.PickAlong(1, at, l.ignore...).Neg()
	weights := c.graph().Constant(newTensor(counted, labels.shape()))
	if c.has(2) {
		w := c.value(2)
		if w.Rank() != 1 || w.Dim(0) != log.Dim(1) {
			c.failShapes("there is not one weight for each class", log.Shape(), w.Shape())
		}
		weights = w.PickAlong(0, at, l.ignore...)
		loss = loss.Mul(weights)
	}
	switch l.reduction {
	case "none":
		return loss
	case "sum":
		return loss.Sum()
	}
	return loss.Sum().Div(weights.Sum())
}
