package onnx

import "nabla/onnx/internal/message"

// inOrder returns nodes in an order in which they can run: that of the file,
// which should be one, unless a node reads what a later one computes, as
// converters leave it that add nodes at the end. Nodes of a cycle stay in the
// file's order.
func inOrder(nodes []*message.Node) []*message.Node {
	needs, ordered := needsOf(nodes)
	if ordered {
		return nodes
	}
	const open, done = 1, 2
	state, order := make([]uint8, len(nodes)), make([]*message.Node, 0, len(nodes))
	var stack []int
	for i := range nodes {
		for stack = append(stack, i); len(stack) > 0; {
			at, waits := stack[len(stack)-1], len(stack)
			if state[at] == done {
				stack = stack[:waits-1]
				continue
			}
			state[at] = open
			for _, need := range needs[at] {
				switch state[need] {
				case open:
					return nodes
				case 0:
					stack = append(stack, need)
				}
			}
			if len(stack) == waits {
				state[at] = done
				order = append(order, nodes[at])
			}
		}
	}
	return order
}

// needsOf returns, for each node, those that compute what it reads, and whether
// all of them stand before it.
func needsOf(nodes []*message.Node) (needs [][]int, ordered bool) {
	by := map[string]int{}
	for i, n := range nodes {
		for _, out := range n.Outputs {
			if out != "" {
				by[out] = i
			}
		}
	}
	needs, ordered = make([][]int, len(nodes)), true
	for i, n := range nodes {
		eachRead(n, func(name string) {
			if at, ok := by[name]; ok {
				needs[i] = append(needs[i], at)
				ordered = ordered && at < i
			}
		})
	}
	return needs, ordered
}

// eachRead ranges over the names that a node reads, those in its graphs too.
func eachRead(n *message.Node, visit func(name string)) {
	for _, in := range n.Inputs {
		visit(in)
	}
	inside := func(g *message.Graph) {
		for _, n := range g.Nodes {
			eachRead(n, visit)
		}
		for _, o := range g.Outputs {
			visit(o.Name)
		}
	}
	for _, a := range n.Attributes {
		if a.Graph != nil {
			inside(a.Graph)
		}
		for _, g := range a.Graphs {
			inside(g)
		}
	}
}
