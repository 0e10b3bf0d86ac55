package graphviz

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/emicklei/dot"

	"nabla/autograd"
)

// A circle is a neuron, or one of the numbers that the network is given.
type circle struct {
	id        int // of the node that it shows
	name      string
	layer     int // its column, 0 for inputs
	scope     int
	value     float64
	bias      float64
	biasSlope float64
	biased    bool
	sloped    bool // there is a gradient of the bias
}

// A synapse is a weight between two neurons.
type synapse struct {
	from, to      int // circles
	weight, slope float64
	sloped        bool // there is a gradient
}

// A brain is a network as neurons.
type brain struct {
	m        *model
	circles  []circle
	synapses []synapse
	rows     int // whose mean the circles show
}

// mostSynapses is how many weights the view Neurons draws at most.
const mostSynapses = 2000

// forNeurons returns the model in weighted sums, but for one of tensors that
// are multiplied with matrices.
func (m *model) forNeurons() (*model, error) {
	if err := m.isRecording("Neurons"); err != nil {
		return nil, err
	}
	w := m
	if !m.hasMatrices() {
		var err error
		if w, err = m.inSingleNumbers("Neurons"); err != nil {
			return nil, err
		}
	}
	b := w.neurons()
	switch {
	case len(b.synapses) == 0:
		return nil, &ViewError{"Neurons", "there are no neurons: no product with a matrix of weights, and no weighted sum of single numbers"}
	case len(b.synapses) > mostSynapses:
		return nil, &ViewError{"Neurons", fmt.Sprintf("%d weights are more than the %d that can be told apart: draw the view Layers", len(b.synapses), mostSynapses)}
	}
	return w, nil
}

// hasMatrices reports whether there are products of whole matrices.
func (m *model) hasMatrices() bool {
	return slices.ContainsFunc(m.nodes, func(n node) bool { return n.op == "matmul" && !n.custom && n.element == whole })
}

// neurons finds the neurons of a model: of single numbers the weighted sums,
// else the columns of the weights that something is multiplied with.
func (m *model) neurons() *brain {
	b := &brain{m: m, rows: 1}
	if loss := m.lossNodes(); m.hasMatrices() {
		b.readTensors(loss)
	} else {
		b.readNumbers(loss)
	}
	return b
}

// readNumbers finds the neurons of a model of single numbers.
func (b *brain) readNumbers(loss []bool) {
	of := map[int]int{} // circles by node
	for i := range b.m.nodes {
		n := &b.m.nodes[i]
		switch {
		case loss[i] || n.kind != autograd.KindOperation:
		case n.terms != nil:
			b.addNeuron(i, of)
		default:
			if c, known := b.belongsTo(n, of); known {
				of[i] = c
				b.circles[c].show(n)
			}
		}
	}
}

// show makes a circle show a node: the last one on the way through a neuron.
func (c *circle) show(n *node) {
	c.id, c.name, c.value = n.id, n.title(), n.value.mean
}

// addNeuron adds the neuron of a weighted sum.
func (b *brain) addNeuron(i int, of map[int]int) {
	n := &b.m.nodes[i]
	c := circle{scope: n.scope}
	c.show(n)
	var in []synapse
	for _, t := range n.terms {
		from := n.in[t[len(t)-1]]
		source := b.m.edges[from].from
		if _, neuron := of[source]; len(t) == 1 && !neuron {
			c.addBias(b.m, from)
			continue
		}
		s := synapse{weight: 1}
		if len(t) == 2 {
			weight := n.in[t[0]]
			s.weight = b.m.nodes[b.m.edges[weight].from].value.few[0]
			s.slope, s.sloped = b.m.slopeOf(weight)
		}
		s.from = b.circleOf(source, of)
		c.layer = max(c.layer, b.circles[s.from].layer)
		in = append(in, s)
	}
	c.layer++
	of[i] = len(b.circles)
	for _, s := range in {
		s.to = len(b.circles)
		b.synapses = append(b.synapses, s)
	}
	b.circles = append(b.circles, c)
}

func (c *circle) addBias(m *model, e int) {
	slope, sloped := m.slopeOf(e)
	c.bias += m.nodes[m.edges[e].from].value.few[0]
	c.biasSlope += slope
	c.biased, c.sloped = true, c.sloped || sloped
}

// slopeOf returns what one use of a weight adds to its gradient: of one data
// point, this one's part.
func (m *model) slopeOf(e int) (slope float64, known bool) {
	from := &m.nodes[m.edges[e].from]
	switch {
	case m.edges[e].received:
		return m.edges[e].contribution.few[0], true
	case from.state == reached && len(from.uses) == 1: // without Trace
		return from.gradient.few[0], true
	}
	return 0, false
}

// circleOf returns the circle of a value, which is an input unless it is
// known.
func (b *brain) circleOf(i int, of map[int]int) int {
	c, known := of[i]
	if !known {
		c = len(b.circles)
		of[i] = c
		b.circles = append(b.circles, circle{scope: b.m.nodes[i].scope})
		b.circles[c].show(&b.m.nodes[i])
	}
	return c
}

// belongsTo returns the neuron that a value is the activation of. A softmax
// depends on all neurons of its layer, and belongs to one.
func (b *brain) belongsTo(n *node, of map[int]int) (int, bool) {
	if (n.op == "softmax" || n.op == "log softmax") && !n.custom {
		shape := n.source.Shape()
		place := runOf(shape, axisOf(n.source), 1)
		c, known := of[b.m.edges[n.in[n.element/place.inner%place.n]].from]
		return c, known
	}
	found, known := 0, false
	for _, e := range n.in {
		if c, neuron := of[b.m.edges[e].from]; neuron {
			if known && c != found {
				return 0, false
			}
			found, known = c, true
		}
	}
	return found, known
}

func axisOf(n autograd.Node) int {
	if len(n.Constants) == 0 {
		return 0
	}
	return int(n.Constants[0])
}

// readTensors finds the neurons of a network in tensors: for each product with
// a matrix of weights, one for each of its columns. They show the mean over
// all rows.
func (b *brain) readTensors(loss []bool) {
	of := map[int][]int{} // the circles of the last axis, by node
	for i := range b.m.nodes {
		n := &b.m.nodes[i]
		switch {
		case loss[i] || n.kind != autograd.KindOperation:
		case n.op == "matmul" && !n.custom:
			b.addLayer(i, of)
		default:
			b.passOn(i, of)
		}
	}
}

// addLayer adds the neurons of a product of x with a matrix of weights, which
// may be the transpose of what is learned.
func (b *brain) addLayer(i int, of map[int][]int) {
	m, n := b.m, &b.m.nodes[i]
	x, w := m.edges[n.in[0]].from, m.edges[n.in[1]].from
	transposed := m.nodes[w].op == "permute"
	if transposed {
		w = m.edges[m.nodes[w].in[0]].from
	}
	weights := &m.nodes[w]
	if weights.kind == autograd.KindOperation || weights.source.Rank() != 2 || len(n.source.Constants) > 0 {
		return // not the weights of a layer
	}
	outputs := n.source.Dim(-1)
	inputs := weights.value.size / max(1, outputs)
	from := of[x]
	if len(from) != inputs {
		from = b.addCircles(x, 0, inputs)
		of[x] = from
	}
	layer := 0
	for _, c := range from {
		layer = max(layer, b.circles[c].layer)
	}
	of[i] = b.addCircles(i, layer+1, outputs)
	values := elementsOf(weights.source.View())
	var slopes []float64
	if weights.state == reached {
		slopes = elementsOf(m.gradients.Of(weights.source.Value))
	}
	for k, f := range from {
		for j, t := range of[i] {
			at := k*outputs + j
			if transposed {
				at = j*inputs + k
			}
			s := synapse{from: f, to: t, weight: values[at], sloped: slopes != nil}
			if s.sloped {
				s.slope = slopes[at]
			}
			b.synapses = append(b.synapses, s)
		}
	}
}

// addCircles adds as many circles as the last axis of a value is long.
func (b *brain) addCircles(i, layer, count int) []int {
	all := make([]int, count)
	for k := range all {
		all[k] = len(b.circles)
		b.circles = append(b.circles, circle{layer: layer, scope: b.m.nodes[i].scope})
	}
	b.showAll(i, all)
	return all
}

// showAll makes circles show the columns of a value.
func (b *brain) showAll(i int, circles []int) {
	n := &b.m.nodes[i]
	rows := n.value.size / max(1, len(circles))
	b.rows = max(b.rows, rows)
	values := elementsOf(n.source.View())
	for k, at := range circles {
		c := &b.circles[at]
		mean := 0.0
		for row := range rows {
			mean += (values[row*len(circles)+k] - mean) / float64(row+1)
		}
		c.id, c.value, c.name = n.id, mean, n.columnName(k, len(circles))
	}
}

// columnName returns what a column of a value is called: z1, or features[0].
func (n *node) columnName(k, count int) string {
	name := n.name
	if name == "" && n.role == autograd.RoleInput {
		name = "x"
	}
	if name == "" {
		name = n.title()
	}
	return elementName(name, []int{count}, k)
}

// passOn lets a value that is computed from neurons, each column from one, be
// shown by them.
func (b *brain) passOn(i int, of map[int][]int) {
	m, n := b.m, &b.m.nodes[i]
	var circles []int
	for _, e := range n.in {
		if c := of[m.edges[e].from]; len(c) > 0 && (circles == nil || c[0] > circles[0]) {
			circles = c
		}
	}
	if shape := n.source.Shape(); circles == nil || len(shape) == 0 || shape[len(shape)-1] != len(circles) {
		return
	}
	for _, e := range n.in {
		from := &m.nodes[m.edges[e].from]
		if n.op == "add" && !n.custom && from.kind != autograd.KindOperation && from.value.size == len(circles) {
			b.addBiases(from, circles)
		}
	}
	of[i] = circles
	b.showAll(i, circles)
}

func (b *brain) addBiases(n *node, circles []int) {
	values := elementsOf(n.source.View())
	var slopes []float64
	if n.state == reached {
		slopes = elementsOf(b.m.gradients.Of(n.source.Value))
	}
	for k, at := range circles {
		c := &b.circles[at]
		c.biased, c.bias, c.sloped = true, c.bias+values[k], slopes != nil
		if c.sloped {
			c.biasSlope += slopes[k]
		}
	}
}

// The colours of weights: a pair that colour-blind people tell apart.
const (
	positiveColour = "#1d4ed8"
	negativeColour = "#c2410c"
)

// mostLabels is up to how many weights have their number written on them.
const mostLabels = 40

// drawNeurons draws the neurons in columns, and the weights between them.
func (c *canvas) drawNeurons() {
	b := c.neurons()
	c.graph.Attr("rankdir", "LR")
	c.graph.Attr("splines", "line")
	c.graph.Attr("ranksep", 2.2)
	c.graph.Attr("nodesep", 0.4)
	c.graph.Attr("labelloc", "t")
	c.graph.Attr("label", c.caption(greyColour, captionSize, c.neuronsShown(b)))
	boxes := c.drawCircles(b)
	largest := 0.0
	for _, s := range b.synapses {
		if v := math.Abs(c.shownOf(s)); !math.IsInf(v, 0) && !math.IsNaN(v) {
			largest = max(largest, v)
		}
	}
	for _, s := range b.synapses {
		c.drawSynapse(s, boxes, largest, len(b.synapses) <= mostLabels)
	}
}

// shownOf returns what is drawn of a weight, NaN where there is no gradient.
func (c *canvas) shownOf(s synapse) float64 {
	switch {
	case !c.o.WeightGradients:
		return s.weight
	case s.sloped:
		return s.slope
	}
	return math.NaN()
}

// drawCircles draws the columns, each under its heading.
func (c *canvas) drawCircles(b *brain) []dot.Node {
	last := 0
	for i := range b.circles {
		last = max(last, b.circles[i].layer)
	}
	boxes := make([]dot.Node, len(b.circles))
	var before dot.Node
	for layer := range last + 1 {
		frame := c.graph.Subgraph(fmt.Sprintf("column%03d", layer))
		frame.Attr("rank", "same")
		id := fmt.Sprintf("heading%03d", layer)
		heading := frame.Node(id)
		heading.Attr("id", id)
		heading.Attr("shape", "plaintext")
		heading.Attr("fontname", fontName)
		above := heading
		count, scope := 0, 0
		for i := range b.circles {
			if n := &b.circles[i]; n.layer == layer {
				boxes[i] = c.drawCircle(frame, i, n, layer == last)
				c.invisible(above, boxes[i])
				above, scope = boxes[i], n.scope
				count++
			}
		}
		heading.Attr("label", dot.HTML(font(greyColour, headingSize, htmlText(c.headingOf(layer, last, scope, count)))))
		if layer > 0 {
			c.invisible(before, heading).Attr("weight", 100)
		}
		before = heading
	}
	return boxes
}

func (c *canvas) invisible(from, to dot.Node) dot.Edge {
	e := c.graph.Edge(from, to)
	e.Attr("style", "invis")
	return e
}

// headingOf returns what stands over a column.
func (c *canvas) headingOf(layer, last, scope, count int) string {
	switch {
	case layer == 0:
		return "inputs"
	case scope != 0 && layer == last && c.scopes[scope].name != "output":
		return shown(c.scopes[scope].name) + ", output"
	case scope != 0:
		return shown(c.scopes[scope].name)
	case layer == last:
		return "output"
	}
	return "layer " + strconv.Itoa(layer)
}

func (c *canvas) drawCircle(frame *dot.Graph, i int, n *circle, output bool) dot.Node {
	id := fmt.Sprintf("n%06d", i)
	box := frame.Node(id)
	box.Attr("id", id)
	box.Attr("shape", "circle")
	box.Attr("style", "filled")
	box.Attr("margin", 0)
	box.Attr("width", 1)
	box.Attr("fontname", fontName)
	box.Attr("penwidth", 1.5)
	fill, line := "#ffffff", "#64748b"
	switch {
	case n.layer == 0:
		fill, line = "#f3f4f6", "#9ca3af"
	case output:
		fill, line = "#ede9fe", "#6d28d9"
	}
	if math.IsNaN(n.value) || math.IsInf(n.value, 0) {
		fill, line = troubleFill, troubleColour
	}
	box.Attr("fillcolor", fill)
	box.Attr("color", line)
	box.Attr("label", c.circleLabel(n).html())
	box.Attr("tooltip", dot.Literal(quoted(visible(n.name))))
	return box
}

func (c *canvas) circleLabel(n *circle) *label {
	l := &label{digits: min(c.o.Digits, 4)}
	l.WriteString(`<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">`)
	l.wide(font(inkColour, 12, "<B>"+htmlText(short(n.name))+"</B>"))
	l.wide(l.element(n.value, valueColour))
	switch {
	case n.biased && c.o.WeightGradients && n.sloped:
		l.wide(font(greyColour, captionSize, "db ") + font(gradientColour, captionSize, number(n.biasSlope, l.digits)))
	case n.biased:
		l.wide(font(greyColour, captionSize, "b "+number(n.bias, l.digits)))
	}
	return l
}

// short returns a name that fits into a circle.
func short(name string) string {
	const longest = 9
	runes := []rune(shown(name))
	if len(runes) <= longest {
		return string(runes)
	}
	return string(runes[:longest-4]) + "…" + string(runes[len(runes)-3:])
}

func (c *canvas) drawSynapse(s synapse, boxes []dot.Node, largest float64, labelled bool) {
	v := c.shownOf(s)
	colour, width := positiveColour, 1.0
	switch {
	case v < 0:
		colour = negativeColour
	case v == 0:
		colour = zeroColour
	case math.IsNaN(v):
		colour = faintColour
	}
	if size := math.Abs(v) / largest; size > 0 && !math.IsInf(size, 0) {
		const thin, thick = 0.4, 5
		width = thin + (thick-thin)*size
	}
	e := c.graph.Edge(boxes[s.from], boxes[s.to])
	e.Attr("color", colour)
	e.Attr("penwidth", math.Round(width*100)/100)
	e.Attr("arrowhead", "none")
	if v < 0 {
		e.Attr("style", "dashed")
	}
	text := "w " + number(s.weight, c.o.Digits)
	if s.sloped {
		text += ", dw " + number(s.slope, c.o.Digits)
	}
	e.Attr("tooltip", dot.Literal(quoted(text)))
	if labelled && !math.IsNaN(v) {
		e.Attr("taillabel", dot.Literal(quoted(number(v, min(c.o.Digits, 3)))))
		e.Attr("labeldistance", 3.4)
		e.Attr("labelangle", 8)
		e.Attr("fontname", fontName)
		e.Attr("fontsize", captionSize)
		e.Attr("fontcolor", colour)
	}
}

// neuronsShown says what the drawing shows.
func (c *canvas) neuronsShown(b *brain) []string {
	what := "weights"
	if c.o.WeightGradients {
		what = "gradients of the weights"
	}
	lines := []string{what + ": blue positive, orange and dashed negative, the thicker the larger"}
	if c.o.WeightGradients && !slices.ContainsFunc(b.synapses, func(s synapse) bool { return s.sloped }) {
		lines = []string{"there are no gradients of the weights: no backward pass yet, or none that reached them"}
	}
	if b.rows > 1 {
		lines = append(lines, fmt.Sprintf("in the circles: the mean of %d rows", b.rows))
	}
	return lines
}
