package graphviz

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"nabla/autograd"
)

// A TroubleKind says what is wrong at a place of a recording.
type TroubleKind uint8

const (
	TroubleNonFinite TroubleKind = iota // a NaN or infinity arose here: what came in was finite
	TroubleSpoiled                      // one reached this value or its gradient; drawings show it, Diagnose lists it with where it arose
	TroubleDeadReLU                     // a relu is closed for all data, so that no gradient passes
	TroubleSaturated                    // a sigmoid or tanh is where it is all but flat
	TroubleVanishing                    // the gradient is far smaller here than at the last layer
	TroubleExploding                    // the gradient is far larger here than at the last layer
	TroubleUnreached                    // a parameter or variable that the loss does not depend on
)

func (k TroubleKind) String() string {
	names := [...]string{"not finite", "spoiled", "dead relu", "saturated", "vanishing gradient", "exploding gradient", "unreached"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// The thresholds of Diagnose.
const (
	saturatedSigmoid = 0.01 // a sigmoid closer than that to 0 or 1 has a slope below 0.01, where the most is 0.25
	saturatedTanh    = 0.99 // a tanh beyond that has a slope below 0.02, where the most is 1
	saturatedShare   = 0.5  // of the elements, from which on it is told
	vanishingRatio   = 1e-3 // of the gradient's root mean square to that at the last layer
	explodingRatio   = 1e3
)

// A Trouble is something wrong that a recording shows.
type Trouble struct {
	Kind  TroubleKind
	Value autograd.Value // where it shows
	Words string         // one sentence

	// Of TroubleNonFinite: why, whether it arose in the backward pass, and what
	// it spoiled, in the order of the recording. What several reached is listed
	// with the first of them.
	Cause            Cause
	Backward         bool
	SpoiledValues    []autograd.Value
	SpoiledGradients []autograd.Value
}

func (t Trouble) String() string { return t.Words }

// Diagnose returns what is wrong with a recording, by kind in the order of the
// constants and then in the order of the recording; nothing where all is well.
// The gradients may be zero Gradients, before a backward pass; what concerns
// them is then left out.
//
//   - Not finite: each place where a NaN or infinity arose, which is where the
//     inputs were finite and the result was not, the forward pass first and
//     then the backward pass from the loss on; and what each of them spoiled. An
//     infinite constant of which no NaN comes, such as a mask's, is no trouble.
//   - Dead relu: one (or relu6) whose elements are all closed, z ≤ 0; or units,
//     which are the places on the last axis of a tensor of two axes or more,
//     that are closed for each of several rows.
//   - Saturated: at least half of the elements of a sigmoid are closer than 0.01
//     to 0 or 1, or of a tanh beyond ±0.99; of a hard sigmoid or hard tanh at a
//     bound. What a cross entropy is taken of is left out: there the slopes
//     cancel.
//   - Vanishing, exploding: the root mean square of the gradient of the elements
//     of a layer's weighted sums is below 1/1000 of that of the last layer's, or
//     above 1000 times it. A layer is a product with a parameter or variable;
//     layers are counted along the longest way. A gradient of exact zeros
//     is not vanishing: it has another cause, which Explain gives. Told once, at
//     the first value of the worst layer.
//   - Unreached: a parameter or variable of the graph that root does not depend
//     on through operations that carry gradients.
//
// Without Options.Trace the gradients of what is computed are not known: what
// is vanishing or exploding is then not told, and a NaN that arose in the
// backward pass is told where it arrived. It takes time linear in the recording
// and its numbers.
//
// It panics as Write does.
func Diagnose(root autograd.Value, grads autograd.Gradients) []Trouble {
	o := Options{Gradients: grads}.checked()
	m := newModel(root, o)
	d := m.examine()
	d.unrecorded(root)
	slices.SortStableFunc(d.found, func(a, b finding) int { return cmp.Compare(a.Kind, b.Kind) })
	var troubles []Trouble
	for _, f := range d.found {
		if f.Kind != TroubleSpoiled {
			troubles = append(troubles, f.Trouble)
		}
	}
	return troubles
}

// A trouble is what a box says of what is wrong with its value.
type trouble struct {
	kind TroubleKind
	text string
}

// diagnose notes at each node what is wrong there.
func (m *model) diagnose() {
	for i := range m.nodes {
		m.nodes[i].troubles = nil
	}
	for _, f := range m.examine().found {
		n := &m.nodes[f.node]
		n.troubles = append(n.troubles, trouble{f.Kind, f.text})
	}
}

// A diagnosis is what was found wrong with a model.
type diagnosis struct {
	*model
	found []finding
}

// A finding is a trouble, its place and what the box there says.
type finding struct {
	Trouble
	node int // into nodes
	text string
}

// examine looks for every kind of trouble.
func (m *model) examine() *diagnosis {
	m.tellApart()
	d := &diagnosis{model: m}
	d.nonFinite()
	for i := range m.nodes {
		d.activation(i)
	}
	d.layers()
	d.unreached()
	return d
}

// add adds a finding: what the box says, and how the sentence goes on.
func (d *diagnosis) add(kind TroubleKind, node int, text, rest string) *finding {
	d.found = append(d.found, finding{
		Trouble: Trouble{Kind: kind, Value: d.nodes[node].source.Value, Words: d.nodes[node].mention() + ": " + text + rest},
		node:    node,
		text:    text,
	})
	return &d.found[len(d.found)-1]
}

// activation looks at the elements of one activation.
func (d *diagnosis) activation(i int) {
	n := &d.nodes[i]
	if !n.learns || n.custom || len(n.in) != 1 {
		return
	}
	switch n.op {
	case "relu", "relu6":
		d.relu(i)
	case "sigmoid", "tanh", "hard sigmoid", "hard tanh":
		if !d.inCrossEntropy(n) {
			d.saturation(i)
		}
	}
}

// relu looks for units that are closed for all rows.
func (d *diagnosis) relu(i int) {
	n := &d.nodes[i]
	rows, units, z := d.unitsOf(&d.nodes[d.edges[n.in[0]].from])
	dead := 0
	for unit := range units {
		closed := 0
		for k := unit; k < len(z); k += units {
			if z[k] <= 0 {
				closed++
			}
		}
		if closed == rows {
			dead++
		}
	}
	switch {
	case dead == 0 || len(z) == 0:
	case len(z) == 1:
		d.add(TroubleDeadReLU, i, fmt.Sprintf("closed: its input %s is not above 0", number(z[0], defaultDigits)), ", so that no gradient passes")
	case dead == units:
		d.add(TroubleDeadReLU, i, fmt.Sprintf("dead: all %d elements are closed", len(z)), ", so that no gradient passes")
	case rows > 1:
		d.add(TroubleDeadReLU, i, fmt.Sprintf("%d of %d units %s dead: closed for all %d rows", dead, units, isOrAre(dead), rows), "")
	}
}

// unitsOf returns the elements of a node as rows of units. Of a node that is
// one element it is the column of its unit, for all data points.
func (d *diagnosis) unitsOf(n *node) (rows, units int, elements []float64) {
	shape, all := n.source.Shape(), n.source.View()
	rows, units = 1, all.Size()
	if len(shape) > 1 && all.Size() > 0 {
		units = shape[len(shape)-1]
		rows = all.Size() / units
	}
	if n.element == whole {
		return rows, units, elementsOf(all)
	}
	return rows, 1, column(all, n.element%units, units)
}

// column returns every step-th element from the first on.
func column(t autograd.Tensor, first, step int) []float64 {
	var elements []float64
	for k := first; k < t.Size(); k += step {
		if t.Precision() == autograd.Float64 {
			elements = append(elements, t.Raw64()[k])
		} else {
			elements = append(elements, float64(t.Raw32()[k]))
		}
	}
	return elements
}

// inCrossEntropy reports whether a cross entropy is all that is made of n.
func (d *diagnosis) inCrossEntropy(n *node) bool {
	for _, use := range n.uses {
		e := &d.edges[use]
		to := &d.nodes[e.to]
		if to.custom || e.input != 0 || to.op != "binary cross entropy" && to.op != "cross entropy" {
			return false
		}
	}
	return len(n.uses) > 0
}

// saturation looks for elements where the slope is all but 0.
func (d *diagnosis) saturation(i int) {
	n := &d.nodes[i]
	_, _, a := d.unitsOf(n)
	beyond, saturated := 0, saturations[n.op]
	for _, v := range a {
		if saturated.is(v) {
			beyond++
		}
	}
	switch {
	case float64(beyond) < saturatedShare*float64(len(a)) || beyond == 0:
	case len(a) == 1:
		d.add(TroubleSaturated, i, "saturated", fmt.Sprintf(": %s, where the slope is %s", number(a[0], defaultDigits), saturated.slope))
	default:
		d.add(TroubleSaturated, i, fmt.Sprintf("saturated: %d of %d elements", beyond, len(a)), fmt.Sprintf(" are %s, where the slope is %s", saturated.where, saturated.slope))
	}
}

// saturations says when an activation of that value has all but no slope.
var saturations = map[string]struct {
	is           func(a float64) bool
	where, slope string
}{
	"sigmoid":      {func(a float64) bool { return a < saturatedSigmoid || a > 1-saturatedSigmoid }, "outside 0.01 to 0.99", "below 0.01"},
	"tanh":         {func(a float64) bool { return math.Abs(a) > saturatedTanh }, "beyond ±0.99", "below 0.02"},
	"hard sigmoid": {func(a float64) bool { return a == 0 || a == 1 }, "at 0 or 1", "0"},
	"hard tanh":    {func(a float64) bool { return math.Abs(a) == 1 }, "at ±1", "0"},
}

// layers compares the gradients of the layers' weighted sums with those of the
// last layer.
func (d *diagnosis) layers() {
	if !d.traced {
		return
	}
	stages := d.stages()
	if len(stages) < 2 {
		return
	}
	last := stages[len(stages)-1].rms()
	if last == 0 || !isFinite(last) {
		return
	}
	small, large := len(stages)-1, len(stages)-1
	for i, s := range stages {
		rms := s.rms()
		if rms > 0 && rms < stages[small].rms() {
			small = i
		}
		if isFinite(rms) && rms > stages[large].rms() {
			large = i
		}
	}
	if s := stages[small]; s.rms() < vanishingRatio*last {
		d.add(TroubleVanishing, s.first, "the gradient vanishes", compared(s, small, last, len(stages)))
	}
	if s := stages[large]; s.rms() > explodingRatio*last {
		d.add(TroubleExploding, s.first, "the gradient explodes", compared(s, large, last, len(stages)))
	}
}

// compared says how the gradient of a stage differs from that of the last.
func compared(s stage, i int, last float64, stages int) string {
	return fmt.Sprintf(" on its way back: its root mean square is %s here, in layer %d, and %s in layer %d, the last",
		number(s.rms(), defaultDigits), i+1, number(last, defaultDigits), stages)
}

// A stage is the weighted sums, or the products that are summed there, that
// have the same number of layers before them.
type stage struct {
	first int     // into nodes
	norm  float64 // of the gradients of all their elements
	size  int
}

func (s stage) rms() float64 {
	if s.size == 0 {
		return 0
	}
	return s.norm / math.Sqrt(float64(s.size))
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// stages returns the layers that have gradients, in order.
func (d *diagnosis) stages() []stage {
	var stages []stage
	level, parameter := make([]int, len(d.nodes)), make([]bool, len(d.nodes))
	for i := range d.nodes {
		n := &d.nodes[i]
		weighted := false
		for _, in := range n.in {
			from := d.edges[in].from
			level[i] = max(level[i], level[from])
			weighted = weighted || parameter[from]
		}
		parameter[i] = n.learns && (len(n.in) == 0 || weighted && n.rearranges())
		if !weighted || !n.multiplies() {
			continue
		}
		level[i]++
		if len(stages) < level[i] {
			stages = append(stages, stage{first: i})
		}
		if s := &stages[level[i]-1]; n.state == reached {
			s.norm, s.size = autograd.JoinNorms(s.norm, n.gradient.norm), s.size+n.gradient.size
		}
	}
	return stages
}

// multiplies reports whether n may be a layer's product with its weights.
func (n *node) multiplies() bool {
	switch n.op {
	case "matmul", "mul", "weighted sum":
		return true
	}
	return n.custom
}

// rearranges reports whether n is its input in another order or shape.
func (n *node) rearranges() bool {
	switch n.op {
	case "reshape", "permute", "expand", "slice":
		return !n.custom
	}
	return false
}

// unreached looks for what should be learned and is not, for want of a way
// that carries gradients.
func (d *diagnosis) unreached() {
	reaches, stops := d.reaches(), d.stops()
	for i := range d.nodes {
		n := &d.nodes[i]
		if n.kind != autograd.KindParam && n.kind != autograd.KindVariable || !n.learns {
			continue
		}
		if n.state == notReached || !d.passed && !reaches[i] {
			d.add(TroubleUnreached, i, d.whyUnreached(i, stops[i]).Words, "")
		}
	}
}

// reaches returns whether the root depends on each node through operations that
// carry gradients.
func (m *model) reaches() []bool {
	reaches := make([]bool, len(m.nodes))
	if m.root >= 0 {
		reaches[m.root] = true
	}
	for _, e := range slices.Backward(m.edges) {
		if e.learns && reaches[e.to] {
			reaches[e.from] = true
		}
	}
	return reaches
}

// stops returns, for each node that is learned through, the node after it that
// stops the gradient, or none where it only arrives at none of the uses.
func (m *model) stops() []int {
	stops := make([]int, len(m.nodes))
	for i := len(m.nodes) - 1; i >= 0; i-- {
		stops[i] = nowhere
		for _, use := range m.nodes[i].uses {
			e := &m.edges[use]
			switch {
			case stops[i] != nowhere:
			case !e.learns || m.traced && m.nodes[e.to].state == reached && !e.received:
				stops[i] = e.to
			default:
				stops[i] = stops[e.to]
			}
		}
	}
	return stops
}

const nowhere = -1

// whyUnreached returns why no gradient arrives at a node, given what stops it.
func (m *model) whyUnreached(i, stop int) Cause {
	if stop == nowhere {
		return Cause{CauseNotReached, m.nodes[i].source.Value, "no gradient arrives: the loss does not depend on it"}
	}
	to := &m.nodes[stop]
	return Cause{CauseDetached, to.source.Value, fmt.Sprintf("no gradient arrives: %s stops it", to.called())}
}

// unrecorded looks for parameters and variables that root was not computed
// from.
func (d *diagnosis) unrecorded(root autograd.Value) {
	next := 0
	for n := range root.Graph().Nodes() {
		if next < len(d.nodes) && d.nodes[next].id == n.ID {
			next++
			continue
		}
		if d.passed && d.gradients.Reached(n.Value) { // root is a part of what was differentiated
			continue
		}
		if n.NeedsGrad && n.Kind != autograd.KindOperation {
			title := (&node{id: n.ID, op: n.Op, name: n.Name()}).title()
			d.found = append(d.found, finding{Trouble: Trouble{
				Kind: TroubleUnreached, Value: n.Value, Words: title + ": no gradient arrives: the loss was computed without it",
			}})
		}
	}
}

func isOrAre(count int) string {
	if count == 1 {
		return "is"
	}
	return "are"
}
