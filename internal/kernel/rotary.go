package kernel

import "math"

// Rotary is the geometry of a rotation by positions: x is outer × steps × heads
// × width, and the first heads are turned.
type Rotary struct {
	Outer, Steps, Heads, Turned, Width int
	First                              int     // the position of the first step
	Base                               float64 // of the wavelengths
	Back                               bool    // turn the other way
}

// Rotate turns, in each head, the pairs of elements i and i + width/2 by the
// angle position·base^(−2i/width). dst may be x.
func Rotate[T Float](dst, x []T, r *Rotary) {
	if len(x) == 0 {
		return
	}
	m := freeListOf[rotaryMemory]().get()
	m.reserve(r)
	row := r.Heads * r.Width
	for step := range r.Steps {
		m.turnTo(r, step)
		for o := range r.Outer {
			at := (o*r.Steps + step) * row
			turnHeads(dst[at:at+row], x[at:at+row], m.cos, m.sin, r.Turned*r.Width)
		}
	}
	freeListOf[rotaryMemory]().put(m)
}

// rotaryMemory holds what all heads have in common: the frequency of each pair,
// and cosine and sine of the angles at a step.
type rotaryMemory struct{ frequencies, cos, sin []float64 }

func (m *rotaryMemory) reserve(r *Rotary) {
	half := r.Width / 2
	if cap(m.cos) < half {
		*m = rotaryMemory{make([]float64, half), make([]float64, half), make([]float64, half)}
	}
	m.frequencies, m.cos, m.sin = m.frequencies[:half], m.cos[:half], m.sin[:half]
	for i := range half {
		m.frequencies[i] = math.Pow(r.Base, -2*float64(i)/float64(r.Width))
	}
}

func (m *rotaryMemory) turnTo(r *Rotary, step int) {
	position := float64(r.First + step)
	if r.Back {
		position = -position
	}
	for i, f := range m.frequencies {
		m.sin[i], m.cos[i] = math.Sincos(position * f)
	}
}

// turnHeads turns the heads among the first numbers of a row, and copies the
// others.
func turnHeads[T Float](dst, x []T, cos, sin []float64, turned int) {
	half := len(cos)
	for at := 0; at < turned; at += 2 * half {
		a, b := x[at:at+half], x[at+half:at+2*half]
		to, too := dst[at:at+half], dst[at+half:at+2*half]
		for i, c := range cos {
			u, v, s := float64(a[i]), float64(b[i]), sin[i]
			to[i], too[i] = T(u*c-v*s), T(v*c+u*s)
		}
	}
	copy(dst[turned:], x[turned:])
}
