package train

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"math"
	"strconv"
	"strings"

	"nabla/autograd"
	"nabla/internal/kernel"
	"nabla/internal/operations"
)

// A Watch looks inside a network while it trains: how large weights, gradients
// and updates are, layer by layer, how they are distributed, and which units
// are dead. It is a [Callback]; what it has seen is in Looks, which package
// plot draws.
//
//	watch := &train.Watch{Every: 100}
//	config.Callbacks = append(config.Callbacks, watch)
//
// In a loop of your own, Look and Adjusted stand before and after the
// optimizer's step:
//
//	grads := loss.Backward()
//	watch.Look(step, grads)
//	optimizer.Step(grads)
//	watch.Adjusted()
//
// A step that is looked at copies the weights, goes through them and their
// gradients some times, and walks through the recording: about one step more of
// a network of two layers. Others cost nothing.
type Watch struct {
	Every int // looks at the first step, and then at one in so many; 0: at each
	Bins  int // of the histograms, which each look keeps; 0: none
	Looks []Look

	params []*autograd.Param // of the look whose step is under way
	before []autograd.Tensor // their weights, in memory that is used again
	views  views
}

// A Look is what a [Watch] saw in one step.
type Look struct {
	Step, Epoch int         // from 1; the epoch is 0 in a loop of one's own
	Params      []ParamLook // in the order of their first use
	Units       []UnitLook  // of each relu, in the order of the recording
}

// A ParamLook is about one Param, in a step that reached it.
type ParamLook struct {
	Name string

	// Euclidean norms: of the weights before the step, of their gradient as the
	// optimizer got it, and of the change that the step made. Divided by the
	// weights', the change is often near 0.001 in a training that goes well.
	Weight, Gradient, Update float64

	// Histograms of weights and gradients, if the Watch has Bins. Of a table of
	// which some rows were looked up, the gradients are those of the rows.
	Weights, Gradients Histogram
}

// A UnitLook is about the units of one relu or relu6. A dead unit is one whose
// output was 0 for the whole batch, so that it did not learn. A unit is an
// element of the last axis, or after a convolution a channel.
type UnitLook struct {
	Name  string // of the layer, or of the operation outside of layers
	Dead  int
	Units int
}

// A Histogram counts numbers in bars of one width from Low to High. NaN and
// infinities are not among them.
type Histogram struct {
	Low, High float64
	Counts    []int
}

// OnGradients looks at the step, if it is one of those to look at.
func (w *Watch) OnGradients(_ *Training, s Step) error {
	if (s.Number-1)%max(1, w.Every) == 0 {
		w.look(s.Number, s.Epoch, s.Gradients)
	}
	return nil
}

// OnStep completes a look.
func (w *Watch) OnStep(*Training, Step) error {
	w.Adjusted()
	return nil
}

// OnEpoch does nothing: it makes a Watch a [Callback].
func (w *Watch) OnEpoch(*Training, Epoch) error { return nil }

// Look looks at a step whose gradients are known, before the optimizer makes
// it. It looks whatever Every says. Gradients that are a sum have no recording,
// so that nothing is seen of units.
func (w *Watch) Look(step int, grads autograd.Gradients) { w.look(step, 0, grads) }

func (w *Watch) look(step, epoch int, grads autograd.Gradients) {
	l := Look{Step: step, Epoch: epoch}
	w.params = w.params[:0]
	w.views.reset()
	for p, gradient := range grads.Stored() {
		weights := w.views.of(p)
		seen := ParamLook{Name: p.Name(), Weight: weights.Norm(), Gradient: gradient.Norm(), Update: math.NaN()}
		if w.Bins > 0 {
			seen.Weights, seen.Gradients = histogram(weights, w.Bins), histogram(gradient, w.Bins)
		}
		l.Params = append(l.Params, seen)
		w.keep(p, weights)
	}
	autograd.Try(func() { l.Units = DeadUnits(grads.Root()) }) // a sum has no root
	if n := len(w.Looks); n > 0 && epoch > 0 && w.Looks[n-1].Step == step {
		w.Looks = w.Looks[:n-1] // of a step that was not made, before the training was resumed
	}
	w.Looks = append(w.Looks, l)
}

// Adjusted completes the latest look once the optimizer has made the step: the
// norms of the updates are NaN until then. Without a look it does nothing.
func (w *Watch) Adjusted() {
	if len(w.Looks) == 0 {
		return
	}
	look := w.Looks[len(w.Looks)-1]
	w.views.reset()
	for i, p := range w.params {
		look.Params[i].Update = distance(w.before[i], w.views.of(p))
	}
	w.params = w.params[:0]
}

// keep copies the weights of the next one of params.
func (w *Watch) keep(p *autograd.Param, weights autograd.Tensor) {
	i := len(w.params)
	w.params = append(w.params, p)
	if i == len(w.before) {
		w.before = append(w.before, autograd.Tensor{})
	}
	if before := w.before[i]; !isGiven(before) || before.Precision() != weights.Precision() || before.Size() != weights.Size() {
		w.before[i] = weights.Clone()
	} else if weights.Precision() == autograd.Float32 {
		copy(before.Raw32(), weights.Raw32())
	} else {
		copy(before.Raw64(), weights.Raw64())
	}
}

// State returns the Looks, so that a training that goes on from a checkpoint
// keeps them.
func (w *Watch) State() ([]byte, error) {
	var state bytes.Buffer
	err := gob.NewEncoder(&state).Encode(w.Looks)
	return state.Bytes(), err
}

// SetState makes the Looks those of a State. If it returns an error, they stay
// as they are.
func (w *Watch) SetState(state []byte) error {
	var looks []Look
	if err := gob.NewDecoder(bytes.NewReader(state)).Decode(&looks); err != nil {
		return fmt.Errorf("train: Watch: %w", err)
	}
	w.Looks, w.params = looks, w.params[:0]
	return nil
}

func (w *Watch) shows() {}

// distance returns the norm of b − a, and leaves that in a.
func distance(a, b autograd.Tensor) float64 {
	if a.Precision() == autograd.Float32 {
		kernel.Sub.A32.VV(a.Raw32(), b.Raw32(), a.Raw32())
	} else {
		kernel.Sub.A64.VV(a.Raw64(), b.Raw64(), a.Raw64())
	}
	return a.Norm()
}

func histogram(t autograd.Tensor, bins int) Histogram {
	h := Histogram{Low: math.Inf(1), High: math.Inf(-1), Counts: make([]int, bins)}
	values := t.Float64s()
	for _, v := range values {
		if isFinite(v) {
			h.Low, h.High = min(h.Low, v), max(h.High, v)
		}
	}
	if h.Low > h.High {
		h.Low, h.High = 0, 0
	}
	for _, v := range values {
		if isFinite(v) {
			h.Counts[h.bar(v)]++
		}
	}
	return h
}

// bar returns the bar of a number between Low and High. The difference of large
// numbers overflows, and then that of their halves does not.
func (h Histogram) bar(v float64) int {
	if h.Low == h.High {
		return len(h.Counts) / 2
	}
	part := (v - h.Low) / (h.High - h.Low)
	if math.IsInf(h.High-h.Low, 0) {
		part = (v/2 - h.Low/2) / (h.High/2 - h.Low/2)
	}
	return min(len(h.Counts)-1, int(part*float64(len(h.Counts))))
}

// DeadUnits returns, for each relu and relu6 that a loss was computed with and
// that could learn, how many of its units were 0 for the whole batch.
func DeadUnits(loss autograd.Value) []UnitLook {
	var all []UnitLook
	known := map[string]int{}
	g := loss.Graph()
	for n := range loss.Ancestors() {
		if n.Op != operations.ReLU && n.Op != operations.ReLU6 || !n.NeedsGrad {
			continue
		}
		look := deadUnits(n.Value, hasChannels(g, n))
		if look.Name = n.Scope; look.Name == "" {
			look.Name = n.Op
		}
		if known[look.Name]++; known[look.Name] > 1 {
			look.Name += "/" + strconv.Itoa(known[look.Name])
		}
		all = append(all, look)
	}
	return all
}

// hasChannels reports whether the axis 1 of a relu counts channels: whether it
// stands behind a convolution, with nothing between but what keeps the axes.
func hasChannels(g *autograd.Graph, n autograd.Node) bool {
	shape := n.Value.Shape()
	for len(n.Inputs) > 0 && len(n.Value.Shape()) == len(shape) {
		if strings.HasPrefix(n.Op, operations.Conv) {
			return true
		}
		if class := operations.Of(n.Op).Class; class == operations.Product || class == operations.Moving {
			return false
		}
		n = g.At(n.Inputs[0]).Node()
	}
	return false
}

func deadUnits(y autograd.Value, channels bool) UnitLook {
	shape, numbers := y.Shape(), y.View()
	axis := len(shape) - 1
	if channels {
		axis = 1
	}
	if axis < 0 || numbers.Size() == 0 {
		return UnitLook{Units: numbers.Size(), Dead: isZero(numbers)}
	}
	inner := 1
	for _, n := range shape[axis+1:] {
		inner *= n
	}
	alive := make([]bool, shape[axis])
	if numbers.Precision() == autograd.Float32 {
		findAlive(alive, numbers.Raw32(), inner)
	} else {
		findAlive(alive, numbers.Raw64(), inner)
	}
	look := UnitLook{Units: len(alive)}
	for _, a := range alive {
		if !a {
			look.Dead++
		}
	}
	return look
}

// findAlive notes which units have numbers that are not 0. Each in turn has
// inner numbers.
func findAlive[T kernel.Float](alive []bool, numbers []T, inner int) {
	for len(numbers) > 0 {
		for unit := range alive {
			for _, v := range numbers[:inner] {
				if v != 0 {
					alive[unit] = true
				}
			}
			numbers = numbers[inner:]
		}
	}
}

// isZero returns 1 for a single number that is 0, else 0.
func isZero(t autograd.Tensor) int {
	if t.Size() == 1 && t.Item() == 0 {
		return 1
	}
	return 0
}
