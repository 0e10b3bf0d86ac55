package metrics

import (
	"math"
	"slices"

	"nabla/autograd"
)

// IoU returns the intersection over union of two masks, the Jaccard index: of
// the elements that are predicted or actual, the fraction that is both. An
// element is predicted if its probability is above ½, and targets are 0 or 1.
// For several classes, and over several batches, see [Overlap].
//
//	IoU = TP / (TP + FP + FN)
//
// It panics with an *[autograd.ShapeError] if the shapes differ, and with an
// *[autograd.ArgumentError] at a target that is neither 0 nor 1.
//
// Special cases are:
//
//	IoU of two empty masks = NaN
//	IoU with a NaN = NaN
func IoU(prediction, target autograd.Tensor) float64 {
	both, predicted, actual := masks("metrics: IoU", prediction, target)
	return both / (predicted + actual - both)
}

// Dice returns the Dice coefficient of two masks, which is their F1: of the
// elements of both, counted twice where they coincide, the fraction that does.
// It takes what [IoU] takes, and has its special cases.
//
//	Dice = 2·TP / (2·TP + FP + FN) = 2·IoU / (1 + IoU)
func Dice(prediction, target autograd.Tensor) float64 {
	both, predicted, actual := masks("metrics: Dice", prediction, target)
	return 2 * both / (predicted + actual)
}

// masks counts the elements of two masks. With a NaN the counts are NaN.
func masks(op string, prediction, target autograd.Tensor) (both, predicted, actual float64) {
	mustMatch(op, prediction, target)
	probabilities, targets := prediction.Float64s(), target.Float64s()
	mustBeBinary(op, targets)
	if anyNaN(probabilities) || anyNaN(targets) {
		return math.NaN(), math.NaN(), math.NaN()
	}
	for i, p := range probabilities {
		if p > 0.5 {
			predicted++
			both += targets[i]
		}
		actual += targets[i]
	}
	return both, predicted, actual
}

// An Overlap counts, for each class, the elements that are predicted as it,
// that are of it, and both: the pixels of a segmentation, over any number of
// batches.
type Overlap struct {
	Both      []int // by label
	Predicted []int
	Actual    []int
}

// NewOverlap returns an Overlap of so many classes that has counted nothing.
// It panics with an *[autograd.ArgumentError] if there is not at least one.
func NewOverlap(classes int) *Overlap {
	if classes < 1 {
		panic(autograd.NewArgumentError("metrics: NewOverlap", "there are %d classes", classes))
	}
	return &Overlap{make([]int, classes), make([]int, classes), make([]int, classes)}
}

// Add counts a batch of predicted and actual labels, such as the ArgMax of
// scores [batch, classes, height, width] along axis 1 and masks [batch, height,
// width]. Elements whose actual label is one of those to ignore do not count.
//
// It panics with an *[autograd.ShapeError] if the shapes differ, and with an
// *[autograd.IndexError] if a label is of no class. Nothing is counted then.
func (o *Overlap) Add(predicted, actual autograd.Ints, ignore ...int) {
	const op = "metrics: Overlap.Add"
	if p, a := predicted.Shape(), actual.Shape(); !slices.Equal(p, a) {
		panic(autograd.NewShapeError(op, "predicted and actual labels differ in shape", p, a))
	}
	mustBeLabels(op, "predicted", predicted.Values(), len(o.Both))
	for i, label := range actual.Values() {
		if !slices.Contains(ignore, label) {
			mustBeLabel(op, "actual", i, label, len(o.Both))
		}
	}
	for i, label := range actual.Values() {
		if slices.Contains(ignore, label) {
			continue
		}
		o.Predicted[predicted.Values()[i]]++
		o.Actual[label]++
		if label == predicted.Values()[i] {
			o.Both[label]++
		}
	}
}

// IoU returns the intersection over union of each class: NaN for a class that
// neither is predicted nor occurs.
func (o *Overlap) IoU() []float64 {
	return o.each(func(both, predicted, actual float64) float64 { return both / (predicted + actual - both) })
}

// Dice returns the Dice coefficient of each class: NaN for a class that neither
// is predicted nor occurs.
func (o *Overlap) Dice() []float64 {
	return o.each(func(both, predicted, actual float64) float64 { return 2 * both / (predicted + actual) })
}

// MeanIoU returns the unweighted mean of the classes' intersections over union,
// except for the given classes, such as the background. Classes that neither
// are predicted nor occur are left out; if all are, it is NaN.
func (o *Overlap) MeanIoU(except ...int) float64 { return meanExcept(o.IoU(), except) }

// MeanDice is [Overlap.MeanIoU] of the Dice coefficients.
func (o *Overlap) MeanDice(except ...int) float64 { return meanExcept(o.Dice(), except) }

func (o *Overlap) each(f func(both, predicted, actual float64) float64) []float64 {
	scores := make([]float64, len(o.Both))
	for label := range scores {
		scores[label] = f(float64(o.Both[label]), float64(o.Predicted[label]), float64(o.Actual[label]))
	}
	return scores
}

// meanExcept returns the mean of the numbers that are not NaN, without those of
// the given indices.
func meanExcept(x []float64, except []int) float64 {
	sum, n := 0.0, 0
	for i, v := range x {
		if !math.IsNaN(v) && !slices.Contains(except, i) {
			sum += v
			n++
		}
	}
	return sum / float64(n)
}
