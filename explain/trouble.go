package explain

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"nabla/internal/operations"

	"nabla/autograd"
	"nabla/internal/recording"
)

// A TroubleKind says what is wrong at a place of a recording.
type TroubleKind uint8

const (
	TroubleNonFinite     TroubleKind = iota // a NaN or infinity arose here: what came in was finite
	TroubleSpoiled                          // a NaN or infinity reached this value or its gradient; drawings show it, Diagnose lists it with its origin
	TroubleDeadReLU                         // a relu is closed for all data, so that no gradient passes
	TroubleSaturated                        // a sigmoid or tanh is nearly flat there
	TroubleVanishing                        // the gradient is far smaller here than at the last layer
	TroubleExploding                        // the gradient is far larger here than at the last layer
	TroubleSquashedTwice                    // probabilities go into a loss that takes logits
	TroubleUnreached                        // a parameter or variable that the loss does not depend on
)

func (k TroubleKind) String() string {
	names := [...]string{"not finite", "spoiled", "dead relu", "saturated", "vanishing gradient", "exploding gradient", "squashed twice", "unreached"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// The thresholds of Diagnose.
const (
	saturatedShare = 0.5  // the fraction of the elements from which on it is reported
	vanishingRatio = 1e-3 // of the gradient's root mean square, relative to the last layer
	explodingRatio = 1e3
)

// A Trouble is something wrong that a recording shows.
type Trouble struct {
	Kind  TroubleKind
	Value autograd.Value // where it shows
	Words string         // one sentence

	// For TroubleNonFinite: why it arose, whether in the backward pass, and
	// what it spoiled, in the order of the recording. What several reached is
	// listed with the first of them.
	Cause            Cause
	Backward         bool
	SpoiledValues    []autograd.Value
	SpoiledGradients []autograd.Value
}

func (t Trouble) String() string { return t.Words }

// Diagnose returns what is wrong with a recording, sorted by kind, in the order
// of the constants, and then in the order of the recording; nil if nothing is
// wrong. Before a backward pass, pass zero Gradients; what concerns gradients
// is then left out.
//
//   - Not finite: each place where a NaN or infinity arose, which is where the
//     inputs were finite and the result was not, the forward pass first and
//     then the backward pass from the loss on; and what each of them spoiled.
//     An infinite constant that leads to no NaN, such as a mask's, is no
//     trouble.
//   - Dead relu: a relu (or relu6) whose elements are all closed, z ≤ 0; or
//     units of it, the indices of the last axis of a tensor with two or more
//     axes, that are closed in every row.
//   - Saturated: at least half of the elements of a sigmoid are closer than
//     0.01 to 0 or 1, or of a tanh beyond ±0.99; or of a hard sigmoid or hard
//     tanh at a bound. The input of a cross entropy is left out: there the
//     slopes cancel.
//   - Vanishing, exploding: the root mean square of the gradient of the
//     elements of a layer's weighted sums is below 1/1000 of that of the last
//     layer's, or above 1000 times it. A layer is a product with a parameter or
//     variable; layers are counted along the longest way. A gradient of exact
//     zeros is not vanishing: it has another cause, which [Gradient] gives. It
//     is reported once, at the first value of the worst layer.
//   - Squashed twice: a log-softmax or a cross entropy from logits is applied
//     to a softmax or a sigmoid, as happens if a network that ends in one is
//     trained with losses.Options{Logits: true}.
//   - Unreached: a parameter or variable of the graph that root does not depend
//     on through operations that pass gradients.
//
// Without Options.Trace the gradients of intermediate values are not known:
// vanishing and exploding gradients are then not reported, and a NaN that arose
// in the backward pass is reported where it arrived. It takes time linear in
// the size of the recording.
//
// It panics as graphviz.Write does.
func Diagnose(root autograd.Value, grads autograd.Gradients) []Trouble {
	d := examine(recording.New(root, grads, 0))
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

// Note records at each node the troubles found there.
func Note(m *recording.Model) {
	for i := range m.Nodes {
		m.Nodes[i].Troubles = nil
	}
	for _, f := range examine(m).found {
		n := &m.Nodes[f.node]
		n.Troubles = append(n.Troubles, recording.Trouble{Kind: uint8(f.Kind), Text: f.text})
	}
}

// A diagnosis is what was found wrong with a model.
type diagnosis struct {
	*recording.Model
	found []finding
}

// A finding is a trouble, its node and the text in that node's box.
type finding struct {
	Trouble
	node int // into nodes
	text string
}

// examine looks for every kind of trouble.
func examine(m *recording.Model) *diagnosis {
	m.TellApart()
	d := &diagnosis{Model: m}
	d.nonFinite()
	for i := range m.Nodes {
		d.activation(i)
		d.squashedTwice(i)
	}
	d.layers()
	d.unreached()
	return d
}

// add adds a finding: the text in the box, and the rest of the sentence.
func (d *diagnosis) add(kind TroubleKind, node int, text, rest string) *finding {
	d.found = append(d.found, finding{
		Trouble: Trouble{Kind: kind, Value: d.Nodes[node].Source.Value, Words: d.Nodes[node].Mention() + ": " + text + rest},
		node:    node,
		text:    text,
	})
	return &d.found[len(d.found)-1]
}

// activation checks the elements of one activation.
func (d *diagnosis) activation(i int) {
	n := &d.Nodes[i]
	if !n.Learns || n.Custom || len(n.In) != 1 {
		return
	}
	switch {
	case n.Is(operations.ReLU), n.Is(operations.ReLU6):
		d.relu(i)
	case n.Operation().Flat != nil && !d.inCrossEntropy(n):
		d.saturation(i)
	}
}

// squashedTwice finds probabilities used as logits.
func (d *diagnosis) squashedTwice(i int) {
	n := &d.Nodes[i]
	if !n.Is(operations.LogSoftmax) && !n.Is(operations.BinaryCrossEntropyLogits) || len(n.In) == 0 {
		return
	}
	from := &d.Nodes[d.Edges[n.In[0]].From]
	if from.Is(operations.Softmax) || from.Is(operations.Sigmoid) || from.Is(operations.LogSoftmax) {
		d.add(TroubleSquashedTwice, i, "squashed twice", ": it takes logits, and "+from.Mention()+" has been squashed already")
	}
}

// relu finds units that are closed for all rows.
func (d *diagnosis) relu(i int) {
	n := &d.Nodes[i]
	rows, units, z := d.unitsOf(&d.Nodes[d.Edges[n.In[0]].From])
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
		d.add(TroubleDeadReLU, i, fmt.Sprintf("closed: its input %s is not above 0", recording.Number(z[0], recording.DefaultDigits)), ", so that no gradient passes")
	case dead == units:
		d.add(TroubleDeadReLU, i, fmt.Sprintf("dead: all %d elements are closed", len(z)), ", so that no gradient passes")
	case rows > 1:
		d.add(TroubleDeadReLU, i, fmt.Sprintf("%d of %d units %s dead: closed for all %d rows", dead, units, recording.IsOrAre(dead), rows), "")
	}
}

// unitsOf returns the elements of a node as rows of units. For a node that is a
// single element it is the column of its unit, for all data points.
func (d *diagnosis) unitsOf(n *recording.Node) (rows, units int, elements []float64) {
	shape, all := n.Source.Value.Shape(), n.Source.Value.View()
	rows, units = 1, all.Size()
	if len(shape) > 1 && all.Size() > 0 {
		units = shape[len(shape)-1]
		rows = all.Size() / units
	}
	if n.Element == recording.Whole {
		return rows, units, recording.ElementsOf(all)
	}
	return rows, 1, recording.Column(all, n.Element%units, units)
}

// inCrossEntropy reports whether n is used only by cross entropies.
func (d *diagnosis) inCrossEntropy(n *recording.Node) bool {
	for _, use := range n.Uses {
		e := &d.Edges[use]
		to := &d.Nodes[e.To]
		if e.Input != 0 || !to.Operation().Probabilities {
			return false
		}
	}
	return len(n.Uses) > 0
}

// saturation finds elements where the slope is nearly 0.
func (d *diagnosis) saturation(i int) {
	n := &d.Nodes[i]
	_, _, a := d.unitsOf(n)
	beyond, flat := 0, n.Operation().Flat
	for _, v := range a {
		if flat.Beyond(v) {
			beyond++
		}
	}
	switch {
	case float64(beyond) < saturatedShare*float64(len(a)) || beyond == 0:
	case len(a) == 1:
		d.add(TroubleSaturated, i, "saturated", fmt.Sprintf(": %s, where the slope is %s", recording.Number(a[0], recording.DefaultDigits), flat.Slope))
	default:
		d.add(TroubleSaturated, i, fmt.Sprintf("saturated: %d of %d elements", beyond, len(a)), fmt.Sprintf(" are %s, where the slope is %s", flat.Where, flat.Slope))
	}
}

// layers compares the gradients of the layers' weighted sums with those of the
// last layer.
func (d *diagnosis) layers() {
	if !d.Traced {
		return
	}
	stages := d.stages()
	if len(stages) < 2 {
		return
	}
	last := stages[len(stages)-1].rms()
	if last == 0 || !recording.IsFinite(last) {
		return
	}
	small, large := len(stages)-1, len(stages)-1
	for i, s := range stages {
		rms := s.rms()
		if rms > 0 && rms < stages[small].rms() {
			small = i
		}
		if recording.IsFinite(rms) && rms > stages[large].rms() {
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

// compared says how the gradient of a stage compares with that of the last.
func compared(s stage, i int, last float64, stages int) string {
	return fmt.Sprintf(" on its way back: its root mean square is %s here, in layer %d, and %s in layer %d, the last",
		recording.Number(s.rms(), recording.DefaultDigits), i+1, recording.Number(last, recording.DefaultDigits), stages)
}

// A stage is the weighted sums (or the products summed in them) with the same
// number of layers before them.
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

// stages returns the layers that have gradients, in order.
func (d *diagnosis) stages() []stage {
	var stages []stage
	level, parameter := make([]int, len(d.Nodes)), make([]bool, len(d.Nodes))
	for i := range d.Nodes {
		n := &d.Nodes[i]
		weighted := false
		for _, in := range n.In {
			from := d.Edges[in].From
			level[i] = max(level[i], level[from])
			weighted = weighted || parameter[from]
		}
		parameter[i] = n.Learns && (len(n.In) == 0 || weighted && rearranges(n))
		if !weighted || !multiplies(n) {
			continue
		}
		level[i]++
		if len(stages) < level[i] {
			stages = append(stages, stage{first: i})
		}
		if s := &stages[level[i]-1]; n.State == recording.Reached {
			s.norm, s.size = autograd.JoinNorms(s.norm, n.Gradient.Norm), s.size+n.Gradient.Size
		}
	}
	return stages
}

// multiplies reports whether n may be a layer's product with its weights.
func multiplies(n *recording.Node) bool {
	return n.Custom || isProduct(n) || n.Is(operations.Mul) || n.Is(operations.WeightedSum)
}

// isProduct reports whether n is a product of matrices, or a convolution.
func isProduct(n *recording.Node) bool { return n.Operation().Class == operations.Product }

// rearranges reports whether n only reorders or reshapes its input.
func rearranges(n *recording.Node) bool {
	return n.Is(operations.Reshape) || n.Is(operations.Permute) || n.Is(operations.Expand) || n.Is(operations.Slice)
}

// unreached finds what should be learned but has no path that passes
// gradients.
func (d *diagnosis) unreached() {
	reaches, stops := reaches(d.Model), stops(d.Model)
	for i := range d.Nodes {
		n := &d.Nodes[i]
		if n.Kind != autograd.KindParam && n.Kind != autograd.KindVariable || !n.Learns {
			continue
		}
		if n.State == recording.NotReached || !d.Passed && !reaches[i] {
			d.add(TroubleUnreached, i, whyUnreached(d.Model, i, stops[i]).Words, "")
		}
	}
}

// reaches reports for each node whether the root depends on it through
// operations that pass gradients.
func reaches(m *recording.Model) []bool {
	reaches := make([]bool, len(m.Nodes))
	if m.Root >= 0 {
		reaches[m.Root] = true
	}
	for _, e := range slices.Backward(m.Edges) {
		if e.Learns && reaches[e.To] {
			reaches[e.From] = true
		}
	}
	return reaches
}

// stops returns, for each node that is learned through, the later node that
// stops its gradient, or none if the gradient reaches none of its uses.
func stops(m *recording.Model) []int {
	stops := make([]int, len(m.Nodes))
	for i := len(m.Nodes) - 1; i >= 0; i-- {
		stops[i] = recording.Nowhere
		for _, use := range m.Nodes[i].Uses {
			e := &m.Edges[use]
			switch {
			case stops[i] != recording.Nowhere:
			case !e.Learns || m.Traced && m.Nodes[e.To].State == recording.Reached && !e.Received:
				stops[i] = e.To
			default:
				stops[i] = stops[e.To]
			}
		}
	}
	return stops
}

// whyUnreached returns why no gradient arrives at a node, given what stops it.
func whyUnreached(m *recording.Model, i, stop int) Cause {
	if stop == recording.Nowhere {
		return Cause{CauseNotReached, m.Nodes[i].Source.Value, "no gradient arrives: the loss does not depend on it"}
	}
	to := &m.Nodes[stop]
	return Cause{CauseDetached, to.Source.Value, fmt.Sprintf("no gradient arrives: %s stops it", to.Called())}
}

// unrecorded finds parameters and variables that root was not computed from.
func (d *diagnosis) unrecorded(root autograd.Value) {
	next := 0
	for n := range root.Graph().Nodes() {
		if next < len(d.Nodes) && d.Nodes[next].ID == n.ID {
			next++
			continue
		}
		if d.Passed && d.Gradients.Reached(n.Value) { // root is a part of what was differentiated
			continue
		}
		if n.NeedsGrad && n.Kind != autograd.KindOperation {
			title := (&recording.Node{ID: n.ID, Op: n.Op, Name: n.Value.Name()}).Title()
			d.found = append(d.found, finding{Trouble: Trouble{
				Kind: TroubleUnreached, Value: n.Value, Words: title + ": no gradient arrives: the loss was computed without it",
			}})
		}
	}
}
