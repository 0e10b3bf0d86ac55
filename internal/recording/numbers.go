package recording

import (
	"strconv"
	"strings"

	"math"

	"nabla/autograd"
)

// Numbers is a tensor as a drawing shows it: each element of a small one, and
// the statistics of any.
type Numbers struct {
	Shape []int
	Size  int
	Few   []float64 // each element in row-major order; nil if there are more than the limit

	Min, Mean, Max float64 // of the finite elements; NaN if there are none
	Norm           float64 // Euclidean, of all elements
	level          bool    // the mean is 0 up to rounding: its digits mean nothing
	Finite         int
	zeros          int
	Nans, Infs     int
}

// NewNumbers copies what it needs from t. A single number is always kept.
func NewNumbers(t autograd.Tensor, limit int) Numbers {
	n := Numbers{Shape: t.Shape(), Size: t.Size(), Min: math.Inf(1), Max: math.Inf(-1)}
	if n.Size <= max(limit, 1) {
		n.Few = t.Float64s()
	}
	if t.Precision() == autograd.Float32 {
		count(&n, t.Raw32())
	} else {
		count(&n, t.Raw64())
	}
	n.Norm = t.Norm()
	if n.Finite == 0 {
		n.Min, n.Mean, n.Max = math.NaN(), math.NaN(), math.NaN()
	}
	n.level = n.Mean != 0 && math.Abs(n.Mean) <= rounding(t.Precision())*n.Largest()
	return n
}

// rounding is how far from 0, relative to the largest element, the mean of
// elements that cancel may be because of rounding.
func rounding(p autograd.Precision) float64 {
	if p == autograd.Float32 {
		return 0x1p-20
	}
	return 0x1p-48
}

// count looks at the elements, block by block: one by one only where a block
// has elements that are not finite, or overflows.
func count[T float32 | float64](n *Numbers, elements []T) {
	const block = 128
	for len(elements) > 0 {
		part := elements[:min(block, len(elements))]
		elements = elements[len(part):]
		low, high, sum, zeros := part[0], part[0], 0.0, 0
		for _, v := range part { // without min and max, which look for NaN
			sum += float64(v)
			if v < low {
				low = v
			}
			if v > high {
				high = v
			}
			if v == 0 {
				zeros++
			}
		}
		if !IsFinite(sum) {
			for _, v := range part {
				n.add(float64(v))
			}
			continue
		}
		n.Finite += len(part)
		n.zeros += zeros
		n.Min, n.Max = min(n.Min, float64(low)), max(n.Max, float64(high))
		n.Mean += (sum/float64(len(part)) - n.Mean) * (float64(len(part)) / float64(n.Finite))
	}
}

func (n *Numbers) add(v float64) {
	switch {
	case math.IsNaN(v):
		n.Nans++
	case math.IsInf(v, 0):
		n.Infs++
	default:
		n.Finite++
		if v == 0 {
			n.zeros++
		}
		n.Min, n.Max = min(n.Min, v), max(n.Max, v)
		n.Mean += (v - n.Mean) / float64(n.Finite)
	}
}

// ElementsOf returns the elements, which must not be written to.
func ElementsOf(t autograd.Tensor) []float64 {
	if t.Precision() == autograd.Float64 {
		return t.Raw64()
	}
	return t.Float64s()
}

// Zero reports whether there are elements and each is exactly zero.
func (n *Numbers) Zero() bool {
	return n.Size > 0 && n.zeros == n.Size
}

// Largest returns the largest magnitude of a finite element, 0 if there is
// none.
func (n *Numbers) Largest() float64 {
	if n.Finite == 0 {
		return 0
	}
	return max(math.Abs(n.Min), math.Abs(n.Max))
}

// United returns the numbers of several tensors as those of one vector.
func United(all ...Numbers) Numbers {
	j := Numbers{Min: math.Inf(1), Max: math.Inf(-1), Few: []float64{}}
	for _, n := range all {
		j.Size += n.Size
		j.Norm = math.Hypot(j.Norm, n.Norm)
		j.zeros, j.Nans, j.Infs = j.zeros+n.zeros, j.Nans+n.Nans, j.Infs+n.Infs
		if n.Finite > 0 {
			j.Finite += n.Finite
			j.Min, j.Max = min(j.Min, n.Min), max(j.Max, n.Max)
			j.Mean += (n.Mean - j.Mean) * float64(n.Finite) / float64(j.Finite)
		}
		if n.Few == nil && n.Size > 0 || j.Few == nil {
			j.Few = nil
		} else {
			j.Few = append(j.Few, n.Few...)
		}
	}
	j.Shape = []int{j.Size}
	if j.Finite == 0 {
		j.Min, j.Mean, j.Max = math.NaN(), math.NaN(), math.NaN()
	}
	return j
}

// Broken reports whether an element is NaN or infinite.
func (n *Numbers) Broken() bool { return n.Nans+n.Infs > 0 }

// The defaults of the options.
const (
	DefaultDigits   = 4
	defaultElements = 6
	maxDigits       = 17
)

// DigitsOf returns the number of significant digits to show: digits, or 4 if it
// is 0. It panics with an *[autograd.ArgumentError] that names op unless it is
// 1 to 17.
func DigitsOf(op string, digits int) int {
	if digits == 0 {
		return DefaultDigits
	}
	if digits < 0 || digits > maxDigits {
		panic(autograd.NewArgumentError(op, "%d Digits are not 1 to %d", digits, maxDigits))
	}
	return digits
}

// ElementsShown returns the size up to which each element of a tensor is shown:
// elements, or 6 if it is 0. It panics with an *[autograd.ArgumentError] that
// names op if it is negative.
func ElementsShown(op string, elements int) int {
	if elements == 0 {
		return defaultElements
	}
	if elements < 0 {
		panic(autograd.NewArgumentError(op, "Elements is negative: %d", elements))
	}
	return elements
}

// Statistics returns names and numbers: the range and mean of the finite
// elements, and the norm of all.
func (n *Numbers) Statistics(digits int) [][2]string {
	var all [][2]string
	switch {
	case n.Finite == 0:
	case n.Min == n.Max:
		all = append(all, [2]string{"all", Number(n.Min, digits)})
	default:
		mean := Number(n.Mean, digits)
		if n.level {
			mean = "≈ 0"
		}
		all = append(all, [2]string{"min", Number(n.Min, digits)}, [2]string{"mean", mean}, [2]string{"max", Number(n.Max, digits)})
	}
	if n.Finite == n.Size {
		all = append(all, [2]string{"norm", Number(n.Norm, digits)})
	}
	return all
}

// ZeroShare returns the percentage of elements that are exactly zero: "12 %
// zeros"; "" for none.
func (n *Numbers) ZeroShare() string {
	if n.zeros == 0 {
		return ""
	}
	percent := strconv.Itoa(int(math.Round(100 * float64(n.zeros) / float64(n.Size))))
	switch {
	case percent == "0":
		percent = "under 1"
	case percent == "100":
		percent = "over 99"
	}
	return percent + " % zeros"
}

// Broke returns how many elements are NaN or infinite: "2 × NaN".
func (n *Numbers) Broke() []string {
	var all []string
	if n.Nans > 0 {
		all = append(all, strconv.Itoa(n.Nans)+" × NaN")
	}
	if n.Infs > 0 {
		all = append(all, strconv.Itoa(n.Infs)+" × Inf")
	}
	return all
}

// Plain returns a tensor's numbers as one line of text.
func (n *Numbers) Plain(digits int) string {
	switch {
	case n.Size == 0:
		return "empty"
	case n.Size == 1:
		return Number(n.Few[0], digits)
	case n.Few != nil:
		return n.elements(digits)
	}
	var parts []string
	for _, s := range n.Statistics(digits) {
		parts = append(parts, s[0]+" "+s[1])
	}
	if share := n.ZeroShare(); share != "" && !n.Zero() {
		parts = append(parts, share)
	}
	return strings.Join(append(parts, n.Broke()...), ", ")
}

// elements returns each element, with a semicolon after each row.
func (n *Numbers) elements(digits int) string {
	across := n.Size
	if len(n.Shape) > 0 {
		across = n.Shape[len(n.Shape)-1]
	}
	var b strings.Builder
	for i, v := range n.Few {
		switch {
		case i == 0:
		case i%across == 0:
			b.WriteString("; ")
		default:
			b.WriteByte(' ')
		}
		b.WriteString(Number(v, digits))
	}
	return "[" + b.String() + "]"
}

func IsFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
