package xla

import (
	"testing"

	"nabla/autograd"
)

// Two devices that share each batch learn what one learns. Batch norm is left
// out: each device normalizes its own part.
func TestDevices(t *testing.T) {
	c := testClient(t)
	if c.Devices() < 2 {
		t.Skipf("%d device", c.Devices())
	}
	const steps, p = 10, autograd.Float64
	for _, maker := range []studyMaker{hotelPrices, smallTransformer} {
		one, two := maker(p), maker(p)
		want := one.own(p, 0, steps)
		got := two.onDevices(t, c, p, 0, steps, 2)
		if d := distance(got, want); d > 1e-12 {
			t.Errorf("%s: losses are off by %.2g", one.name, d)
		}
		sameParams(t, two, one, 1e-10)
	}
}
