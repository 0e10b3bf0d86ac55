package xla

import (
	"math/rand/v2"
	"slices"
	"unsafe"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/go-xla/pjrt"

	"nabla/autograd"
)

// random draws what steps draw, from the random stream that a graph would draw
// it from, in the same order.
type random struct {
	precision autograd.Precision
	source    rand.PCG
}

func newRandom(precision autograd.Precision, seed uint64) *random {
	r := &random{precision: precision}
	r.setState(autograd.NewGraph(autograd.Options{Seed: seed}).RandomState())
	return r
}

// state and setState are the place in the stream, which package autograd keeps
// in the form of rand.PCG.
func (r *random) state() autograd.RandomState {
	var s autograd.RandomState
	text, err := r.source.MarshalBinary()
	if err == nil {
		err = s.UnmarshalBinary(text)
	}
	if err != nil {
		panic("xla: internal error: " + err.Error())
	}
	return s
}

func (r *random) setState(s autograd.RandomState) {
	text, err := s.MarshalBinary()
	if err == nil {
		err = r.source.UnmarshalBinary(text)
	}
	if err != nil {
		panic("xla: internal error: " + err.Error())
	}
}

// A drawn is what has been drawn for a draw.
type drawn struct {
	draw
	mask autograd.Tensor
	bits uint64
}

// draw draws for a step.
func (r *random) draw(all []draw) []drawn {
	made := make([]drawn, len(all))
	for i, d := range all {
		made[i].draw = d
		if d.key {
			made[i].bits = r.source.Uint64()
			continue
		}
		shape := d.shape
		if d.whole != nil {
			shape = d.whole
		}
		mask := make([]float64, sizeOf(shape))
		for k := range mask {
			if float64(r.source.Uint64()>>11)/(1<<53) >= d.rate {
				mask[k] = 1 / (1 - d.rate)
			}
		}
		made[i].mask = autograd.NewTensor(mask, shape...).In(r.precision)
	}
	return made
}

// isCut reports whether devices share what is drawn.
func (d draw) isCut() bool { return d.whole != nil && !slices.Equal(d.whole, d.shape) }

// putDrawn copies what has been drawn to a device, or its part of it.
func (c *client) putDrawn(d drawn, device, devices int) (*pjrt.Buffer, error) {
	if !d.key {
		in := Numbers(d.mask)
		if d.isCut() {
			in = in.part(device, devices)
		}
		return c.putTensor(in.tensor, device)
	}
	first := 0
	if d.isCut() {
		first = device * sizeOf(d.shape)
	}
	bits := [2]uint64{d.bits, uint64(first)}
	return c.put(unsafe.Pointer(&bits), 16, dtypes.Uint64, []int{2}, device)
}
