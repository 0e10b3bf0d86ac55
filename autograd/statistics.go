package autograd

import (
	"iter"
	"unsafe"

	"nabla/internal/kernel"
)

// A recording writes nothing outside itself. So a running statistic, such as
// the mean that a batch norm uses in evaluation, is not changed where it is
// observed: the observation is part of what Backward returns, beside the
// gradients, and UpdateStatistics applies it.

// NewStatistic returns a Param that training observes and does not train: it
// has no gradient, whatever Frozen says. [Gradients.UpdateStatistics], which
// every optimizer's Step calls, moves it towards what [Graph.Observe] was
// given; Frozen stops that too.
func NewStatistic(name string, t Tensor) *Param {
	p := NewParam(name, t)
	p.statistic = true
	return p
}

// IsStatistic reports whether p was made by NewStatistic.
func (p *Param) IsStatistic() bool { return p.statistic }

// An observation is what a recording found for a statistic.
type observation struct {
	param    *Param
	version  uint64 // of the statistic, when it was observed
	nth      int    // in the recording, of those of the same statistic
	momentum float64
	value    int32 // the node
	due      bool  // to be applied by the UpdateStatistics under way
}

// Observe notes that this recording found v for the statistic p. Nothing is
// written: Backward returns the observation, and UpdateStatistics applies it,
//
//	p = (1 − momentum)·p + momentum·v
//
// It is for graphs in training mode. A layer that is used twice observes twice.
//
// It panics with a [*GraphError] in evaluation mode, with an [*ArgumentError]
// if p is nil or no statistic, or the momentum is not in [0, 1], with a
// [*ShapeError] if v has another shape than p, and with a [*GradientError]
// inside a derivative rule.
func (g *Graph) Observe(p *Param, v Value, momentum float64) {
	n := v.node("Observe")
	switch {
	case v.g != g:
		panic(&GraphError{"Observe", "a Value of another graph", callSite()})
	case g.reverse.active:
		panic(&GradientError{"Observe", "no observations inside a derivative rule", callSite()})
	case p == nil:
		panic(NewArgumentError("Observe", "the Param is nil"))
	case !p.statistic:
		panic(NewArgumentError("Observe", "parameter %s is trained: make it with NewStatistic", p.name))
	case !g.Training():
		panic(&GraphError{"Observe", "the graph is in evaluation mode: ask Training first", callSite()})
	case !(momentum >= 0 && momentum <= 1):
		panic(NewArgumentError("Observe", "a momentum of %v, want 0 to 1", momentum))
	case !n.shape.equal(p.value.shape):
		panic(shapeError("Observe", "statistic "+p.name+" has another shape than what was observed", " and ", p.value.dims(), n.shape.dims))
	}
	nth := 0
	for i := range g.observed {
		if g.observed[i].param == p {
			nth++
		}
	}
	g.observed = append(g.observed, observation{p, p.version, nth, momentum, v.id, false})
}

// An Observation is what was found for a statistic.
type Observation struct {
	Value    Tensor  // of a sum: the weighted mean of what its parts found
	Momentum float64 // how far the statistic moves towards it, from 0 to 1
}

// Observations ranges over the statistics that the recording observed before
// Backward, in the order of the observations. A statistic that was observed
// twice occurs twice. The tensors are valid until Reset; those of a sum are
// copies.
func (gr Gradients) Observations() iter.Seq2[*Param, Observation] {
	return func(yield func(*Param, Observation) bool) {
		if gr.sum != nil {
			for i := range gr.sum.observed {
				o := &gr.sum.observed[i]
				if !yield(o.param, Observation{o.mean(), o.momentum}) {
					return
				}
			}
		}
		if gr.pass == nil {
			return
		}
		g := gr.check("Gradients.Observations").g
		for _, o := range gr.pass.observations() {
			n := g.at(o.value)
			if !yield(o.param, Observation{g.tensor(n.data, n.shape), o.momentum}) {
				return
			}
		}
	}
}

// observations returns those that were made before the pass.
func (p *pass) observations() []observation { return p.g.observed[:p.observed] }

// UpdateStatistics moves every statistic that was observed towards what was
// observed, in the order of the observations:
//
//	p = (1 − momentum)·p + momentum·observed
//
// It leaves Frozen ones, and those that have been written since they were
// observed. So it does not matter how often it is called, for how many
// Backwards of one recording or by how many optimizers: an observation is
// applied once. It panics with a [*StaleError] after the graph's Reset, and
// with a [*ShapeError] if a statistic has been replaced by one of another
// shape.
func (gr Gradients) UpdateStatistics() {
	if gr.sum != nil {
		gr.sum.updateStatistics()
	}
	if gr.pass == nil {
		return
	}
	g := gr.check("Gradients.UpdateStatistics").g
	all := gr.pass.observations()
	for i := range all {
		o := &all[i]
		o.due = o.param.awaits(o.version, g.at(o.value).shape)
	}
	for i := range all {
		if o := &all[i]; o.due {
			pick(g, follow[float64], follow[float32])(o.param, g.at(o.value).data, 1, o.momentum)
		}
	}
}

// awaits reports whether an observation of a statistic, made at a version of
// it, is still to be applied. It panics if the statistic has been replaced
// behind its pointer by one of another shape.
func (p *Param) awaits(version uint64, observed *shape) bool {
	if p.version != version || p.Frozen {
		return false
	}
	if !observed.equal(p.value.shape) {
		panic(shapeError("Gradients.UpdateStatistics", "statistic "+p.name+" has another shape than what was observed", " and ", p.value.dims(), observed.dims))
	}
	return true
}

// follow moves a statistic towards observed numbers, which a sum has not yet
// divided by their weight.
func follow[T kernel.Float](p *Param, observed unsafe.Pointer, weight, momentum float64) {
	t := p.Writable()
	if t.precision == Float32 {
		kernel.Follow(t.f32(), slice[T](observed, t.Size()), weight, momentum)
	} else {
		kernel.Follow(t.f64(), slice[T](observed, t.Size()), weight, momentum)
	}
}

// A summedObservation adds up what the parts of a sum found for a statistic:
// the nth observation in each.
type summedObservation struct {
	param    *Param
	version  uint64
	nth      int
	momentum float64
	total    Tensor // times the weight, in float64
	weight   float64
	due      bool
}

func (o *summedObservation) mean() Tensor {
	t := o.total.Clone()
	t.divide(o.weight)
	return t
}

func (s *sum) updateStatistics() {
	for i := range s.observed {
		o := &s.observed[i]
		o.due = o.param.awaits(o.version, o.total.shape)
	}
	for i := range s.observed {
		if o := &s.observed[i]; o.due {
			follow[float64](o.param, o.total.data, o.weight, o.momentum)
		}
	}
}

// observe adds the observations of other times a weight: the nth of a
// statistic to the nth. It leaves those that have been applied.
func (s *sum) observe(other Gradients, weight float64) {
	weight *= s.divided()
	if from := other.sum; from != nil {
		for i := range from.observed {
			o := &from.observed[i]
			if o.param.version == o.version {
				w := weight / from.divided()
				s.observation(i, o.param, o.nth, o.momentum).add(o.total, w, w*o.weight)
			}
		}
		return
	}
	if other.pass == nil {
		return
	}
	g := other.pass.g
	for i, o := range other.pass.observations() {
		if n := g.at(o.value); o.param.version == o.version {
			s.observation(i, o.param, o.nth, o.momentum).add(g.tensor(n.data, n.shape), weight, weight)
		}
	}
}

// An ObservedSum is what Gradients hold for a statistic before they divide it
// by a weight: what a sum of sums is made of.
type ObservedSum struct {
	Nth      int     // which observation of that statistic in its recording, from 0
	Total    Tensor  // what was observed times its weight; of a sum in float64
	Weight   float64 // 1 if the Gradients are no sum
	Momentum float64 // see [Observation]
}

// ObservedSums ranges over the statistics that were observed and have not been
// written since, as [Gradients.AddObserved] takes them: to send them to another
// process. The tensors are valid as long as the Gradients, those of a sum until
// something is added. After Average they are still what was added.
func (gr Gradients) ObservedSums() iter.Seq2[*Param, ObservedSum] {
	return func(yield func(*Param, ObservedSum) bool) {
		if gr.sum != nil {
			for _, o := range gr.sum.observed {
				if o.param.version == o.version && !yield(o.param, ObservedSum{o.nth, o.total, o.weight, o.momentum}) {
					return
				}
			}
		}
		if gr.pass == nil {
			return
		}
		g := gr.check("Gradients.ObservedSums").g
		for _, o := range gr.pass.observations() {
			n := g.at(o.value)
			if o.param.version == o.version && !yield(o.param, ObservedSum{o.nth, g.tensor(n.data, n.shape), 1, o.momentum}) {
				return
			}
		}
	}
}

// AddObserved adds weight times what was found for a statistic to a sum. It
// panics with a [*GradientError] if gr came from Backward, with an
// [*ArgumentError] if p is no statistic or the weight is negative or not
// finite, and with a [*ShapeError] if the total has another shape than p.
func (gr *Gradients) AddObserved(p *Param, o ObservedSum, weight float64) {
	const op = "Gradients.AddObserved"
	checkWeight(op, weight)
	s := gr.ownSum(op)
	switch {
	case p == nil || !p.statistic:
		panic(NewArgumentError(op, "this is no statistic"))
	case !p.value.sameShape(o.Total):
		panic(NewShapeError(op, "statistic "+p.name+" has another shape than what was observed", p.value.dims(), o.Total.dims()))
	}
	weight *= s.divided()
	s.observation(len(s.observed), p, o.Nth, o.Momentum).add(o.Total, weight, weight*o.Weight)
}

// divided returns what Average has divided the gradients of a sum by.
func (s *sum) divided() float64 {
	if s.averaged == 0 {
		return 1
	}
	return s.averaged
}

// observation returns the sum of the nth observations of a statistic. It most
// likely stands at the same place as in the parts. If the statistic has been
// written since, the sum begins anew.
func (s *sum) observation(place int, p *Param, nth int, momentum float64) *summedObservation {
	o := s.find(place, p, nth)
	if o != nil && o.version == p.version {
		return o
	}
	if o == nil {
		if len(s.observed) == cap(s.observed) {
			s.observed = append(s.observed, summedObservation{})
		} else {
			s.observed = s.observed[:len(s.observed)+1]
		}
		o = &s.observed[len(s.observed)-1]
	}
	total := o.total
	if total.IsZero() || !total.sameShape(p.value) {
		total = zerosOf(Float64, p.value.dims())
	}
	total.clear()
	*o = summedObservation{param: p, version: p.version, nth: nth, momentum: momentum, total: total}
	return o
}

func (s *sum) find(place int, p *Param, nth int) *summedObservation {
	if place < len(s.observed) && s.observed[place].param == p && s.observed[place].nth == nth {
		return &s.observed[place]
	}
	for i := range s.observed {
		if s.observed[i].param == p && s.observed[i].nth == nth {
			return &s.observed[i]
		}
	}
	return nil
}

// add adds factor·t, which counts for a weight.
func (o *summedObservation) add(t Tensor, factor, weight float64) {
	if t.precision == Float32 {
		kernel.AddWeighted(o.total.f64(), t.f32(), factor)
	} else {
		kernel.AddWeighted(o.total.f64(), t.f64(), factor)
	}
	o.weight += weight
}

// forgetObservations empties the list and keeps its memory, but no Param.
func (s *sum) forgetObservations() {
	for i := range s.observed {
		s.observed[i].param = nil
	}
	s.observed, s.averaged = s.observed[:0], 0
}
