package xla

import (
	"fmt"
	"slices"
)

// choices are the places of the elements that operations choose: each is
// counted through all elements of the input, for each element of the result in
// order.
var (
	choices = map[string]func(c *call) value{
		"sort":        sorted,
		"top k":       sorted,
		"cummax":      func(c *call) value { return runningChoice(c, "GE", value.max, -inf) },
		"cummin":      func(c *call) value { return runningChoice(c, "LE", value.min, inf) },
		"segment max": segmentChoice,
	}
)

func init() {
	all := map[string]lowering{}
	for name, choice := range choices {
		all[name] = func(c *call) value { return c.in[0].at(choice(c), c.shape) }
	}
	register(all)
}

// sorted are the places of the first elements in sorted order, in which NaN
// counts as the greatest and equal elements keep theirs.
func sorted(c *call) value {
	x, axis := c.in[0], c.told.Axis
	if sizeOf(c.shape) == 0 {
		return c.p.int(0, []int{0})
	}
	direction := "LT"
	if c.told.Descending {
		direction = "GT"
	}
	places := c.p.iota([]int{x.size()}, 0).reshape(x.shape...)
	numbers, ints := typeOf(x.kind, nil), typeOf("i64", nil)
	// The order is total: NaN behind, or before, all numbers.
	text := fmt.Sprintf(`"stablehlo.sort"(%[1]s, %[2]s) <{dimension = %[3]d : i64, is_stable = true}> ({
^bb0(%%one: %[4]s, %%other: %[4]s, %%i: %[5]s, %%j: %[5]s):
%%plain = stablehlo.compare %[6]s, %%one, %%other, FLOAT : (%[4]s, %[4]s) -> tensor<i1>
%%nan1 = stablehlo.compare NE, %%one, %%one, FLOAT : (%[4]s, %[4]s) -> tensor<i1>
%%nan2 = stablehlo.compare NE, %%other, %%other, FLOAT : (%[4]s, %[4]s) -> tensor<i1>
%%not1 = stablehlo.not %%nan1 : tensor<i1>
%%not2 = stablehlo.not %%nan2 : tensor<i1>
%%behind = stablehlo.and %[7]s : tensor<i1>
%%first = stablehlo.or %%plain, %%behind : tensor<i1>
stablehlo.return %%first : tensor<i1>
}) : (%[8]s, %[9]s) -> (%[8]s, %[9]s)`,
		x.name, places.name, axis, numbers, ints, direction, [2]string{"%not1, %nan2", "%nan1, %not2"}[bit(c.told.Descending)], x.typ(), places.typ())
	sorted := c.p.second(text, "i64", x.shape)
	return sorted.narrow(axis, 0, c.shape[axis]).reshape(sizeOf(c.shape))
}

func bit(set bool) int {
	if set {
		return 1
	}
	return 0
}

// second adds an operation of two results and returns the second.
func (p *program) second(text, kind string, shape []int) value {
	if v, ok := p.known[text]; ok {
		return v
	}
	name := p.name()
	fmt.Fprintf(&p.text, "%s:2 = %s\n", name, text)
	v := value{p, name + "#1", kind, slices.Clone(shape)}
	p.known[text] = v
	return v
}

// runningChoice are the places of the greatest or least elements so far, the
// last one of equals; once there is a NaN, the last NaN.
func runningChoice(c *call, direction string, combine func(x, y value) value, start float64) value {
	x, axis := c.in[0], c.told.Axis
	if x.size() == 0 {
		return c.p.int(0, []int{0})
	}
	most := x.running(axis, false, start, combine)
	hit := x.compare(direction, most).or(x.isNaN())
	at := hit.pick(c.p.iota(x.shape, axis), c.p.int(-1, x.shape)).running(axis, false, -1, value.max)
	n, inner := x.shape[axis], sizeOf(x.shape[axis+1:])
	flat := c.p.iota([]int{x.size()}, 0)
	before := flat.over(float64(n * inner)).times(float64(n * inner))
	rest := flat.sub(flat.over(float64(inner)).times(float64(inner)))
	return at.reshape(x.size()).times(float64(inner)).add(before).add(rest)
}

// segmentChoice are the places of the greatest elements of each segment that
// has rows, the first one of equals.
func segmentChoice(c *call) value {
	x, n := c.in[0], c.told.K
	rows, inner := x.shape[0], sizeOf(x.shape[1:])
	if sizeOf(c.shape) == 0 {
		return c.p.int(0, []int{0})
	}
	x = x.reshape(rows, inner)
	segments := c.p.ints(c.told.Segments, []int{rows})
	most := x.combineAlong("maximum", -inf, 0, segments, n).take(segments)
	hit := x.compare("EQ", most).or(x.isNaN())
	places := c.p.iota([]int{rows * inner}, 0).reshape(rows, inner)
	first := hit.pick(places, places.like(float64(rows*inner))).combineAlong("minimum", float64(rows*inner), 0, segments, n)
	var filled []int
	for s := range n {
		if slices.Contains(c.told.Segments, s) {
			filled = append(filled, s)
		}
	}
	return first.take(c.p.ints(filled, []int{len(filled)})).reshape(len(filled) * inner)
}
