package graphviz

// drawCombined draws the forward graph and, beside its arrows, those of the
// backward pass, which lead the other way.
func (c *canvas) drawCombined() {
	for i := range c.nodes {
		c.box(i, c.forwardLabel(&c.nodes[i]))
	}
	for _, edges := range c.bundles() {
		c.forwardArrow(edges)
		if anyLearns(edges) {
			c.backArrow(edges)
		}
	}
}

// backArrow draws what comes back along an edge. To Graphviz the arrow leads
// forward, so that the layout stays that of the computation.
func (c *canvas) backArrow(edges []*edge) {
	e := edges[0]
	colour, text := c.handedOnBy(edges)
	arrow := c.arrow(e.from, e.to, c.port(gradientPort, outSide, e.from), c.port(gradientPort, inSide, e.to), colour)
	arrow.Attr("dir", "back")
	arrow.Attr("style", "dashed")
	c.say(arrow, text, colour)
}

// lanes reports whether arrows keep to the rows of values and gradients: in the
// combined drawing from left to right.
func (c *canvas) lanes() bool { return c.o.View == Combined && c.o.Direction == LeftToRight }

// port returns where an arrow ends at a box, "" for anywhere.
func (c *canvas) port(row, side string, i int) string {
	n := &c.nodes[i]
	if !c.lanes() || n.stub != drawn || row == gradientPort && n.state == none {
		return ""
	}
	compass := map[string]string{inSide: "w", outSide: "e"}[side]
	return row + side + ":" + compass
}
