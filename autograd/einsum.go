package autograd

import (
	"slices"
	"strings"
)

// Einsum returns the sum of products that an equation in Einstein's notation
// describes: each operand's axes are named by letters; letters that the result
// lacks are summed over.
//
//	Einsum("ij,jk->ik", a, b)   // matrix product
//	Einsum("bhid,bhjd->bhij", q, k)
//	Einsum("ii->i", a)          // diagonal
//
// Without "->" the result has the letters that stand once, in alphabetical
// order.
//
//	∂/∂a = Einsum("ik,jk->ij", gy, b) for the matrix product: each operand's
//	gradient is the sum of products of gy and the other operands
//
// It panics with an *ArgumentError when the equation cannot be read, and with a
// *ShapeError when the operands do not fit it.
func Einsum(equation string, in ...Value) Value {
	terms, result := readEquation(equation, len(in))
	e := einsum{equation: equation, lengths: map[byte]int{}}
	for i, x := range in {
		in[0].operand("Einsum", x)
		e.measure(x, terms[i])
	}
	y, letters := e.distinct(in[0], terms[0])
	for i, x := range in[1:] {
		later := result + strings.Join(terms[i+2:], "")
		z, other := e.distinct(x, terms[i+1])
		y, letters = e.multiply(y, letters, z, other, later)
	}
	return e.arrange(y, letters, result)
}

// readEquation splits an equation into the operands' letters and the result's.
func readEquation(equation string, operands int) (terms []string, result string) {
	left, result, given := strings.Cut(strings.ReplaceAll(equation, " ", ""), "->")
	terms = strings.Split(left, ",")
	fail := func(reason string) {
		panic(NewArgumentError("Einsum", "%q: %s", equation, reason))
	}
	if len(terms) != operands || operands == 0 {
		fail("not as many operands as terms")
	}
	for _, letter := range left + result {
		if letter != ',' && (letter < 'a' || letter > 'z') && (letter < 'A' || letter > 'Z') {
			fail("axes are named by letters")
		}
	}
	if !given {
		return terms, lonely(left)
	}
	for i, letter := range result {
		if letter == ',' || !strings.ContainsRune(left, letter) || strings.ContainsRune(result[:i], letter) {
			fail("each letter of the result must stand there once and in an operand")
		}
	}
	return terms, result
}

// lonely returns the letters that stand once, in order.
func lonely(left string) string {
	var letters []byte
	for i := range len(left) {
		if left[i] != ',' && strings.Count(left, left[i:i+1]) == 1 {
			letters = append(letters, left[i])
		}
	}
	slices.Sort(letters)
	return string(letters)
}

// An einsum holds the lengths of an equation's letters.
type einsum struct {
	equation string
	lengths  map[byte]int
}

// measure checks an operand's axes against its letters.
func (e *einsum) measure(x Value, letters string) {
	dims := x.node("Einsum").shape.dims
	if len(dims) != len(letters) {
		panic(shapeError("Einsum", e.equation+": as many letters as axes are needed for "+letters, "", dims))
	}
	for i := range len(letters) {
		if known, ok := e.lengths[letters[i]]; ok && known != dims[i] {
			panic(shapeError("Einsum", e.equation+": axis "+letters[i:i+1]+" has two lengths", "", dims))
		}
		e.lengths[letters[i]] = dims[i]
	}
}

// distinct takes the diagonal of axes with the same letter.
func (e *einsum) distinct(x Value, letters string) (Value, string) {
	for i := 0; i < len(letters); i++ {
		j := strings.LastIndexByte(letters, letters[i])
		if j == i {
			continue
		}
		rest := letters[:i] + letters[i+1:j] + letters[j+1:]
		x = permuted(x, append(others(len(letters), i, j), i, j)).Diagonal(0)
		letters = rest + letters[i:i+1]
		i = -1
	}
	return x, letters
}

// others returns 0 to n−1 without i and j.
func others(n, i, j int) []int {
	var axes []int
	for axis := range n {
		if axis != i && axis != j {
			axes = append(axes, axis)
		}
	}
	return axes
}

func permuted(x Value, order []int) Value {
	if slices.IsSorted(order) {
		return x
	}
	return x.Permute(order...)
}

// multiply multiplies two operands: letters that both have and that are needed
// later are a batch, letters that both have and nobody needs later are
// contracted. It is one matrix product.
func (e *einsum) multiply(x Value, xs string, y Value, ys, later string) (Value, string) {
	x, xs = e.drop(x, xs, ys+later)
	y, ys = e.drop(y, ys, xs+later)
	var batch, inner, left, right string
	for i := range len(xs) {
		switch letter := xs[i : i+1]; {
		case !strings.Contains(ys, letter):
			left += letter
		case strings.Contains(later, letter):
			batch += letter
		default:
			inner += letter
		}
	}
	for i := range len(ys) {
		if !strings.Contains(xs, ys[i:i+1]) {
			right += ys[i : i+1]
		}
	}
	b, m, k, n := e.size(batch), e.size(left), e.size(inner), e.size(right)
	x = e.arrange(x, xs, batch+left+inner).Reshape(b, m, k)
	y = e.arrange(y, ys, batch+inner+right).Reshape(b, k, n)
	letters := batch + left + right
	dims := make([]int, len(letters))
	for i := range dims {
		dims[i] = e.lengths[letters[i]]
	}
	return x.MatMul(y).Reshape(dims...), letters
}

// drop sums over the letters that nobody needs.
func (e *einsum) drop(x Value, letters, needed string) (Value, string) {
	var axes []int
	kept := ""
	for i := range len(letters) {
		if strings.IndexByte(needed, letters[i]) < 0 {
			axes = append(axes, i)
		} else {
			kept += letters[i : i+1]
		}
	}
	if axes == nil {
		return x, letters
	}
	return x.Sum(axes...), kept
}

func (e *einsum) size(letters string) int {
	size := 1
	for i := range len(letters) {
		size *= e.lengths[letters[i]]
	}
	return size
}

// arrange sums over the letters that the result lacks and brings the others
// into its order.
func (e *einsum) arrange(x Value, letters, result string) Value {
	x, letters = e.drop(x, letters, result)
	order := make([]int, len(result))
	for i := range len(result) {
		order[i] = strings.IndexByte(letters, result[i])
	}
	return permuted(x, order)
}
