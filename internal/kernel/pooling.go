package kernel

import "math"

// Windows say which elements along one axis belong to each result of a
// pooling. Window i has the elements First[i], First[i]+Step, …, Count[i] of
// them, at least one.
type Windows struct {
	In, Out int   // lengths of the axis
	Step    int   // from one element of a window to the next
	First   []int // of each window
	Count   []int // of each window
	Share   []int // of each window: its factor of the divisor of a mean

	// Kernel, Stride and Before describe windows at even distances, before
	// those at the ends were cut to the axis. Stride is 0 for other windows.
	Kernel, Stride, Before int
}

// Volume is the windows along three axes; a pooling over fewer has windows of
// one element along the first axes.
type Volume [3]Windows

func (v *Volume) in() int  { return v[0].In * v[1].In * v[2].In }
func (v *Volume) out() int { return v[0].Out * v[1].Out * v[2].Out }

// pooling is a pooling of planes, each of a volume of numbers, in pieces of
// some planes.
type pooling[T Float] struct {
	work   poolWork
	dst, x []T
	index  []int32
	planes int
	each   int // planes in a piece
	v      Volume
}

// A poolWork is what a pooling computes of a plane.
type poolWork uint8

const (
	poolMax poolWork = iota
	poolScatter
	poolGather
	poolAvg
	poolAvgGrad
)

func (t *pooling[T]) run(piece, _ int) {
	in, out := t.v.in(), t.v.out()
	for p := piece * t.each; p < min((piece+1)*t.each, t.planes); p++ {
		switch index := part(t.index, p*out, (p+1)*out); t.work {
		case poolMax:
			maxPool(t.dst[p*out:(p+1)*out], index, t.x[p*in:(p+1)*in], &t.v)
		case poolScatter:
			scatterPlane(t.dst[p*in:(p+1)*in], t.x[p*out:(p+1)*out], index)
		case poolGather:
			gatherPlane(t.dst[p*out:(p+1)*out], t.x[p*in:(p+1)*in], index)
		case poolAvg:
			avgPool(t.dst[p*out:(p+1)*out], t.x[p*in:(p+1)*in], &t.v)
		case poolAvgGrad:
			avgPoolGrad(t.dst[p*in:(p+1)*in], t.x[p*out:(p+1)*out], &t.v)
		}
	}
}

// shared computes the planes, with the workers where that pays.
func (t pooling[T]) shared() {
	if t.planes == 0 {
		return
	}
	size := max(t.v.in(), t.v.out())
	t.each = max(1, sharedPiece/size)
	if t.planes*size < sharedWork {
		t.each = t.planes
	}
	share(blocks(t.planes, t.each), t)
}

// MaxPool computes the greatest element of each window of each plane of x, and
// its index in the plane unless index is nil: the first of several, and the
// last NaN if there is one.
func MaxPool[T Float](dst []T, index []int32, x []T, planes int, v Volume) {
	pooling[T]{dst: dst, x: x, index: index, planes: planes, v: v}.shared()
}

// maxPool pools one plane.
func maxPool[T Float](dst []T, index []int32, x []T, v *Volume) {
	depth, height, width := &v[0], &v[1], &v[2]
	i := 0
	for d, z := range depth.First {
		for h, y := range height.First {
			for w, first := range width.First {
				at := (z*height.In+y)*width.In + first
				best, chosen := T(math.Inf(-1)), at
				for dz := range depth.Count[d] {
					for dy := range height.Count[h] {
						k := at + (dz*depth.Step*height.In+dy*height.Step)*width.In
						for range width.Count[w] {
							if e := x[k]; e > best || e != e {
								best, chosen = e, k
							}
							k += width.Step
						}
					}
				}
				dst[i] = best
				if index != nil {
					index[i] = int32(chosen)
				}
				i++
			}
		}
	}
}

// ScatterPlanes adds each element of x to that of the same plane of dst that
// the index names. The planes of x are as long as n, those of dst as m.
func ScatterPlanes[T Float](dst, x []T, index []int32, planes, n, m int) {
	var v Volume
	v.line(m, n)
	pooling[T]{work: poolScatter, dst: dst, x: x, index: index, planes: planes, v: v}.shared()
}

// line makes the volume one axis of these lengths, without windows.
func (v *Volume) line(in, out int) {
	for i := range v {
		v[i].In, v[i].Out = 1, 1
	}
	v[2].In, v[2].Out = in, out
}

func scatterPlane[T Float](dst, x []T, index []int32) {
	Fill(dst, 0)
	x = x[:len(index)]
	for i, k := range index {
		dst[k] += x[i]
	}
}

// GatherPlanes takes each element of dst from that of the same plane of x that
// the index names. The planes of dst are as long as n, those of x as m.
func GatherPlanes[T Float](dst, x []T, index []int32, planes, n, m int) {
	var v Volume
	v.line(m, n)
	pooling[T]{work: poolGather, dst: dst, x: x, index: index, planes: planes, v: v}.shared()
}

func gatherPlane[T Float](dst, x []T, index []int32) {
	dst = dst[:len(index)]
	for i, k := range index {
		dst[i] = x[k]
	}
}

// AvgPool computes the sum of each window of each plane of x, divided by the
// window's Shares.
func AvgPool[T Float](dst, x []T, planes int, v Volume) {
	pooling[T]{work: poolAvg, dst: dst, x: x, planes: planes, v: v}.shared()
}

// avgPool pools one plane. It adds up rows first, so that rounding errors grow
// with the sides of a window.
func avgPool[T Float](dst, x []T, v *Volume) {
	depth, height, width := &v[0], &v[1], &v[2]
	i := 0
	for d, z := range depth.First {
		for h, y := range height.First {
			for w, first := range width.First {
				at, sum := (z*height.In+y)*width.In+first, T(0)
				for dz := range depth.Count[d] {
					var layer T
					for dy := range height.Count[h] {
						var row T
						k := at + (dz*height.In+dy)*width.In
						for _, e := range x[k : k+width.Count[w]] {
							row += e
						}
						layer += row
					}
					sum += layer
				}
				dst[i] = sum / T(depth.Share[d]*height.Share[h]*width.Share[w])
				i++
			}
		}
	}
}

// AvgPoolGrad is the adjoint of [AvgPool]: it spreads each element of gy, whose
// planes have a result for each window, over the window's elements.
func AvgPoolGrad[T Float](dst, gy []T, planes int, v Volume) {
	pooling[T]{work: poolAvgGrad, dst: dst, x: gy, planes: planes, v: v}.shared()
}

func avgPoolGrad[T Float](dst, gy []T, v *Volume) {
	depth, height, width := &v[0], &v[1], &v[2]
	Fill(dst, 0)
	i := 0
	for d, z := range depth.First {
		for h, y := range height.First {
			for w, first := range width.First {
				at, g := (z*height.In+y)*width.In+first, gy[i]/T(depth.Share[d]*height.Share[h]*width.Share[w])
				for dz := range depth.Count[d] {
					for dy := range height.Count[h] {
						k := at + (dz*height.In+dy)*width.In
						row := dst[k : k+width.Count[w]]
						for j := range row {
							row[j] += g
						}
					}
				}
				i++
			}
		}
	}
}
