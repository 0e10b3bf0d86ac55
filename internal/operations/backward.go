package operations

import (
	"math"
	"strconv"
)

// A Use is one input of an operation, for the words that say what happens to
// the gradient on the way to it.
type Use struct {
	Input     int
	Constants []float64 // of the operation, as recorded
	Ints      []int     // likewise
	Symbols   []string  // the names of the inputs; "" unless the name is a symbol such as W or x2
	Learned   []bool    // the inputs are parameters or variables
	Elements  int       // of the input for each one of the result; 0 if the result has none
}

// constant returns a constant, 0 if the operation has fewer.
func (u Use) constant(i int) float64 {
	if i < len(u.Constants) {
		return u.Constants[i]
	}
	return 0
}

// called returns an input's symbol, or the given letter if it has none.
func (u Use) called(input int, letter string) string {
	if s := u.Symbols[input]; s != "" {
		return s
	}
	return letter
}

func says(words string) func(Use) string { return func(Use) string { return words } }

// each has different words for each input.
func each(words ...string) func(Use) string {
	return func(u Use) string { return words[u.Input] }
}

// matmulBackward is ∂/∂x = g·Wᵀ and ∂/∂W = xᵀ·g, or what follows from them if
// an operand was transposed.
func matmulBackward(u Use) string {
	letter := "y"
	if u.Learned[1] {
		letter = "W"
	}
	x, w := u.called(0, "x"), u.called(1, letter)
	left := [...]string{"× " + w + "ᵀ", "× " + w, w + " × gᵀ", w + "ᵀ × gᵀ"}
	right := [...]string{x + "ᵀ ×", "gᵀ × " + x, x + " ×", "gᵀ × " + x + "ᵀ"}
	which := 0
	if u.constant(1) != 0 { // w is transposed
		which++
	}
	if u.constant(0) != 0 {
		which += 2
	}
	if u.Input == 0 {
		return left[which]
	}
	return right[which]
}

func meanBackward(u Use) string {
	if u.Elements == 0 {
		return "÷ n"
	}
	return "÷ " + strconv.Itoa(u.Elements)
}

func varBackward(u Use) string { return "× 2(x − mean) ÷ " + u.freedom() }

func stdBackward(u Use) string { return "× (x − mean) ÷ (" + u.freedom() + "·y)" }

// freedom returns the divisor of a variance, the third of its Ints: n − 1, or n
// for a population.
func (u Use) freedom() string {
	if u.Ints[2] == 0 {
		return "n"
	}
	return "(n − 1)"
}

func normBackward(u Use) string {
	switch p := u.constant(0); {
	case p == 1:
		return "× sign x"
	case p == 2:
		return "× x ÷ y"
	case math.IsInf(p, 1):
		return "to the greatest |x|"
	}
	return "× sign x·(|x| ÷ y)^(p − 1)"
}

// running has different words for a running sum or product and one that runs
// backwards.
func running(forward, backward string) func(Use) string {
	return func(u Use) string {
		if u.constant(1) != 0 {
			return backward
		}
		return forward
	}
}

// affine has different words for each of the first inputs of a normalization,
// and those of the scale and shift that follow. Ints[6] says whether there is a
// scale.
func affine(words ...string) func(Use) string {
	return func(u Use) string {
		switch {
		case u.Input < len(words):
			return words[u.Input]
		case u.Input == len(words) && u.Ints[6] == 1:
			return "Σ g·x̂"
		}
		return "Σ g"
	}
}

// recurrentBackward has different words for the input, the two matrices, the
// first state and the biases of a recurrent network. Ints[6] to Ints[9] say
// which of h, c and the two biases there are.
func recurrentBackward(u Use) string {
	if u.Input < 3 {
		return [...]string{"at each step, × the input's weightsᵀ", "xᵀ × the sums' gradients, over all steps", "hᵀ × the sums' gradients, over all steps"}[u.Input]
	}
	at := 3
	for i, words := range [...]string{"back through all steps", "back through all steps", "Σ over all steps", "Σ over all steps"} {
		if u.Ints[6+i] == 1 {
			if at == u.Input {
				return words
			}
			at++
		}
	}
	return ""
}

// attentionBackward has the words for queries, keys and values, which may be
// one input or two, and for the bias behind them and the mask. Ints[8] is their
// number, and Ints[11] says whether there is a mask.
func attentionBackward(u Use) string {
	sources := [][]string{
		{"to queries, keys and values"},
		{"scale·gs·k", "to keys and values"},
		{"scale·gs·k, gs = p·(g·vᵀ − Σ g·y)", "scale·gsᵀ·q, gs = p·(g·vᵀ − Σ g·y)", "pᵀ·g"},
	}[u.Ints[8]-1]
	switch {
	case u.Input < len(sources):
		return sources[u.Input]
	case u.Input == len(sources) && u.Ints[11]&1 != 0:
		return ""
	}
	return "p·(g·vᵀ − Σ g·y)"
}
