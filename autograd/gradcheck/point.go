package gradcheck

import (
	"fmt"

	"nabla/autograd"
)

// A point is where a function is checked: its inputs and Params.
type point struct {
	inputs []autograd.Tensor // copies, in Float64
	places []*place
}

// A place is an input or a Param, whose elements are moved one at a time.
type place struct {
	name   string
	input  int             // -1 for a Param
	param  *autograd.Param // nil for an input
	shape  []int
	values []float64       // as they were
	moving autograd.Tensor // of an input
	saved  autograd.Tensor // of a Param, in its own precision
}

// newPoint copies the inputs and remembers the Params.
func (c Checker) newPoint(inputs []autograd.Tensor, params []*autograd.Param) *point {
	p := &point{}
	for i, t := range inputs {
		t = t.In(c.Precision).In(autograd.Float64)
		p.inputs = append(p.inputs, t)
		p.places = append(p.places, &place{
			name: fmt.Sprintf("input %d", i), input: i, shape: t.Shape(), values: t.Float64s(), moving: t,
		})
	}
	seen := map[*autograd.Param]bool{}
	for i, param := range params {
		if param == nil {
			panic(autograd.NewArgumentError("gradcheck: Check", "Param %d is nil", i))
		}
		if param.Frozen || param.IsStatistic() || seen[param] {
			continue
		}
		seen[param] = true
		saved := param.Tensor()
		p.places = append(p.places, &place{
			name: paramName(i, param), input: -1, param: param, shape: saved.Shape(), values: saved.Float64s(), saved: saved,
		})
	}
	return p
}

func paramName(i int, param *autograd.Param) string {
	if param.Name() == "" {
		return fmt.Sprintf("param %d", i)
	}
	return fmt.Sprintf("param %q", param.Name())
}

// restore gives the Params the bits that they had.
func (p *point) restore() {
	for _, place := range p.places {
		if place.param != nil {
			place.param.Set(place.saved)
		}
	}
}

// variables records the inputs.
func (p *point) variables(g *autograd.Graph) []autograd.Value {
	in := make([]autograd.Value, len(p.inputs))
	for i, t := range p.inputs {
		in[i] = g.Variable(t)
	}
	return in
}

// values returns the Value of each place.
func (p *point) values(g *autograd.Graph, in []autograd.Value) []autograd.Value {
	xs := make([]autograd.Value, len(p.places))
	for i, place := range p.places {
		if place.param == nil {
			xs[i] = in[place.input]
		} else {
			xs[i] = g.Param(place.param)
		}
	}
	return xs
}

// move sets element i to about v and returns the number that it has become.
func (p *place) move(i int, v float64) float64 {
	t := p.moving
	if p.param != nil {
		t = p.param.Writable()
	}
	if t.Precision() == autograd.Float32 {
		t.Raw32()[i] = float32(v)
		return float64(t.Raw32()[i])
	}
	t.Raw64()[i] = v
	return v
}

// indexOf returns the index along each axis of element i in row-major order.
func indexOf(i int, shape []int) []int {
	index := make([]int, len(shape))
	for axis := len(shape) - 1; axis >= 0; axis-- {
		index[axis] = i % shape[axis]
		i /= shape[axis]
	}
	return index
}
