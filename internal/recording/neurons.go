package recording

import (
	"fmt"
	"slices"

	"nabla/internal/operations"

	"nabla/autograd"
)

// A Circle is a neuron or one of the network's inputs.
type Circle struct {
	id        int // ID of the node that it shows
	Name      string
	Layer     int  // its column
	Input     bool // it is an input of the network
	Scope     int
	Value     float64
	Bias      float64
	BiasSlope float64
	Biased    bool
	Sloped    bool // the bias has a gradient

	joined bool // it has become part of another one
}

// A Synapse is a weight between two neurons.
type Synapse struct {
	From, To      int // circles
	Weight, Slope float64
	Sloped        bool   // it has a gradient
	Shared        string // the weight's name if it is used at several places; "" otherwise
}

// A Brain is a network drawn as neurons.
type Brain struct {
	m        *Model
	Circles  []Circle
	Synapses []Synapse
	Rows     int // number of rows; the circles show means over them
}

// mostSynapses is the most weights that the view Neurons draws.
const mostSynapses = 2000

// InNeurons returns the model in weighted sums, unless it multiplies matrices.
func (m *Model) InNeurons() (*Model, error) {
	if err := m.isRecording("Neurons"); err != nil {
		return nil, err
	}
	w := m
	if !m.hasMatrices() {
		var err error
		if w, err = m.InSingleNumbers("Neurons"); err != nil {
			return nil, err
		}
	}
	b := w.Neurons()
	switch {
	case len(b.Synapses) == 0:
		return nil, &ViewError{"Neurons", "there are no neurons: no product with a matrix of weights, and no weighted sum of single numbers"}
	case len(b.Synapses) > mostSynapses:
		return nil, &ViewError{"Neurons", fmt.Sprintf("%d weights are more than the %d that can be told apart: draw the view Layers", len(b.Synapses), mostSynapses)}
	}
	return w, nil
}

// hasMatrices reports whether there are products of whole matrices.
func (m *Model) hasMatrices() bool {
	return slices.ContainsFunc(m.Nodes, func(n Node) bool { return n.Is(operations.MatMul) && n.Element == Whole })
}

// Neurons finds the neurons of a model: the weighted sums in a model of single
// numbers, otherwise the columns of the weight matrices.
func (m *Model) Neurons() *Brain {
	b := &Brain{m: m, Rows: 1}
	if loss := m.LossNodes(); m.hasMatrices() {
		b.readTensors(loss)
	} else {
		b.readNumbers(loss)
	}
	return b
}

// readNumbers finds the neurons of a model of single numbers.
func (b *Brain) readNumbers(loss []bool) {
	of := map[int]int{} // circles by node
	for i := range b.m.Nodes {
		n := &b.m.Nodes[i]
		switch {
		case loss[i] || n.Kind != autograd.KindOperation:
		case n.Terms != nil:
			b.addNeuron(i, of)
		default:
			if c, known := b.belongsTo(n, of); known {
				of[i] = c
				b.Circles[c].show(n)
			}
		}
	}
	b.moveInputs()
}

// moveInputs puts each input into the column before its first use: in a loop
// that is unrolled, beside its step.
func (b *Brain) moveInputs() {
	first := map[int]int{}
	for _, s := range b.Synapses {
		if at, known := first[s.From]; b.Circles[s.From].Input && (!known || b.Circles[s.To].Layer-1 < at) {
			first[s.From] = b.Circles[s.To].Layer - 1
		}
	}
	for i, layer := range first {
		b.Circles[i].Layer = layer
	}
}

// show makes a circle show a node; the last node of a neuron wins.
func (c *Circle) show(n *Node) {
	c.id, c.Name, c.Value = n.ID, n.Title(), n.Value.Mean
}

// addNeuron adds the neuron of a weighted sum.
func (b *Brain) addNeuron(i int, of map[int]int) {
	n := &b.m.Nodes[i]
	c := Circle{Scope: n.Scope}
	c.show(n)
	var in []Synapse
	for _, t := range n.Terms {
		from := n.In[t[len(t)-1]]
		source := b.m.Edges[from].From
		if _, neuron := of[source]; len(t) == 1 && !neuron {
			c.addBias(b.m, from)
			continue
		}
		s := Synapse{Weight: 1}
		if len(t) == 2 {
			weight := n.In[t[0]]
			from := &b.m.Nodes[b.m.Edges[weight].From]
			if s.Weight = from.Value.Few[0]; from.Learned() && len(b.m.Places(from)) > 1 {
				s.Shared = from.Title()
			}
			s.Slope, s.Sloped = b.m.slopeOf(weight)
		}
		s.From = b.circleOf(source, of)
		c.Layer = max(c.Layer, b.Circles[s.From].Layer)
		in = append(in, s)
	}
	c.Layer++
	of[i] = len(b.Circles)
	for _, s := range in {
		s.To = len(b.Circles)
		b.Synapses = append(b.Synapses, s)
	}
	b.Circles = append(b.Circles, c)
}

func (c *Circle) addBias(m *Model, e int) {
	slope, sloped := m.slopeOf(e)
	c.Bias += m.Nodes[m.Edges[e].From].Value.Few[0]
	c.BiasSlope += slope
	c.Biased, c.Sloped = true, c.Sloped || sloped
}

// slopeOf returns what one use of a weight adds to its gradient: for one data
// point, the point's part.
func (m *Model) slopeOf(e int) (slope float64, known bool) {
	from := &m.Nodes[m.Edges[e].From]
	switch {
	case m.Edges[e].Received:
		return m.Edges[e].Contribution.Few[0], true
	case from.State == Reached && len(from.Uses) == 1: // without Trace
		return from.Gradient.Few[0], true
	}
	return 0, false
}

// circleOf returns the circle of a value; a value without one becomes an
// input.
func (b *Brain) circleOf(i int, of map[int]int) int {
	c, known := of[i]
	if !known {
		c = len(b.Circles)
		of[i] = c
		b.Circles = append(b.Circles, Circle{Scope: b.m.Nodes[i].Scope, Input: true})
		b.Circles[c].show(&b.m.Nodes[i])
	}
	return c
}

// belongsTo returns the neuron whose activation a value is. A softmax depends
// on all neurons of its layer but belongs to one.
func (b *Brain) belongsTo(n *Node, of map[int]int) (int, bool) {
	if n.Operation().Class == operations.Normalizing {
		shape := n.Source.Value.Shape()
		place := RunOf(shape, axisOf(n.Source), 1)
		c, known := of[b.m.Edges[n.In[n.Element/place.Inner%place.N]].From]
		return c, known
	}
	found, known := 0, false
	for _, e := range n.In {
		if c, neuron := of[b.m.Edges[e].From]; neuron {
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

// readTensors finds the neurons of a network of tensors: one for each column of
// each weight matrix. They show the mean over all rows.
func (b *Brain) readTensors(loss []bool) {
	of := map[int][]int{} // the circles of the last axis, by node
	for i := range b.m.Nodes {
		n := &b.m.Nodes[i]
		switch {
		case loss[i] || n.Kind != autograd.KindOperation:
		case n.Is(operations.MatMul):
			b.addLayer(i, of)
		default:
			b.passOn(i, of)
		}
	}
	b.tidy()
	b.moveInputs()
}

// addLayer adds the neurons of a product of x with a weight matrix, which may
// be the transpose of a parameter.
func (b *Brain) addLayer(i int, of map[int][]int) {
	m, n := b.m, &b.m.Nodes[i]
	x, w := m.Edges[n.In[0]].From, m.Edges[n.In[1]].From
	transposed := m.Nodes[w].Is(operations.Permute)
	if transposed {
		w = m.Edges[m.Nodes[w].In[0]].From
	}
	weights := &m.Nodes[w]
	if weights.Kind == autograd.KindOperation || weights.Source.Value.Rank() != 2 || len(n.Source.Constants) > 0 {
		return // not the weights of a layer
	}
	outputs := n.Source.Value.Dim(-1)
	inputs := weights.Value.Size / max(1, outputs)
	from := of[x]
	if len(from) != inputs {
		from = b.addCircles(x, 0, inputs)
		of[x] = from
	}
	layer := 0
	for _, c := range from {
		layer = max(layer, b.Circles[c].Layer)
	}
	of[i] = b.addCircles(i, layer+1, outputs)
	values := ElementsOf(weights.Source.Value.View())
	slopes := m.slopesOf(w, n.In[1], transposed)
	shared := ""
	if weights.Learned() && len(m.Places(weights)) > 1 {
		shared = weights.Title()
	}
	for k, f := range from {
		for j, t := range of[i] {
			at := k*outputs + j
			if transposed {
				at = j*inputs + k
			}
			s := Synapse{From: f, To: t, Weight: values[at], Sloped: slopes != nil, Shared: shared}
			if s.Sloped {
				s.Slope = slopes[at]
			}
			b.Synapses = append(b.Synapses, s)
		}
	}
}

// slopesOf returns what one use of a matrix of weights adds to its gradient;
// without Trace, the gradient; nil if there is none.
func (m *Model) slopesOf(w, use int, transposed bool) []float64 {
	if transposed {
		use = m.Nodes[m.Edges[use].From].In[0]
	}
	switch {
	case m.Edges[use].Received:
		return m.Edges[use].Terms()
	case m.Nodes[w].State == Reached:
		return ElementsOf(m.Gradients.Of(m.Nodes[w].Source.Value))
	}
	return nil
}

// addCircles adds a circle for each index of a value's last axis.
func (b *Brain) addCircles(i, layer, count int) []int {
	all := make([]int, count)
	for k := range all {
		all[k] = len(b.Circles)
		b.Circles = append(b.Circles, Circle{Layer: layer, Scope: b.m.Nodes[i].Scope, Input: layer == 0})
	}
	b.showAll(i, all)
	return all
}

// showAll makes circles show the columns of a value.
func (b *Brain) showAll(i int, circles []int) {
	n := &b.m.Nodes[i]
	rows := n.Value.Size / max(1, len(circles))
	b.Rows = max(b.Rows, rows)
	values := ElementsOf(n.Source.Value.View())
	for k, at := range circles {
		c := &b.Circles[at]
		mean := 0.0
		for row := range rows {
			mean += (values[row*len(circles)+k] - mean) / float64(row+1)
		}
		c.id, c.Value, c.Name = n.ID, mean, n.columnName(k, len(circles))
	}
}

// columnName returns the name of a column of a value: z1 or features[0].
func (n *Node) columnName(k, count int) string {
	name := n.Name
	if name == "" && n.Role == autograd.RoleInput {
		name = "x"
	}
	if name == "" {
		name = n.Title()
	}
	return elementName(name, []int{count}, k)
}

// passOn makes neurons show a value computed from them column by column.
func (b *Brain) passOn(i int, of map[int][]int) {
	m, n := b.m, &b.m.Nodes[i]
	var circles []int
	for _, e := range n.In {
		if c := of[m.Edges[e].From]; len(c) > 0 && (circles == nil || c[0] > circles[0]) {
			circles = c
		}
	}
	if shape := n.Source.Value.Shape(); circles == nil || len(shape) == 0 || shape[len(shape)-1] != len(circles) {
		return
	}
	for _, e := range n.In {
		from := &m.Nodes[m.Edges[e].From]
		if n.Is(operations.Add) && from.Is(operations.MatMul) && len(from.Uses) == 1 {
			b.join(of[m.Edges[e].From], circles)
		}
		if n.Is(operations.Add) && from.Kind != autograd.KindOperation && from.Value.Size == len(circles) {
			b.addBiases(from, circles)
		}
	}
	of[i] = circles
	b.showAll(i, circles)
}

// join makes neurons part of others, as many: both are products that are added
// up, such as those of a step's input and of its state.
func (b *Brain) join(from, to []int) {
	if len(from) != len(to) || from[0] == to[0] {
		return
	}
	for k, f := range from {
		b.Circles[f].joined = true
		b.Circles[to[k]].Layer = max(b.Circles[to[k]].Layer, b.Circles[f].Layer)
		for i := range b.Synapses {
			if b.Synapses[i].To == f {
				b.Synapses[i].To = to[k]
			}
		}
	}
}

// tidy drops the neurons that have become part of others.
func (b *Brain) tidy() {
	places, kept := make([]int, len(b.Circles)), b.Circles[:0]
	for i, c := range b.Circles {
		if places[i] = len(kept); !c.joined {
			kept = append(kept, c)
		}
	}
	b.Circles = kept
	for i := range b.Synapses {
		s := &b.Synapses[i]
		s.From, s.To = places[s.From], places[s.To]
	}
}

func (b *Brain) addBiases(n *Node, circles []int) {
	values := ElementsOf(n.Source.Value.View())
	var slopes []float64
	if n.State == Reached {
		slopes = ElementsOf(b.m.Gradients.Of(n.Source.Value))
	}
	for k, at := range circles {
		c := &b.Circles[at]
		c.Biased, c.Bias, c.Sloped = true, c.Bias+values[k], slopes != nil
		if c.Sloped {
			c.BiasSlope += slopes[k]
		}
	}
}
