package autograd

import (
	"fmt"
	"slices"
	"strings"
)

// Einsum returns the sum of products that an equation in Einstein's notation
// describes. Letters name each operand's axes; letters missing from the result
// are summed over. "..." stands for any number of further axes, which are
// aligned at the last axis and broadcast.
//
//	Einsum("ij,jk->ik", a, b)   // matrix product
//	Einsum("bhid,bhjd->bhij", q, k)
//	Einsum("ii->i", a)          // diagonal
//	Einsum("...ij->...ji", a)   // transpose of matrices
//
// Without "->" the result has the axes of "...", then the letters that occur
// once, in alphabetical order.
//
//	∂/∂a = Einsum("ik,jk->ij", gy, b) for the matrix product: each operand's
//	gradient is the sum of products of gy and the other operands
//
// It panics with an [*ArgumentError] if the equation cannot be read, and with a
// [*ShapeError] if the operands do not fit it.
func Einsum(equation string, in ...Value) Value {
	terms, result := readEquation(equation, len(in))
	e := einsum{equation: equation, measured: map[byte][]int{}, lengths: map[byte]int{}}
	in = slices.Clone(in)
	for i, x := range in {
		in[0].operand("Einsum", x)
		terms[i] = e.spelled(x, terms[i])
		e.measure(x, terms[i])
	}
	result = strings.Replace(result, "...", e.further(e.most), 1)
	for i, x := range in {
		in[i], terms[i] = e.unrepeated(x, terms[i])
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
	for _, term := range append(terms, result) {
		for _, letter := range strings.Replace(term, "...", "", 1) {
			if (letter < 'a' || letter > 'z') && (letter < 'A' || letter > 'Z') {
				fail("axes are named by letters, or once by ...")
			}
		}
	}
	further := strings.Contains(left, "...")
	left = strings.ReplaceAll(strings.ReplaceAll(left, "...", ""), ",", "")
	if !given {
		result = lonely(left)
		if further {
			result = "..." + result
		}
		return terms, result
	}
	if strings.Contains(result, "...") != further {
		fail("... must stand in the result and in an operand")
	}
	named := strings.Replace(result, "...", "", 1)
	for i, letter := range named {
		if !strings.ContainsRune(left, letter) || strings.ContainsRune(named[:i], letter) {
			fail("each letter of the result must stand there once and in an operand")
		}
	}
	return terms, result
}

// lonely returns the letters that occur once, in order.
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
	measured map[byte][]int // the shape that a length was taken from
	most     int            // axes of the longest "..."
}

// firstFurther is the letter for the last axis of "..."; the letters after it
// are for the axes before. No equation can contain them.
const firstFurther = 0x80

// further returns the letters for the given number of axes of "...".
func (e *einsum) further(axes int) string {
	letters := make([]byte, axes)
	for i := range letters {
		letters[i] = byte(firstFurther + axes - 1 - i)
	}
	return string(letters)
}

// spelled returns an operand's term with "..." replaced by letters.
func (e *einsum) spelled(x Value, term string) string {
	named := strings.Replace(term, "...", "", 1)
	rank := x.node("Einsum").shape.rank()
	further := 0
	if named != term {
		further = rank - len(named)
	}
	if further < 0 || len(named)+further != rank || further > 0x80 {
		panic(shapeError("Einsum", e.equation+": as many letters as axes are needed for "+term, "", x.node("Einsum").shape.dims))
	}
	e.most = max(e.most, further)
	return strings.Replace(term, "...", e.further(further), 1)
}

// measure notes the lengths of an operand's letters.
func (e *einsum) measure(x Value, letters string) {
	dims := x.node("Einsum").shape.dims
	for i := range len(letters) {
		letter, d := letters[i], dims[i]
		known, ok := e.lengths[letter]
		switch {
		case !ok, letter >= firstFurther && known == 1:
			e.lengths[letter], e.measured[letter] = d, dims
		case known == d, letter >= firstFurther && d == 1:
		case letter >= firstFurther:
			panic(shapeError("Einsum", e.equation+": the axes of ... do not broadcast", " and ", e.measured[letter], dims))
		default:
			reason := fmt.Sprintf("%s: axis %c has two lengths, %d and %d", e.equation, letter, known, d)
			if strings.IndexByte(letters[:i], letter) >= 0 {
				panic(shapeError("Einsum", reason, "", dims))
			}
			panic(shapeError("Einsum", reason, " and ", e.measured[letter], dims))
		}
	}
}

// unrepeated drops axes of length 1 that would be repeated: an operand without
// a letter is multiplied as it is.
func (e *einsum) unrepeated(x Value, letters string) (Value, string) {
	dims, kept, rest := x.node("Einsum").shape.dims, "", []int{}
	for i := range len(letters) {
		if dims[i] == e.lengths[letters[i]] {
			kept, rest = kept+letters[i:i+1], append(rest, dims[i])
		}
	}
	if len(kept) == len(letters) {
		return x, letters
	}
	return x.Reshape(rest...), kept
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

// multiply multiplies two operands in one matrix product. Letters that both
// have are batch axes if they are needed later, and are contracted if not.
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

// drop sums over the letters that are not needed later.
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

// arrange sums over the letters missing from the result and puts the others in
// its order.
func (e *einsum) arrange(x Value, letters, result string) Value {
	x, letters = e.drop(x, letters, result)
	order := make([]int, len(result))
	for i := range len(result) {
		order[i] = strings.IndexByte(letters, result[i])
	}
	return permuted(x, order)
}
