package data

import "slices"

// Labels converts labels to class numbers and one-hot rows, and back. The class
// number of a label is its index among the classes. A Labels does not change
// once made.
type Labels struct {
	classes []string
	numbers map[string]int
}

// NewLabels returns an encoder for the given classes, numbered in that order.
// Use it where the order matters, or must not depend on the data. It panics
// with an *[autograd.ArgumentError] if there are no classes or a class is
// repeated.
func NewLabels(classes ...string) *Labels {
	if len(classes) == 0 {
		misuse("NewLabels", "no classes")
	}
	l := &Labels{classes: slices.Clone(classes), numbers: make(map[string]int, len(classes))}
	for number, class := range classes {
		if first, ok := l.numbers[class]; ok {
			misuse("NewLabels", "class %q is given twice, as %d and %d", class, first, number)
		}
		l.numbers[class] = number
	}
	return l
}

// FitLabels returns an encoder for the labels that occur. The classes are
// sorted by their bytes, so that their numbers do not depend on the order of
// the rows: "no" is 0 and "yes" is 1. The empty string is a label like any
// other. An empty slice panics with an *[autograd.ArgumentError].
func FitLabels(labels []string) *Labels {
	if len(labels) == 0 {
		misuse("FitLabels", "no labels")
	}
	classes := slices.Clone(labels)
	slices.Sort(classes)
	return NewLabels(slices.Compact(classes)...)
}

// Classes returns the classes in the order of their numbers.
func (l *Labels) Classes() []string { return slices.Clone(l.classes) }

// Encode returns the class number of each label; autograd.NewInts turns the
// result into what losses take. It returns a *[LabelError] for a label that is
// not among the classes.
func (l *Labels) Encode(labels []string) ([]int, error) {
	numbers := make([]int, len(labels))
	for i, label := range labels {
		number, ok := l.numbers[label]
		if !ok {
			return nil, &LabelError{Row: i, Label: label, Classes: l.Classes()}
		}
		numbers[i] = number
	}
	return numbers, nil
}

// Decode returns the label of each class number. It panics with an
// *[autograd.ArgumentError] if a number is out of range.
func (l *Labels) Decode(numbers []int) []string {
	labels := make([]string, len(numbers))
	for i, number := range numbers {
		if number < 0 || number >= len(l.classes) {
			misuse("Labels.Decode", "number %d (numbers[%d]) is no class, there are %d", number, i, len(l.classes))
		}
		labels[i] = l.classes[number]
	}
	return labels
}

// OneHot returns a matrix [len(labels), classes] whose rows are 1 in the column
// of the label's class and 0 elsewhere. It returns a *[LabelError] for a label
// that is not among the classes.
func (l *Labels) OneHot(labels []string) (Matrix, error) {
	numbers, err := l.Encode(labels)
	if err != nil {
		return Matrix{}, err
	}
	return OneHot(numbers, len(l.classes)), nil
}

// OneHot returns a matrix [len(numbers), classes] whose row i is 1 in column
// numbers[i] and 0 elsewhere. A number outside [0, classes) panics with an
// *[autograd.ArgumentError].
func OneHot(numbers []int, classes int) Matrix {
	if classes < 1 {
		misuse("OneHot", "%d classes, want at least 1", classes)
	}
	m := NewMatrix(len(numbers), classes)
	for i, number := range numbers {
		if number < 0 || number >= classes {
			misuse("OneHot", "number %d (numbers[%d]) is no class, there are %d", number, i, classes)
		}
		m.Values[i*classes+number] = 1
	}
	return m
}
