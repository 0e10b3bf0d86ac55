package train

import "nabla/autograd"

// views show Params without a copy: graphs, by precision, that read them in
// place.
type views [2]*autograd.Graph

// of returns the numbers of a Param where they are. They must not be written
// to, and are valid until the next reset.
func (v *views) of(p *autograd.Param) autograd.Tensor {
	g := v[p.Precision()]
	if g == nil {
		g = autograd.NewGraph(autograd.Options{NoGrad: true, Precision: p.Precision()})
		v[p.Precision()] = g
	}
	return g.Param(p).View()
}

func (v *views) reset() {
	for _, g := range v {
		if g != nil {
			g.Reset()
		}
	}
}
