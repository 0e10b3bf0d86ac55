package metrics

import "fmt"

// A LengthError says that there are not as many predictions as targets.
type LengthError struct {
	Func        string // the function that was called
	Predictions int    // the length of its first argument
	Targets     int    // the length of its second
}

func (e *LengthError) Error() string {
	return fmt.Sprintf("metrics: %s: %d predictions for %d targets", e.Func, e.Predictions, e.Targets)
}

// A LabelError says that a number is not the label of a class: not a whole
// number from 0 to Classes−1.
type LabelError struct {
	Func    string  // the function that was called
	What    string  // "prediction", "target" or "class"
	Index   int     // where it stands in its slice, −1 if it is an argument by itself
	Label   float64 // the number
	Classes int
}

func (e *LabelError) Error() string {
	at := ""
	if e.Index >= 0 {
		at = fmt.Sprintf(" at index %d", e.Index)
	}
	return fmt.Sprintf("metrics: %s: %s %v%s is not a label of %d classes", e.Func, e.What, e.Label, at, e.Classes)
}

func checkLengths(function string, predictions, targets int) {
	if predictions != targets {
		panic(&LengthError{function, predictions, targets})
	}
}

func checkLabels(function, what string, labels []int, classes int) {
	for i, label := range labels {
		if label < 0 || label >= classes {
			panic(&LabelError{function, what, i, float64(label), classes})
		}
	}
}

// checkBinary panics unless every target is 0, 1 or NaN.
func checkBinary(function string, targets []float64) {
	for i, t := range targets {
		if t < 0 || t > 1 || (t > 0 && t < 1) {
			panic(&LabelError{function, "target", i, t, 2})
		}
	}
}
