package onnx

import (
	"slices"

	"nabla/onnx/internal/message"
)

// sequences are operators on lists of tensors, and on values that may be
// missing.
func sequences() map[string]operator {
	return map[string]operator{
		"ConcatFromSequence": {since(11), 1, 1, 1, buildConcatFromSequence},
		"Optional":           {since(15, 28), 0, 1, 1, buildOptional},
		"OptionalGetElement": {since(15, 18, 28), 1, 1, 1, buildOptionalGetElement},
		"OptionalHasElement": {since(15, 18, 28), 0, 1, 1, buildOptionalHasElement},
		"SequenceAt":         {since(11), 2, 2, 1, buildSequenceAt},
		"SequenceConstruct":  {since(11), 1, -1, 1, buildSequenceConstruct},
		"SequenceEmpty":      {since(11), 0, 0, 1, buildSequenceEmpty},
		"SequenceErase":      {since(11), 1, 2, 1, buildSequenceErase},
		"SequenceInsert":     {since(11), 2, 3, 1, buildSequenceInsert},
		"SequenceLength":     {since(11), 1, 1, 1, buildSequenceLength},
		"SequenceMap":        {since(17), 1, -1, -1, buildSequenceMap},
		"SplitToSequence":    {since(11, 24), 1, 2, 1, buildSplitToSequence},
	}
}

// sequence returns input i, a sequence.
func (c *call) sequence(i int) []datum {
	if !c.has(i) || c.args[i].kind != sequence {
		c.fail("input %d is not a sequence", i)
	}
	return c.args[i].list
}

func ofSequence(list []datum) datum { return datum{kind: sequence, list: list} }

// place returns an index in a list of that length, counted from the end if it
// is negative.
func (c *call) place(i, length, limit int) int {
	at := c.integer(i)
	if at < 0 {
		at += length
	}
	if at < 0 || at >= limit {
		c.fail("the index %d is out of range of %d", c.integer(i), length)
	}
	return at
}

func buildSequenceAt(*node) func(*call) {
	return func(c *call) {
		list := c.sequence(0)
		c.set(0, list[c.place(1, len(list), len(list))])
	}
}

func buildSequenceConstruct(*node) func(*call) {
	return func(c *call) {
		for i := range c.args {
			c.tensor(i)
		}
		c.set(0, ofSequence(slices.Clone(c.args)))
	}
}

func buildSequenceEmpty(n *node) func(*call) {
	n.ignore("dtype")
	return func(c *call) { c.set(0, ofSequence(nil)) }
}

func buildSequenceErase(*node) func(*call) {
	return func(c *call) {
		list := c.sequence(0)
		at := len(list) - 1
		if c.has(1) {
			at = c.place(1, len(list), len(list))
		}
		if at < 0 {
			c.fail("the sequence is empty")
		}
		c.set(0, ofSequence(slices.Delete(slices.Clone(list), at, at+1)))
	}
}

func buildSequenceInsert(*node) func(*call) {
	return func(c *call) {
		list, x := c.sequence(0), c.tensor(1)
		at := len(list)
		if c.has(2) {
			at = c.place(2, len(list), len(list)+1)
		}
		c.set(0, ofSequence(slices.Insert(slices.Clone(list), at, x)))
	}
}

func buildSequenceLength(*node) func(*call) {
	return func(c *call) {
		c.set(0, ofInts(message.Int64, []int64{int64(len(c.sequence(0)))}))
	}
}

// buildConcatFromSequence joins a sequence along an axis, or along a new one.
func buildConcatFromSequence(n *node) func(*call) {
	axis, new := n.int("axis", 0), n.bool("new_axis", false)
	return func(c *call) {
		list := slices.Clone(c.sequence(0))
		if len(list) == 0 {
			c.fail("the sequence is empty")
		}
		if new {
			c.set(0, c.stacked(list, axis, false, nil, 0))
			return
		}
		c.set(0, c.concat(c.axis(axis, list[0].rank()), list))
	}
}

func buildSplitToSequence(n *node) func(*call) {
	axis, keep := n.int("axis", 0), n.bool("keepdims", true)
	return func(c *call) {
		x := c.tensor(0)
		axis := c.axis(axis, x.rank())
		length := x.shape()[axis]
		lengths := ones(length)
		if c.has(1) {
			lengths = c.list(1)
			if each := c.tensor(1); each.rank() == 0 {
				lengths = c.chunks(length, lengths[0])
			}
		}
		var list []datum
		start := 0
		for _, n := range lengths {
			if n < 0 || n > length-start {
				c.fail("the lengths %v do not add up to %d", lengths, length)
			}
			part := c.narrow(x, axis, start, n, 1)
			if !keep && !c.has(1) {
				part = c.reshape(part, without(part.shape(), []int{axis}))
			}
			list = append(list, part)
			start += n
		}
		if start != length {
			c.fail("the lengths %v do not add up to %d", lengths, length)
		}
		c.set(0, ofSequence(list))
	}
}

// chunks returns lengths of parts that are equal but for the last.
func (c *call) chunks(length, each int) []int {
	if each < 1 {
		c.fail("a length is %d", each)
	}
	var lengths []int
	for length > 0 {
		lengths = append(lengths, min(each, length))
		length -= each
	}
	return lengths
}

// buildSequenceMap runs a body for each element of a sequence.
func buildSequenceMap(n *node) func(*call) {
	body := n.graph("body")
	if len(body.inputs) != len(n.in) || len(body.outputs) < len(n.out) {
		n.wrong("the body has %d inputs and %d outputs", len(body.inputs), len(body.outputs))
	}
	return func(c *call) {
		c.inside(func(r *run) {
			lists := make([][]datum, len(c.outs))
			for i := range c.sequence(0) {
				c.count(r)
				in := slices.Clone(c.args)
				for k, d := range in {
					if d.kind != sequence {
						continue
					}
					if i >= len(d.list) {
						c.fail("the sequences differ in length")
					}
					in[k] = d.list[i]
				}
				for k, d := range body.run(r, c.frame, in)[:len(lists)] {
					lists[k] = append(lists[k], d)
				}
			}
			for k, list := range lists {
				c.set(k, ofSequence(list))
			}
		})
	}
}

func buildOptional(n *node) func(*call) {
	n.ignore("type")
	return func(c *call) {
		d := datum{kind: optional}
		if c.has(0) {
			d.list = []datum{c.args[0]}
		}
		c.set(0, d)
	}
}

func buildOptionalGetElement(*node) func(*call) {
	return func(c *call) {
		d := c.args[0]
		if d.kind == optional {
			if len(d.list) == 0 {
				c.fail("the optional is empty")
			}
			d = d.list[0]
		}
		c.set(0, d)
	}
}

func buildOptionalHasElement(*node) func(*call) {
	return func(c *call) {
		c.set(0, ofBool(c.has(0) && (c.args[0].kind != optional || len(c.args[0].list) > 0)))
	}
}
