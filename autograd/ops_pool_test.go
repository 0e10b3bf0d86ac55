package autograd_test

import (
	"fmt"
	"math"
	"slices"

	"nabla/autograd"
)

type poolOptions = autograd.PoolOptions

// poolRows are pooling and resampling. The last shapes are longer than any
// vector register.
var poolRows = slices.Concat([]opRow{
	maxPoolRow("2×2", poolOptions{Kernel: []int{2}}, []int{2, 2, 4, 6}, []int{1, 2, 5, 37}, []int{1, 1, 4, 66}, []int{0, 2, 4, 4}, []int{2, 0, 4, 4}, []int{1, 1, 2, 2}),
	maxPoolRow("3×3, padded", poolOptions{Kernel: []int{3}, Stride: []int{2}, Padding: [][2]int{{1, 1}}}, []int{2, 1, 5, 4}, []int{1, 2, 7, 28}, []int{1, 1, 9, 71}, []int{0, 2, 4, 4}, []int{1, 1, 1, 1}),
	maxPoolRow("3×3, every place", poolOptions{Kernel: []int{3}, Stride: []int{1}, Padding: [][2]int{{1, 1}}}, []int{1, 2, 4, 3}, []int{1, 2, 6, 40}),
	maxPoolRow("3×2, uneven", poolOptions{Kernel: []int{3, 2}, Stride: []int{1, 3}, Padding: [][2]int{{0, 1}, {1, 0}}}, []int{1, 2, 4, 6}, []int{1, 1, 5, 67}),
	maxPoolRow("dilated", poolOptions{Kernel: []int{2, 3}, Stride: []int{1}, Dilation: []int{2, 1}, Padding: [][2]int{{1, 1}}}, []int{1, 2, 4, 4}, []int{1, 1, 5, 35}),
	maxPoolRow("beyond the end", poolOptions{Kernel: []int{3}, Stride: []int{2}, Ceil: true}, []int{1, 2, 6, 4}, []int{1, 1, 6, 38}),
	maxPoolRow("padded beyond the end", poolOptions{Kernel: []int{2}, Stride: []int{2}, Padding: [][2]int{{1, 1}}, Ceil: true}, []int{1, 2, 5, 4}, []int{1, 1, 6, 39}),
	maxPoolRow("one axis", poolOptions{Kernel: []int{3}, Stride: []int{2}, Padding: [][2]int{{1, 1}}}, []int{2, 2, 7}, []int{1, 2, 80}, []int{0, 1, 3}),
	maxPoolRow("three axes", poolOptions{Kernel: []int{2, 3, 2}, Stride: []int{2, 1, 2}, Padding: [][2]int{{1, 0}, {1, 1}, {0, 1}}}, []int{1, 2, 3, 3, 4}, []int{1, 1, 4, 3, 36}),
	{op: "max pool gradient", shapes: [][]int{{1, 2, 3, 4}, {1, 2, 2, 3}}, more: [][][]int{{{0, 1, 3, 4}, {0, 1, 2, 3}}}, lo: -3, hi: 3,
		f: vjpOf(maxPoolOf(poolOptions{Kernel: []int{2}, Stride: []int{1}}))},
	{op: "max pool gather", shapes: [][]int{{1, 2, 3, 4}, {1, 2, 2, 3}, {1, 2, 3, 4}}, more: [][][]int{{{0, 1, 3, 4}, {0, 1, 2, 3}, {0, 1, 3, 4}}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value {
			gradient := vjpOf(maxPoolOf(poolOptions{Kernel: []int{2}, Stride: []int{1}}))(in...)
			return autograd.VJP(gradient, in[2], in[1])[0]
		},
		twin: func(in ...grid) grid {
			return takenWhereGreatest(in[0], in[2], poolOptions{Kernel: []int{2}, Stride: []int{1}})
		}},

	avgPoolRow("2×2", poolOptions{Kernel: []int{2}}, []int{2, 2, 4, 6}, []int{1, 2, 5, 37}, []int{1, 1, 4, 66}, []int{0, 2, 4, 4}, []int{2, 0, 4, 4}, []int{1, 1, 2, 2}),
	avgPoolRow("3×3, padded", poolOptions{Kernel: []int{3}, Stride: []int{2}, Padding: [][2]int{{1, 1}}}, []int{2, 1, 5, 4}, []int{1, 2, 7, 28}, []int{1, 1, 9, 71}, []int{0, 2, 4, 4}, []int{1, 1, 1, 1}),
	avgPoolRow("3×3, without the padding", poolOptions{Kernel: []int{3}, Stride: []int{2}, Padding: [][2]int{{1, 1}}, ExcludePadding: true}, []int{2, 1, 5, 4}, []int{1, 2, 7, 28}, []int{1, 1, 9, 71}),
	avgPoolRow("3×3, every place", poolOptions{Kernel: []int{3}, Stride: []int{1}, Padding: [][2]int{{1, 1}}}, []int{1, 2, 4, 3}, []int{1, 2, 6, 40}),
	avgPoolRow("3×2, uneven", poolOptions{Kernel: []int{3, 2}, Stride: []int{1, 3}, Padding: [][2]int{{0, 1}, {1, 0}}}, []int{1, 2, 4, 6}, []int{1, 1, 5, 67}),
	avgPoolRow("beyond the end", poolOptions{Kernel: []int{3}, Stride: []int{2}, Ceil: true}, []int{1, 2, 6, 4}, []int{1, 1, 6, 38}),
	avgPoolRow("padded beyond the end", poolOptions{Kernel: []int{3}, Stride: []int{2}, Padding: [][2]int{{1, 1}}, Ceil: true}, []int{1, 2, 6, 5}, []int{1, 1, 6, 40}),
	avgPoolRow("beyond the end, without the padding", poolOptions{Kernel: []int{2}, Stride: []int{3}, Padding: [][2]int{{1, 1}}, Ceil: true, ExcludePadding: true}, []int{1, 2, 6, 5}),
	avgPoolRow("one axis", poolOptions{Kernel: []int{3}, Stride: []int{2}, Padding: [][2]int{{1, 1}}}, []int{2, 2, 7}, []int{1, 2, 80}, []int{0, 1, 3}),
	avgPoolRow("three axes", poolOptions{Kernel: []int{2, 3, 2}, Stride: []int{2, 1, 2}, Padding: [][2]int{{1, 0}, {1, 1}, {0, 1}}}, []int{1, 2, 3, 3, 4}, []int{1, 1, 4, 3, 36}),
	{op: "avg pool gradient", shapes: [][]int{{1, 2, 3, 4}, {1, 2, 2, 3}}, more: [][][]int{{{0, 1, 3, 4}, {0, 1, 2, 3}}}, lo: -3, hi: 3,
		f: vjpOf(one(func(x autograd.Value) autograd.Value {
			return x.AvgPool(poolOptions{Kernel: []int{2}, Stride: []int{1}})
		}))},

	adaptiveRow("adaptive max pool", autograd.Value.AdaptiveMaxPool, greatest, []int{3, 2}, []int{2, 2, 7, 5}, []int{1, 1, 2, 40}, []int{0, 1, 4, 4}),
	adaptiveRow("adaptive max pool", autograd.Value.AdaptiveMaxPool, greatest, []int{3}, []int{2, 1, 4}, []int{1, 1, 1}),
	adaptiveRow("adaptive max pool", autograd.Value.AdaptiveMaxPool, greatest, []int{1, 2, 3}, []int{1, 2, 3, 4, 2}),
	adaptiveRow("adaptive avg pool", autograd.Value.AdaptiveAvgPool, averageOf, []int{3, 2}, []int{2, 2, 7, 5}, []int{1, 1, 2, 40}, []int{0, 1, 4, 4}),
	adaptiveRow("adaptive avg pool", autograd.Value.AdaptiveAvgPool, averageOf, []int{3}, []int{2, 1, 4}, []int{1, 1, 1}),
	adaptiveRow("adaptive avg pool", autograd.Value.AdaptiveAvgPool, averageOf, []int{1, 2, 3}, []int{1, 2, 3, 4, 2}),
	globalRow("global max pool", autograd.Value.GlobalMaxPool, greatest),
	globalRow("global avg pool", autograd.Value.GlobalAvgPool, averageOf),

	upsampleRow("nearest", autograd.UpsampleOptions{Scale: []int{2}}, []int{2, 2, 3, 2}, []int{1, 1, 3, 37}, []int{0, 1, 2, 2}, []int{2, 0, 2, 2}, []int{1, 1, 1, 1}),
	upsampleRow("nearest, of one axis", autograd.UpsampleOptions{Scale: []int{3}}, []int{2, 2, 3}, []int{1, 2, 33}),
	upsampleRow("nearest, of three axes", autograd.UpsampleOptions{Scale: []int{2, 1, 3}}, []int{1, 2, 2, 3, 2}),
	upsampleRow("nearest, to a size", autograd.UpsampleOptions{Size: []int{5, 2}}, []int{1, 2, 3, 4}, []int{1, 1, 7, 1}),
	upsampleRow("bilinear", autograd.UpsampleOptions{Scale: []int{2}, Bilinear: true}, []int{2, 2, 3, 2}, []int{1, 1, 3, 37}, []int{0, 1, 2, 2}, []int{2, 0, 2, 2}, []int{1, 1, 1, 1}),
	upsampleRow("bilinear, corners kept", autograd.UpsampleOptions{Scale: []int{2}, Bilinear: true, AlignCorners: true}, []int{2, 2, 3, 2}, []int{1, 1, 3, 37}, []int{1, 1, 1, 1}),
	upsampleRow("bilinear, to a size", autograd.UpsampleOptions{Size: []int{5, 2}, Bilinear: true}, []int{1, 2, 3, 4}, []int{1, 1, 7, 40}),
	upsampleRow("corners kept, to a size", autograd.UpsampleOptions{Size: []int{1, 5}, Bilinear: true, AlignCorners: true}, []int{1, 2, 3, 4}, []int{1, 1, 7, 40}),
	upsampleRow("linear", autograd.UpsampleOptions{Scale: []int{3}, Bilinear: true}, []int{2, 2, 3}, []int{1, 2, 40}),
	upsampleRow("trilinear", autograd.UpsampleOptions{Size: []int{3, 4, 5}, Bilinear: true}, []int{1, 2, 2, 3, 3}, []int{1, 1, 5, 2, 35}),
	upsampleRow("trilinear, corners kept", autograd.UpsampleOptions{Scale: []int{2, 3, 1}, Bilinear: true, AlignCorners: true}, []int{1, 2, 2, 2, 3}),
	{op: "upsample gradient", shapes: [][]int{{1, 2, 2, 3}, {1, 2, 4, 6}}, more: [][][]int{{{0, 1, 2, 3}, {0, 1, 4, 6}}}, lo: -3, hi: 3,
		f: vjpOf(one(func(x autograd.Value) autograd.Value {
			return x.Upsample(autograd.UpsampleOptions{Scale: []int{2}, Bilinear: true})
		}))},

	{op: "pixel shuffle", shapes: [][]int{{2, 8, 3, 2}}, more: [][][]int{{{0, 4, 2, 2}}, {{1, 0, 2, 2}}, {{1, 4, 1, 1}}}, lo: -3, hi: 3,
		f: one(func(x autograd.Value) autograd.Value { return x.PixelShuffle(2) }),
		twin: func(in ...grid) grid {
			s := in[0].shape
			return build([]int{s[0], s[1] / 4, s[2] * 2, s[3] * 2}, func(at []int) float64 {
				return in[0].at(at[0], at[1]*4+at[2]%2*2+at[3]%2, at[2]/2, at[3]/2)
			})
		}},
	{op: "pixel unshuffle", shapes: [][]int{{2, 2, 3, 6}}, more: [][][]int{{{0, 4, 3, 3}}, {{1, 0, 3, 3}}, {{1, 1, 3, 3}}}, lo: -3, hi: 3,
		f: one(func(x autograd.Value) autograd.Value { return x.PixelUnshuffle(3) }),
		twin: func(in ...grid) grid {
			s := in[0].shape
			return build([]int{s[0], s[1] * 9, s[2] / 3, s[3] / 3}, func(at []int) float64 {
				i, j := at[1]%9/3, at[1]%3
				return in[0].at(at[0], at[1]/9, at[2]*3+i, at[3]*3+j)
			})
		}},
})

func maxPoolOf(o poolOptions) func(in ...autograd.Value) autograd.Value {
	return one(func(x autograd.Value) autograd.Value { return x.MaxPool(o) })
}

// single wraps each shape of one input.
func single(shapes [][]int) [][][]int {
	var all [][][]int
	for _, s := range shapes {
		all = append(all, [][]int{s})
	}
	return all
}

func maxPoolRow(note string, o poolOptions, shape []int, more ...[]int) opRow {
	return opRow{op: "max pool", note: note, shapes: [][]int{shape}, more: single(more), lo: -3, hi: 3, f: maxPoolOf(o),
		twin: func(in ...grid) grid {
			return pooledBy(in[0], poolWindows(in[0].shape, o), func(x []float64, _ int) float64 { return greatest(x) })
		}}
}

func avgPoolRow(note string, o poolOptions, shape []int, more ...[]int) opRow {
	return opRow{op: "avg pool", note: note, shapes: [][]int{shape}, more: single(more), lo: -3, hi: 3,
		f: one(func(x autograd.Value) autograd.Value { return x.AvgPool(o) }),
		twin: func(in ...grid) grid {
			return pooledBy(in[0], poolWindows(in[0].shape, o), func(x []float64, counted int) float64 {
				if o.ExcludePadding {
					counted = len(x)
				}
				return sumOf(x) / float64(counted)
			})
		}}
}

func averageOf(x []float64) float64 { return meanOf(x) }

func greatest(x []float64) float64 { return slices.Max(x) }

func adaptiveRow(op string, f func(x autograd.Value, sizes ...int) autograd.Value, list func(x []float64) float64, sizes []int, shape []int, more ...[]int) opRow {
	return opRow{op: op, note: fmt.Sprint(sizes), shapes: [][]int{shape}, more: single(more), lo: -3, hi: 3,
		f: one(func(x autograd.Value) autograd.Value { return f(x, sizes...) }),
		twin: func(in ...grid) grid {
			return pooledBy(in[0], adaptiveWindows(in[0].shape, sizes), func(x []float64, _ int) float64 { return list(x) })
		}}
}

// adaptiveWindows cuts axes into windows that overlap if they must.
func adaptiveWindows(shape, sizes []int) [][]poolWindow {
	var windows [][]poolWindow
	for i, n := range sizes {
		length := float64(shape[2+i])
		var along []poolWindow
		for k := range n {
			var w poolWindow
			for at := math.Floor(float64(k) * length / float64(n)); at < math.Ceil(float64(k+1)*length/float64(n)); at++ {
				w.at = append(w.at, int(at))
			}
			along = append(along, w)
		}
		windows = append(windows, along)
	}
	return windows
}

func globalRow(op string, f func(x autograd.Value) autograd.Value, list func(x []float64) float64) opRow {
	return opRow{op: op, shapes: [][]int{{2, 2, 3, 2}}, more: single([][]int{{2, 1, 4}, {1, 1, 1}, {1, 2, 2, 3, 2}, {0, 2, 3, 3}, {1, 2, 9, 37}}), lo: -3, hi: 3, f: one(f),
		twin: func(in ...grid) grid {
			y := zeros(in[0].shape[:2])
			for i := range y.data {
				n := volume(in[0].shape[2:])
				y.data[i] = list(in[0].data[i*n : (i+1)*n])
			}
			return y
		}}
}

// A poolWindow is the places of a window along an axis, and how many places
// it has with the padding.
type poolWindow struct {
	at      []int
	counted int
}

// poolWindows walks along each axis of an input: a window may begin wherever
// it fits or, with Ceil, as long as the last did not reach the end and this
// one begins before the padding there.
func poolWindows(shape []int, o poolOptions) [][]poolWindow {
	pick := func(list []int, i, otherwise int) int {
		if list == nil {
			return otherwise
		}
		return list[min(i, len(list)-1)]
	}
	var all [][]poolWindow
	for i, n := range shape[2:] {
		length, pad := pick(o.Kernel, i, 1), [2]int{}
		stride, step := pick(o.Stride, i, length), pick(o.Dilation, i, 1)
		if o.Padding != nil {
			pad = o.Padding[min(i, len(o.Padding)-1)]
		}
		var along []poolWindow
		for begin, reached := -pad[0], false; ; begin += stride {
			end := begin + (length-1)*step + 1
			if !o.Ceil && end > n+pad[1] || o.Ceil && (reached || begin >= n) {
				break
			}
			reached = end >= n+pad[1]
			var w poolWindow
			for at := begin; at < end; at += step {
				if at >= 0 && at < n {
					w.at = append(w.at, at)
				}
				if at < n+pad[1] {
					w.counted++
				}
			}
			along = append(along, w)
		}
		all = append(all, along)
	}
	return all
}

// pooledBy makes of each window one number.
func pooledBy(x grid, windows [][]poolWindow, f func(x []float64, counted int) float64) grid {
	shape := slices.Clone(x.shape[:2])
	for _, along := range windows {
		shape = append(shape, len(along))
	}
	return build(shape, func(at []int) float64 {
		places, counted := [][]int{at[:2]}, 1
		for i, along := range windows {
			w := along[at[2+i]]
			counted *= w.counted
			var longer [][]int
			for _, place := range places {
				for _, k := range w.at {
					longer = append(longer, append(slices.Clone(place), k))
				}
			}
			places = longer
		}
		var values []float64
		for _, place := range places {
			values = append(values, x.at(place...))
		}
		return f(values, counted)
	})
}

// takenWhereGreatest takes the elements of y at the places of the greatest
// elements of x, none of which occurs twice.
func takenWhereGreatest(x, y grid, o poolOptions) grid {
	z := pooledBy(x, poolWindows(x.shape, o), func(x []float64, _ int) float64 { return greatest(x) })
	for i, v := range z.data {
		z.data[i] = y.data[slices.Index(x.data, v)]
	}
	return z
}

func upsampleRow(note string, o autograd.UpsampleOptions, shape []int, more ...[]int) opRow {
	return opRow{op: "upsample", note: note, shapes: [][]int{shape}, more: single(more), lo: -3, hi: 3,
		f: one(func(x autograd.Value) autograd.Value { return x.Upsample(o) }),
		twin: func(in ...grid) grid {
			y := in[0]
			for axis := 2; axis < len(y.shape); axis++ {
				n := y.shape[axis]
				if o.Scale != nil {
					n *= o.Scale[min(axis-2, len(o.Scale)-1)]
				} else {
					n = o.Size[min(axis-2, len(o.Size)-1)]
				}
				y = resampled(y, axis, n, o)
			}
			return y
		}}
}

// resampled resamples one axis: a linear function between the elements, which
// is constant beyond the first and last, or the element that a place is in.
func resampled(x grid, axis, n int, o autograd.UpsampleOptions) grid {
	shape, from := slices.Clone(x.shape), x.shape[axis]
	shape[axis] = n
	return build(shape, func(at []int) float64 {
		element := func(i int) float64 {
			there := slices.Clone(at)
			there[axis] = min(max(i, 0), from-1)
			return x.at(there...)
		}
		place := float64(at[axis]) * float64(from) / float64(n)
		switch {
		case !o.Bilinear:
			return element(at[axis] * from / n)
		case o.AlignCorners && n == 1:
			place = 0
		case o.AlignCorners:
			place = float64(at[axis]) / float64(n-1) * float64(from-1)
		default:
			place = place + float64(from)/float64(n)/2 - 0.5
		}
		below := math.Floor(place)
		return element(int(below))*(below+1-place) + element(int(below)+1)*(place-below)
	})
}
