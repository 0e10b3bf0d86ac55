package onnx

import (
	"slices"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// indexing are operators that take elements by indices, or put them there.
func indexing() map[string]operator {
	return map[string]operator{
		"Gather":          {since(1, 11, 13), 2, 2, 1, buildGather},
		"GatherElements":  {since(11, 13), 2, 2, 1, buildGatherElements},
		"GatherND":        {since(11, 12, 13), 2, 2, 1, buildGatherND},
		"OneHot":          {since(9, 11, 28), 3, 3, 1, buildOneHot},
		"ReverseSequence": {since(10, 28), 2, 2, 1, buildReverseSequence},
		"Scatter":         {since(9, 11), 3, 3, 1, buildScatterElements},
		"ScatterElements": {since(11, 13, 16, 18), 3, 3, 1, buildScatterElements},
		"ScatterND":       {since(11, 13, 16, 18), 3, 3, 1, buildScatterND},
		"TensorScatter":   {since(24), 2, 3, 1, buildTensorScatter},
		"Trilu":           {since(14), 1, 2, 1, buildTrilu},
	}
}

// buildGather takes slices along an axis. A table that is a Param keeps its
// gradient by rows.
func buildGather(n *node) func(*call) {
	axis := n.int("axis", 0)
	return func(c *call) {
		x := c.tensor(0)
		axis := c.axis(axis, x.rank())
		index := c.indices(1, x.shape()[axis])
		shape := slices.Concat(x.shape()[:axis], index.Shape(), x.shape()[axis+1:])
		c.room(shape)
		switch {
		case x.onGraph() && axis == 0:
			c.set(0, x.like(c.value0(x).Embedding(index)))
		case x.onGraph():
			c.set(0, x.like(c.value0(x).IndexSelect(axis, index)))
		default:
			c.set(0, c.reshape(c.along(x, axis, index.Values()), shape))
		}
	}
}

// value0 returns input 0, a tensor of the graph, recorded once.
func (c *call) value0(x datum) value {
	if isFloat(x.elem) {
		return c.value(0)
	}
	return c.valueOf(x)
}

// places returns, for each index, the place in x of the element at that index
// of an axis and at the index's own place along the others.
func (c *call) places(shape []int, axis int, index autograd.Ints) []int {
	at := index.Shape()
	if len(at) != len(shape) {
		c.failShapes("the indices have another number of axes", shape, at)
	}
	for i, d := range at {
		if i != axis && d > shape[i] {
			c.failShapes("the indices go beyond an axis", shape, at)
		}
	}
	strides := rowMajor(shape)
	step := strides[axis]
	strides[axis] = 0
	from := gatherStrided(at, strides, 0)
	for i, v := range index.Values() {
		from[i] += v * step
	}
	return from
}

func buildGatherElements(n *node) func(*call) {
	axis := n.int("axis", 0)
	return func(c *call) {
		x := c.tensor(0)
		axis := c.axis(axis, x.rank())
		index := c.indices(1, x.shape()[axis])
		c.room(index.Shape())
		if x.onGraph() && index.Rank() == x.rank() {
			c.set(0, x.like(c.value0(x).Gather(axis, index)))
			return
		}
		c.set(0, c.pick(x, c.places(x.shape(), axis, index), index.Shape()))
	}
}

// tuples returns where each tuple of indices, along the last axis, leads to in
// a tensor: the place of the first element of a slice, and its length.
func (c *call) tuples(shape []int, input, batch int) (at []int, inner int) {
	index := c.tensor(input)
	if index.rank() == 0 {
		c.failShapes("the indices have no axis", shape, index.shape())
	}
	outer := index.shape()[:index.rank()-1]
	k := index.shape()[index.rank()-1]
	if batch < 0 || batch > len(outer) || batch+k > len(shape) || !slices.Equal(outer[:min(batch, len(outer))], shape[:min(batch, len(shape))]) {
		c.failShapes("the indices do not fit", shape, index.shape())
	}
	strides := rowMajor(shape)
	values := c.ints(input)
	inner = product(shape[batch+k:])
	each := 1
	if batch < len(outer) {
		each = max(product(outer[batch:]), 1)
	}
	at = make([]int, product(outer))
	block := product(shape[batch:])
	for i := range at {
		at[i] = i / each * block
		for j := range k {
			n := shape[batch+j]
			v := values[i*k+j]
			if v < 0 {
				v += int64(n)
			}
			if v < 0 || v >= int64(n) {
				panic(autograd.NewIndexError(c.title(), "index", saturated(values[i*k+j]), n))
			}
			at[i] += int(v) * strides[batch+j]
		}
	}
	return at, inner
}

// runs returns the places of slices of some length.
func runs(at []int, length int) []int {
	from := make([]int, 0, len(at)*length)
	for _, first := range at {
		for i := range length {
			from = append(from, first+i)
		}
	}
	return from
}

func buildGatherND(n *node) func(*call) {
	batch := n.int("batch_dims", 0)
	return func(c *call) {
		x, index := c.tensor(0), c.tensor(1)
		at, inner := c.tuples(x.shape(), 1, batch)
		k := index.shape()[index.rank()-1]
		shape := slices.Concat(index.shape()[:index.rank()-1], x.shape()[batch+k:])
		c.room(shape)
		c.set(0, c.pick(x, runs(at, inner), shape))
	}
}

func buildOneHot(n *node) func(*call) {
	axis := n.int("axis", -1)
	return func(c *call) {
		index := c.tensor(0)
		depth := int(c.number(1))
		values := c.tensor(2)
		if depth < 1 || values.size() != 2 {
			c.fail("the depth is %d, and there are %d values instead of two", depth, values.size())
		}
		axis := c.axis(axis, index.rank()+1)
		shape := slices.Insert(slices.Clone(index.shape()), axis, depth)
		c.room(shape)
		labels := c.floats(0)
		inner := product(shape[axis+1:])
		from := make([]int, product(shape))
		for i := range from {
			label := int(labels[i/(inner*depth)*inner+i%inner])
			if label < 0 {
				label += depth
			}
			from[i] = int(truth(label == i/inner%depth))
		}
		c.set(0, c.pick(values, from, shape))
	}
}

// buildReverseSequence turns the first elements of each sequence round.
func buildReverseSequence(n *node) func(*call) {
	batchAxis, timeAxis := n.int("batch_axis", 1), n.int("time_axis", 0)
	if batchAxis+timeAxis != 1 || batchAxis*timeAxis != 0 {
		n.wrong("ReverseSequence has the axes %d and %d", batchAxis, timeAxis)
	}
	return func(c *call) {
		x := c.tensor(0)
		if x.rank() < 2 {
			c.failShapes("x has fewer than two axes", x.shape())
		}
		shape := x.shape()
		lengths := c.list(1)
		if len(lengths) != shape[batchAxis] {
			c.failShapes("there is not one length for each sequence", shape, c.args[1].shape())
		}
		steps, inner := shape[timeAxis], product(shape[2:])
		from := make([]int, product(shape))
		for i := range from {
			step := i / inner / shape[1]
			sample := i / inner % shape[1]
			if timeAxis == 1 {
				step, sample = sample, step
			}
			length := lengths[sample]
			if length < 0 || length > steps {
				c.fail("a length is %d", length)
			}
			if step < length {
				step = length - 1 - step
			}
			row := step*shape[1] + sample
			if timeAxis == 1 {
				row = sample*shape[1] + step
			}
			from[i] = row*inner + i%inner
		}
		c.set(0, c.pick(x, from, shape))
	}
}

// A scattering is how elements are joined with those that are there.
type scattering string

func (n *node) scattering() scattering {
	if n.version < 16 {
		return "none"
	}
	return scattering(n.oneOf("reduction", "none", "none", "add", "mul", "max", "min"))
}

func buildScatterElements(n *node) func(*call) {
	axis, how := n.int("axis", 0), n.scattering()
	return func(c *call) {
		x, updates := c.tensor(0), c.tensor(2)
		c.sameTypes(0, 2)
		axis := c.axis(axis, x.rank())
		index := c.indices(1, x.shape()[axis])
		if !slices.Equal(index.Shape(), updates.shape()) {
			c.failShapes("the indices and updates differ in shape", index.Shape(), updates.shape())
		}
		c.set(0, c.scatter(x, updates, c.places(x.shape(), axis, index), how))
	}
}

func buildScatterND(n *node) func(*call) {
	how := n.scattering()
	return func(c *call) {
		x, index, updates := c.tensor(0), c.tensor(1), c.tensor(2)
		c.sameTypes(0, 2)
		at, inner := c.tuples(x.shape(), 1, 0)
		k := index.shape()[index.rank()-1]
		want := slices.Concat(index.shape()[:index.rank()-1], x.shape()[k:])
		if !slices.Equal(updates.shape(), want) {
			c.failShapes("the updates do not have the shape that the indices ask for", updates.shape(), want)
		}
		c.set(0, c.scatter(x, updates, runs(at, inner), how))
	}
}

// scatter puts elements at places.
func (c *call) scatter(x, updates datum, at []int, how scattering) datum {
	if isFloat(x.elem) {
		y := c.scatterValues(c.valueOf(x).Reshape(-1), c.valueOf(updates).Reshape(-1), at, how)
		return ofValue(x.elem, y.Reshape(x.shape()...))
	}
	if x.elem == message.String {
		host := &array{shape: slices.Clone(x.shape()), strings: slices.Clone(x.host.strings)}
		for i, to := range at {
			host.strings[to] = updates.host.strings[i]
		}
		return datum{elem: x.elem, host: host}
	}
	values, from := slices.Clone(c.intsOf(x)), c.intsOf(updates)
	join := how.ofInts(lessInts(x.elem))
	for i, to := range at {
		values[to] = wrap(x.elem, join(values[to], from[i]))
	}
	return ofInts(x.elem, values, slices.Clone(x.shape())...)
}

func (how scattering) ofInts(less func(x, y int64) bool) func(x, y int64) int64 {
	return func(x, y int64) int64 {
		switch how {
		case "add":
			return x + y
		case "mul":
			return x * y
		case "max":
			if less(y, x) {
				return x
			}
		case "min":
			if less(x, y) {
				return x
			}
		}
		return y
	}
}

// scatterValues puts elements at places of a vector. Where places repeat, the
// last one counts, or all of them one after the other.
func (c *call) scatterValues(x, updates value, at []int, how scattering) value {
	if len(at) == 0 {
		return x.Linear()
	}
	if how == "add" {
		return x.ScatterAdd(0, toInts(at, []int{len(at)}), updates)
	}
	for _, round := range rounds(at, how == "none") {
		if c.frame.run.steps--; c.frame.run.steps < 0 {
			c.fail("places repeat more often than ImportOptions.MaxSteps allows")
		}
		x = c.scatterOnce(x, updates, at, round, how)
	}
	return x
}

// rounds sorts updates so that no place repeats in a round; or returns the last
// update of each place.
func rounds(at []int, last bool) [][]int {
	var rounds [][]int
	seen := map[int]int{}
	if last {
		winners := []int{}
		for i := len(at) - 1; i >= 0; i-- {
			if seen[at[i]]++; seen[at[i]] == 1 {
				winners = append(winners, i)
			}
		}
		slices.Reverse(winners)
		return [][]int{winners}
	}
	for i, to := range at {
		k := seen[to]
		seen[to]++
		if k == len(rounds) {
			rounds = append(rounds, nil)
		}
		rounds[k] = append(rounds[k], i)
	}
	return rounds
}

// scatterOnce puts some of the updates at their places, which do not repeat.
func (c *call) scatterOnce(x, updates value, at, chosen []int, how scattering) value {
	places, here := make([]int, len(chosen)), make([]float64, x.Size())
	for k, i := range chosen {
		places[k] = at[i]
		here[at[i]] = 1
	}
	index := toInts(places, []int{len(places)})
	u := updates
	if len(chosen) < len(at) {
		u = u.IndexSelect(0, toInts(chosen, []int{len(chosen)}))
	}
	switch old := x.IndexSelect(0, index); how {
	case "mul":
		u = old.Mul(u)
	case "max":
		u = old.Maximum(u)
	case "min":
		u = old.Minimum(u)
	}
	g := c.graph()
	placed := g.Full(0, x.Size()).ScatterAdd(0, index, u)
	return autograd.Where(g.Constant(autograd.NewTensor(here, len(here))), placed, x)
}

// buildTensorScatter writes new steps into a cache, from an index on that each
// sample has.
func buildTensorScatter(n *node) func(*call) {
	axis := n.int("axis", -2)
	circular := n.oneOf("mode", "linear", "linear", "circular") == "circular"
	return func(c *call) {
		x, updates := c.tensor(0), c.tensor(1)
		c.sameTypes(0, 1)
		shape, new := x.shape(), updates.shape()
		axis := c.axis(axis, x.rank())
		if axis == 0 || len(new) != len(shape) || !slices.Equal(keptShape(shape, []int{axis}), keptShape(new, []int{axis})) {
			c.failShapes("the update does not fit the cache", shape, new)
		}
		starts := make([]int, shape[0])
		if c.has(2) {
			if starts = c.list(2); len(starts) != shape[0] {
				c.failShapes("there is not one index for each sample", shape, c.args[2].shape())
			}
		}
		steps, inner := shape[axis], product(shape[axis+1:])
		perSample := product(new[1:])
		at := make([]int, product(new))
		for i := range at {
			step := starts[i/perSample] + i/inner%new[axis]
			if circular && steps > 0 {
				step = (step%steps + steps) % steps
			}
			if step < 0 || step >= steps {
				panic(autograd.NewIndexError(c.title(), "index", step, steps))
			}
			at[i] = (i/(inner*new[axis])*steps+step)*inner + i%inner
		}
		c.set(0, c.scatter(x, updates, at, "none"))
	}
}

func buildTrilu(n *node) func(*call) {
	upper := n.bool("upper", true)
	return func(c *call) {
		x := c.tensor(0)
		if x.rank() < 2 {
			c.failShapes("x has fewer than two axes", x.shape())
		}
		k := 0
		if c.has(1) {
			k = c.integer(1)
		}
		rows, columns := x.shape()[x.rank()-2], x.shape()[x.rank()-1]
		k = min(max(k, -rows), columns)
		if x.onGraph() {
			if v := c.value0(x); upper {
				c.set(0, x.like(v.Triu(k)))
			} else {
				c.set(0, x.like(v.Tril(k)))
			}
			return
		}
		from := make([]int, x.size())
		for i := range from {
			from[i] = i
			if above := i%columns - i/columns%rows; upper && above < k || !upper && above > k {
				from[i] = -1
			}
		}
		c.set(0, datum{elem: x.elem, host: x.host.take(from, x.shape())})
	}
}
