package metrics

import (
	"math"
	"slices"

	"nabla/autograd"
)

// A ConfusionMatrix counts how often each class was predicted as which.
type ConfusionMatrix struct {
	Classes []string // the classes' names, by label
	Counts  [][]int  // [actual][predicted], rows that were counted
}

// NewConfusionMatrix counts pairs of predicted and actual labels, as returned
// by [Classes]. The names are those of the classes 0, 1, 2, …; there are as
// many classes as names.
//
// It panics with an *[autograd.ShapeError] if the shapes differ, and with an
// *[autograd.IndexError] if a label has no name.
func NewConfusionMatrix(predicted, actual autograd.Ints, names ...string) *ConfusionMatrix {
	const op = "metrics: NewConfusionMatrix"
	if p, a := predicted.Shape(), actual.Shape(); !slices.Equal(p, a) {
		panic(autograd.NewShapeError(op, "predicted and actual labels differ in shape", p, a))
	}
	mustBeLabels(op, "predicted", predicted.Values(), len(names))
	mustBeLabels(op, "actual", actual.Values(), len(names))

	m := &ConfusionMatrix{Classes: slices.Clone(names), Counts: make([][]int, len(names))}
	for label := range m.Counts {
		m.Counts[label] = make([]int, len(names))
	}
	for i, label := range actual.Values() {
		m.Counts[label][predicted.Values()[i]]++
	}
	return m
}

// Scores say how well one class was recognised, or several on average. All but
// Support are from 0 to 1.
type Scores struct {
	Precision float64 // the fraction of the rows predicted as the class that belong to it
	Recall    float64 // the fraction of the rows of the class that were predicted as it
	F1        float64 // the harmonic mean of the two
	Support   int     // rows of the class
}

// Class returns the scores of the class with the given label.
//
//	precision = TP / (TP + FP)
//	recall    = TP / (TP + FN)
//	F1        = 2·TP / (2·TP + FP + FN)
//
// TP is the number of rows of the class that were predicted as it, FP that of
// rows of other classes predicted as it, FN that of rows of the class predicted
// as another.
//
// It panics with an *[autograd.IndexError] if there is no such class.
//
// Special cases are:
//
//	a class that occurs and is never predicted has precision 0
//	a class that is predicted and never occurs has recall 0
//	a class that is neither predicted nor occurs has scores of NaN
func (m *ConfusionMatrix) Class(label int) Scores {
	if label < 0 || label >= len(m.Counts) {
		panic(autograd.NewIndexError("metrics: ConfusionMatrix.Class", "class", label, len(m.Counts)))
	}
	right, actual, predicted := m.Counts[label][label], m.actual(label), m.predicted(label)
	if actual == 0 && predicted == 0 {
		return undefined()
	}
	return Scores{
		// A denominator of 0 comes with a numerator of 0.
		Precision: float64(right) / float64(max(predicted, 1)),
		Recall:    float64(right) / float64(max(actual, 1)),
		F1:        2 * float64(right) / float64(actual+predicted),
		Support:   actual,
	}
}

// Macro returns the unweighted mean of the scores over the classes. Classes
// that are neither predicted nor occur are left out; if all are, the scores are
// NaN. Its F1 is the mean of the classes' F1.
func (m *ConfusionMatrix) Macro() Scores {
	return m.average(func(label int) int { return min(m.actual(label)+m.predicted(label), 1) })
}

// Weighted returns the scores averaged over the classes, each weighted by the
// number of its rows. Its recall is the accuracy. The scores of an empty
// matrix are NaN.
func (m *ConfusionMatrix) Weighted() Scores {
	return m.average(m.actual)
}

// Micro returns the scores computed from the TP, FP and FN of all classes added
// up. A row has one actual and one predicted class, so each FP of one class is
// an FN of another, and all three scores are the accuracy.
func (m *ConfusionMatrix) Micro() Scores {
	accuracy := m.Accuracy()
	return Scores{accuracy, accuracy, accuracy, m.Total()}
}

// Accuracy returns the share of rows on the diagonal, from 0 to 1: NaN if the
// matrix is empty.
func (m *ConfusionMatrix) Accuracy() float64 {
	right := 0
	for label := range m.Counts {
		right += m.Counts[label][label]
	}
	return float64(right) / float64(m.Total())
}

// Total returns the number of rows that were counted.
func (m *ConfusionMatrix) Total() int {
	total := 0
	for label := range m.Counts {
		total += m.actual(label)
	}
	return total
}

// average returns the weighted mean of the classes' scores. Classes of weight 0
// are left out, since their scores may be NaN.
func (m *ConfusionMatrix) average(weight func(label int) int) Scores {
	var sum Scores
	weights := 0
	for label := range m.Counts {
		w := weight(label)
		if w == 0 {
			continue
		}
		s := m.Class(label)
		sum.Precision += float64(w) * s.Precision
		sum.Recall += float64(w) * s.Recall
		sum.F1 += float64(w) * s.F1
		weights += w
	}
	if weights == 0 {
		return undefined()
	}
	n := float64(weights)
	return Scores{sum.Precision / n, sum.Recall / n, sum.F1 / n, m.Total()}
}

func undefined() Scores {
	return Scores{math.NaN(), math.NaN(), math.NaN(), 0}
}

// actual returns how many rows are of the class.
func (m *ConfusionMatrix) actual(label int) int {
	sum := 0
	for _, count := range m.Counts[label] {
		sum += count
	}
	return sum
}

// predicted returns how many rows were predicted as the class.
func (m *ConfusionMatrix) predicted(label int) int {
	sum := 0
	for _, row := range m.Counts {
		sum += row[label]
	}
	return sum
}
