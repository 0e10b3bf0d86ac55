package graphviz

import (
	"nabla/internal/recording"
)

// drawCombined draws the forward graph with, beside each arrow, one of the
// backward pass in the opposite direction.
func (c *canvas) drawCombined() {
	for i := range c.Nodes {
		c.box(i, c.forwardLabel(&c.Nodes[i]))
	}
	for _, edges := range c.bundles() {
		c.forwardArrow(edges)
		if anyLearns(edges) {
			c.backArrow(edges)
		}
	}
}

// backArrow draws the backward arrow of an edge. Graphviz sees a forward arrow,
// so that the layout stays that of the computation.
func (c *canvas) backArrow(edges []*recording.Edge) {
	e := edges[0]
	color, text := c.handedOnBy(edges)
	arrow := c.arrow(e.From, e.To, c.port(gradientPort, outSide, e.From), c.port(gradientPort, inSide, e.To), color)
	arrow.Attr("dir", "back")
	arrow.Attr("style", "dashed")
	c.say(arrow, text, color)
}

// lanes reports whether arrows end at the rows of values and gradients, as they
// do in the combined drawing from left to right.
func (c *canvas) lanes() bool { return c.o.View == Combined && c.o.Direction == LeftToRight }

// port returns the port at which an arrow ends at a box; "" for anywhere.
func (c *canvas) port(row, side string, i int) string {
	n := &c.Nodes[i]
	if !c.lanes() || n.Stub != recording.Drawn || row == gradientPort && n.State == recording.None {
		return ""
	}
	compass := map[string]string{inSide: "w", outSide: "e"}[side]
	return row + side + ":" + compass
}
