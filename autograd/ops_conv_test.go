package autograd_test

import (
	"fmt"

	"nabla/autograd"
)

// A geometry is what stands in the options of a convolution, for the twins.
type geometry struct {
	stride, dilation []int // nil: 1
	padding          [][2]int
	more             []int // output padding
	groups           int   // 0: 1
	same             bool
}

func (g geometry) String() string {
	text := ""
	for _, setting := range []struct {
		name string
		set  bool
		v    any
	}{
		{"stride", g.stride != nil, g.stride}, {"dilation", g.dilation != nil, g.dilation},
		{"padding", g.padding != nil, g.padding}, {"more", g.more != nil, g.more},
		{"groups", g.groups > 0, g.groups}, {"same", g.same, g.same},
	} {
		if setting.set {
			text += fmt.Sprintf(" %s %v", setting.name, setting.v)
		}
	}
	return text
}

func (g geometry) conv(in ...autograd.Value) autograd.Value {
	o := autograd.ConvOptions{Stride: g.stride, Padding: g.padding, Same: g.same, Dilation: g.dilation, Groups: g.groups}
	if len(in) > 2 {
		o.Bias = in[2]
	}
	return in[0].Conv(in[1], o)
}

func (g geometry) transpose(in ...autograd.Value) autograd.Value {
	o := autograd.ConvTransposeOptions{Stride: g.stride, Padding: g.padding, OutputPadding: g.more, Dilation: g.dilation, Groups: g.groups}
	if len(in) > 2 {
		o.Bias = in[2]
	}
	return in[0].ConvTranspose(in[1], o)
}

// of returns a setting for an axis.
func of[T any](list []T, axis int, none T) T {
	switch len(list) {
	case 0:
		return none
	case 1:
		return list[0]
	}
	return list[axis]
}

// axis returns stride, dilation and padding along an axis of an image of n
// elements under a kernel of k.
func (g geometry) axis(i, n, k int) (stride, dilation, before, after int) {
	stride, dilation = of(g.stride, i, 1), of(g.dilation, i, 1)
	pair := of(g.padding, i, [2]int{})
	if g.same {
		total := max(0, ((n+stride-1)/stride-1)*stride+dilation*(k-1)+1-n)
		pair = [2]int{total / 2, total - total/2}
	}
	return stride, dilation, pair[0], pair[1]
}

// convTwin is the definition: the window's products, summed up place by place.
func (g geometry) convTwin(in ...grid) grid {
	x, w := in[0], in[1]
	groups := max(1, g.groups)
	shape := []int{x.shape[0], w.shape[0]}
	for i, n := range x.shape[2:] {
		stride, dilation, before, after := g.axis(i, n, w.shape[2+i])
		shape = append(shape, (n+before+after-dilation*(w.shape[2+i]-1)-1)/stride+1)
	}
	return build(shape, func(at []int) float64 {
		sum := 0.0
		if len(in) > 2 {
			sum = in[2].data[at[1]]
		}
		for c := range w.shape[1] {
			for t := range volume(w.shape[2:]) {
				k := indexOf(w.shape[2:], t)
				from := []int{at[0], at[1]/(w.shape[0]/groups)*w.shape[1] + c}
				for i := range k {
					stride, dilation, before, _ := g.axis(i, x.shape[2+i], w.shape[2+i])
					from = append(from, at[2+i]*stride-before+k[i]*dilation)
				}
				if inside(x.shape, from) {
					sum += x.at(from...) * w.at(append([]int{at[1], c}, k...)...)
				}
			}
		}
		return sum
	})
}

func inside(shape, at []int) bool {
	for i, n := range shape {
		if at[i] < 0 || at[i] >= n {
			return false
		}
	}
	return true
}

// transposeTwin spreads each element over its window.
func (g geometry) transposeTwin(in ...grid) grid {
	x, w := in[0], in[1]
	groups := max(1, g.groups)
	shape := []int{x.shape[0], w.shape[1] * groups}
	for i, n := range x.shape[2:] {
		stride, dilation, before, after := g.axis(i, n, w.shape[2+i])
		shape = append(shape, (n-1)*stride-before-after+dilation*(w.shape[2+i]-1)+1+of(g.more, i, 0))
	}
	y := zeros(shape)
	if len(in) > 2 {
		y = build(shape, func(at []int) float64 { return in[2].data[at[1]] })
	}
	for j, v := range x.data {
		at := indexOf(x.shape, j)
		for c := range w.shape[1] {
			for t := range volume(w.shape[2:]) {
				k := indexOf(w.shape[2:], t)
				to := []int{at[0], at[1]/(x.shape[1]/groups)*w.shape[1] + c}
				for i := range k {
					stride, dilation, before, _ := g.axis(i, x.shape[2+i], w.shape[2+i])
					to = append(to, at[2+i]*stride-before+k[i]*dilation)
				}
				if inside(shape, to) {
					y.data[offset(shape, to)] += v * w.at(append([]int{at[1], c}, k...)...)
				}
			}
		}
	}
	return y
}

// weightsTwin is the sum over batch and places of gy, in[2], times the image's
// element that the weight meets there.
func (g geometry) weightsTwin(in ...grid) grid {
	x, w, gy := in[0], in[1], in[2]
	groups := max(1, g.groups)
	return build(w.shape, func(k []int) float64 {
		sum := 0.0
		for j, v := range gy.data {
			at := indexOf(gy.shape, j)
			from := []int{at[0], at[1]/(w.shape[0]/groups)*w.shape[1] + k[1]}
			for i := range at[2:] {
				stride, dilation, before, _ := g.axis(i, x.shape[2+i], w.shape[2+i])
				from = append(from, at[2+i]*stride-before+k[2+i]*dilation)
			}
			if at[1] == k[0] && inside(x.shape, from) {
				sum += v * x.at(from...)
			}
		}
		return sum
	})
}

func convRow(g geometry, shapes [][]int, more ...[][]int) opRow {
	return opRow{op: "conv", note: fmt.Sprint(shapes, g), shapes: shapes, more: more, lo: -2, hi: 2, f: g.conv, twin: g.convTwin}
}

func transposeRow(g geometry, shapes [][]int, more ...[][]int) opRow {
	return opRow{op: "conv transpose", note: fmt.Sprint(shapes, g), shapes: shapes, more: more, lo: -2, hi: 2, f: g.transpose, twin: g.transposeTwin}
}

// convWeightsRow is the gradient of the weights, a function of the images, the
// weights (whose numbers do not count) and the incoming gradient.
func convWeightsRow(g geometry, shapes [][]int, more ...[][]int) opRow {
	f := func(in ...autograd.Value) autograd.Value {
		return autograd.VJP(g.conv(in[0], in[1]), in[2], in[1])[0].Add(in[1].MulScalar(0))
	}
	return opRow{op: "conv weights", note: fmt.Sprint(shapes, g), shapes: shapes, more: more, lo: -2, hi: 2, f: f, twin: g.weightsTwin}
}

func unfoldRow(o autograd.UnfoldOptions, shape []int, more ...[]int) opRow {
	g := geometry{stride: o.Stride, dilation: o.Dilation, padding: o.Padding}
	r := opRow{op: "unfold", note: fmt.Sprint(shape, o.Kernel, g), shapes: [][]int{shape}, lo: -2, hi: 2,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Unfold(o) },
		twin: func(in ...grid) grid { return g.unfoldTwin(o.Kernel, in[0]) },
	}
	for _, s := range more {
		r.more = append(r.more, [][]int{s})
	}
	return r
}

func foldRow(o autograd.UnfoldOptions, shape, sizes []int) opRow {
	g := geometry{stride: o.Stride, dilation: o.Dilation, padding: o.Padding}
	return opRow{op: "fold", note: fmt.Sprint(shape, sizes, o.Kernel, g), shapes: [][]int{shape}, lo: -2, hi: 2,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].Fold(o, sizes...) },
		twin: func(in ...grid) grid { return g.foldTwin(o.Kernel, sizes, in[0]) },
	}
}

// unfoldTwin convolves with the unit kernels, one for each row.
func (g geometry) unfoldTwin(kernel []int, x grid) grid {
	y, shape := g.units(kernel, x)
	return grid{[]int{shape[0], shape[1], volume(shape[2:])}, y.data}
}

func (g geometry) units(kernel []int, x grid) (y grid, shape []int) {
	channels, k := x.shape[1], []int{}
	for i := range x.shape[2:] {
		k = append(k, of(kernel, i, 1))
	}
	taps := volume(k)
	w := build(append([]int{channels * taps, channels}, k...), func(at []int) float64 {
		return truth(at[0] == at[1]*taps+offset(k, at[2:]))
	})
	y = g.convTwin(x, w)
	return y, y.shape
}

// foldTwin is the transpose of unfoldTwin: column by column, what unfolding a
// unit image gives.
func (g geometry) foldTwin(kernel, sizes []int, x grid) grid {
	taps := 1
	for i := range sizes {
		taps *= of(kernel, i, 1)
	}
	shape := append([]int{x.shape[0], x.shape[1] / taps}, sizes...)
	return build(shape, func(at []int) float64 {
		unit := zeros(shape)
		unit.data[offset(shape, at)] = 1
		sum := 0.0
		for i, v := range g.unfoldTwin(kernel, unit).data {
			sum += v * x.data[i]
		}
		return sum
	})
}

var convRows = []opRow{
	convRow(geometry{}, [][]int{{2, 1, 4}, {2, 1, 3}}, [][]int{{0, 1, 4}, {2, 1, 3}}, [][]int{{1, 1, 1}, {1, 1, 1}}, [][]int{{2, 1, 5}, {0, 1, 3}}, [][]int{{2, 0, 5}, {3, 0, 3}}),
	convRow(geometry{}, [][]int{{2, 2, 3, 4}, {2, 2, 2, 3}, {2}}, [][]int{{0, 2, 3, 4}, {2, 2, 2, 3}, {2}}, [][]int{{3, 4, 9, 21}, {7, 4, 3, 3}, {7}}, [][]int{{1, 0, 2, 2}, {3, 0, 1, 1}, {3}}),
	convRow(geometry{stride: []int{2}, padding: [][2]int{{1, 0}}}, [][]int{{1, 2, 5, 4}, {2, 2, 3, 2}}, [][]int{{2, 3, 11, 12}, {5, 3, 4, 3}}),
	convRow(geometry{stride: []int{1, 3}, padding: [][2]int{{2, 1}, {0, 2}}, dilation: []int{2, 1}}, [][]int{{1, 1, 4, 5}, {2, 1, 3, 2}, {2}}, [][]int{{2, 3, 9, 30}, {13, 3, 3, 3}, {13}}),
	convRow(geometry{same: true}, [][]int{{1, 2, 3, 3}, {1, 2, 3, 2}}, [][]int{{2, 1, 0, 3}, {3, 1, 3, 3}}),
	convRow(geometry{same: true, stride: []int{2}, dilation: []int{1, 2}}, [][]int{{1, 1, 4, 5}, {2, 1, 3, 3}}),
	convRow(geometry{groups: 2}, [][]int{{1, 4, 3, 3}, {4, 2, 2, 2}, {4}}, [][]int{{3, 4, 6, 5}, {6, 2, 3, 3}, {6}}),
	convRow(geometry{groups: 3, padding: [][2]int{{1, 1}}}, [][]int{{2, 3, 3, 2}, {3, 1, 3, 3}}, [][]int{{2, 3, 5, 17}, {6, 1, 3, 3}}),
	convRow(geometry{}, [][]int{{1, 2, 2, 3, 2}, {1, 2, 2, 2, 1}, {1}}, [][]int{{2, 3, 4, 5, 6}, {4, 3, 2, 3, 3}, {4}}),
	convRow(geometry{stride: []int{2, 1, 2}, padding: [][2]int{{1, 1}, {0, 1}, {2, 0}}, dilation: []int{1, 2, 1}, groups: 2}, [][]int{{1, 2, 2, 3, 2}, {2, 1, 2, 2, 3}}),
	transposeRow(geometry{}, [][]int{{2, 2, 3}, {2, 1, 3}}, [][]int{{0, 2, 3}, {2, 1, 3}}, [][]int{{1, 1, 1}, {1, 1, 1}}),
	transposeRow(geometry{}, [][]int{{1, 2, 2, 3}, {2, 3, 2, 2}, {3}}, [][]int{{2, 4, 7, 20}, {4, 5, 3, 3}, {5}}, [][]int{{1, 2, 2, 3}, {2, 0, 2, 2}, {0}}),
	transposeRow(geometry{stride: []int{2}, padding: [][2]int{{1, 0}}, more: []int{1}}, [][]int{{1, 2, 3, 2}, {2, 2, 3, 3}}, [][]int{{3, 4, 6, 7}, {4, 2, 4, 4}}),
	transposeRow(geometry{stride: []int{3, 1}, dilation: []int{1, 2}, more: []int{2, 0}, groups: 2}, [][]int{{1, 2, 2, 2}, {2, 2, 2, 2}, {4}}, [][]int{{2, 6, 5, 9}, {6, 2, 3, 3}, {4}}),
	transposeRow(geometry{stride: []int{2}, padding: [][2]int{{1, 1}}}, [][]int{{1, 1, 2, 2, 2}, {1, 2, 2, 2, 3}, {2}}),
	convWeightsRow(geometry{padding: [][2]int{{1, 1}}}, [][]int{{2, 1, 3, 2}, {2, 1, 2, 3}, {2, 2, 4, 2}}, [][]int{{0, 1, 3, 2}, {2, 1, 2, 3}, {0, 2, 4, 2}}),
	convWeightsRow(geometry{stride: []int{2}, groups: 2}, [][]int{{2, 2, 5}, {2, 1, 3}, {2, 2, 2}}),
	unfoldRow(autograd.UnfoldOptions{Kernel: []int{2}}, []int{1, 2, 3, 3}, []int{0, 2, 3, 3}, []int{1, 1, 2, 2}, []int{2, 0, 3, 3}),
	unfoldRow(autograd.UnfoldOptions{Kernel: []int{3, 2}, Stride: []int{2, 1}, Padding: [][2]int{{1, 0}, {0, 2}}, Dilation: []int{1, 2}}, []int{2, 2, 4, 5}),
	unfoldRow(autograd.UnfoldOptions{Kernel: []int{3}}, []int{2, 2, 4}),
	foldRow(autograd.UnfoldOptions{Kernel: []int{2}}, []int{1, 8, 4}, []int{3, 3}),
	foldRow(autograd.UnfoldOptions{Kernel: []int{3, 2}, Stride: []int{2, 1}, Padding: [][2]int{{1, 0}, {0, 2}}, Dilation: []int{1, 2}}, []int{2, 6, 10}, []int{4, 5}),
}
