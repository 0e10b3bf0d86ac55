package kernel

// maxRank is the largest number of axes of a nest. Arrays of higher rank are
// walked along their outer axes first.
const maxRank = 8

// nest is a set of nested loops over two arrays of one shape: the sizes of its
// axes, outermost first, and each array's strides. Axes of size 1 are dropped
// and axes that both arrays run through evenly are merged, so that the
// innermost run is as long as possible.
type nest struct {
	rank    int
	size    [maxRank]int
	a, b    [maxRank]int
	count   [maxRank]int // the odometer of the axes outside the innermost two
	isEmpty bool
}

// collapse fills the nest from a shape of at most maxRank axes.
func (n *nest) collapse(shape, a, b []int) {
	for axis, size := range shape {
		last := n.rank - 1
		switch {
		case size == 1:
			continue
		case size == 0:
			n.isEmpty = true
			return
		case last >= 0 && n.a[last] == a[axis]*size && n.b[last] == b[axis]*size:
			n.size[last] *= size
		default:
			n.size[n.rank] = size
			n.rank++
			last++
		}
		n.a[last], n.b[last] = a[axis], b[axis]
	}
}

// plane returns the innermost two axes; a missing one has size 1.
func (n *nest) plane() (outer, inner, aOuter, aInner, bOuter, bInner int) {
	outer, inner = 1, 1
	if i := n.rank - 1; i >= 0 {
		inner, aInner, bInner = n.size[i], n.a[i], n.b[i]
	}
	if i := n.rank - 2; i >= 0 {
		outer, aOuter, bOuter = n.size[i], n.a[i], n.b[i]
	}
	return
}

// next moves the offsets to the next plane and reports whether there is one.
func (n *nest) next(a, b int) (int, int, bool) {
	for i := n.rank - 3; i >= 0; i-- {
		n.count[i]++
		a += n.a[i]
		b += n.b[i]
		if n.count[i] < n.size[i] {
			return a, b, true
		}
		n.count[i] = 0
		a -= n.a[i] * n.size[i]
		b -= n.b[i] * n.size[i]
	}
	return a, b, false
}

// Apply computes dst = f(x, y) over a broadcast shape. dst is contiguous;
// xStride and yStride give, for each axis of shape, how many elements x and y
// move along it, 0 where they are broadcast.
//
// dst may be x or y itself if that has dst's own layout, and may not overlap
// them otherwise.
func Apply[T Float](loops *BinaryLoops[T], dst, x, y []T, shape, xStride, yStride []int) {
	if len(shape) > maxRank {
		size := 1
		for _, n := range shape[1:] {
			size *= n
		}
		for i := range shape[0] {
			if size > 0 {
				Apply(loops, dst[i*size:(i+1)*size], x[i*xStride[0]:], y[i*yStride[0]:], shape[1:], xStride[1:], yStride[1:])
			}
		}
		return
	}
	var n nest
	n.collapse(shape, xStride, yStride)
	if n.isEmpty {
		return
	}
	applyNest(loops, &n, dst, x, y)
}

// ApplyRows is [Apply] for a y that is one row, combined with each row of x: a
// layer's bias. x has at least one row. dst may be x.
func ApplyRows[T Float](loops *BinaryLoops[T], dst, x, y []T) {
	if len(y) <= shortRow && &dst[0] != &x[0] {
		expandRows(dst, y, len(y), 0, 1)
		loops.VV(dst, x, dst)
		return
	}
	for n := len(y); len(dst) > 0; dst, x = dst[n:], x[n:] {
		loops.VV(dst[:n], x[:n], y)
	}
}

func applyNest[T Float](loops *BinaryLoops[T], n *nest, dst, x, y []T) {
	outer, inner, xOuter, xInner, yOuter, yInner := n.plane()
	isShort := outer > 1 && inner <= shortRow
	fitsX := isShort && xOuter == inner && xInner == 1
	fitsY := isShort && yOuter == inner && yInner == 1
	xOff, yOff, at := 0, 0, 0
	for more := true; more; xOff, yOff, more = n.next(xOff, yOff) {
		switch size := outer * inner; {
		case fitsX && &dst[at] != &x[xOff]:
			expandRows(dst[at:at+size], y[yOff:], inner, yOuter, yInner)
			loops.VV(dst[at:at+size], x[xOff:xOff+size], dst[at:at+size])
			at += size
			continue
		case fitsY && &dst[at] != &y[yOff]:
			expandRows(dst[at:at+size], x[xOff:], inner, xOuter, xInner)
			loops.VV(dst[at:at+size], dst[at:at+size], y[yOff:yOff+size])
			at += size
			continue
		}
		for i := range outer {
			applyRun(loops, dst[at:at+inner], x[xOff+i*xOuter:], y[yOff+i*yOuter:], xInner, yInner)
			at += inner
		}
	}
}

// shortRow is the length up to which the rows of a broadcast operand are copied
// out in full: calling a loop for each of them would take longer.
const shortRow = 32

// expandRows fills dst with the rows of a broadcast operand.
func expandRows[T Float](dst, x []T, inner, xOuter, xInner int) {
	switch {
	case xOuter == 0:
		gatherRun(dst[:inner], x, xInner)
		for done := inner; done < len(dst); done *= 2 {
			copy(dst[done:], dst[:done])
		}
	case xInner == 0:
		for i := 0; len(dst) > 0; i += xOuter {
			v := x[i]
			for j := range dst[:inner] {
				dst[j] = v
			}
			dst = dst[inner:]
		}
	default:
		for i := 0; len(dst) > 0; i += xOuter {
			gatherRun(dst[:inner], x[i:], xInner)
			dst = dst[inner:]
		}
	}
}

// applyRun computes one innermost run. An operand that is neither contiguous
// nor constant is first gathered into dst.
func applyRun[T Float](loops *BinaryLoops[T], dst, x, y []T, xStride, yStride int) {
	n := len(dst)
	switch {
	case n == 1, xStride == 1 && yStride == 1:
		loops.VV(dst, x[:n], y[:n])
	case xStride == 1 && yStride == 0:
		loops.VS(dst, x[:n], y[0])
	case xStride == 0 && yStride == 1:
		loops.SV(dst, x[0], y[:n])
	case xStride == 0 && yStride == 0:
		loops.VV(dst[:1], x[:1], y[:1])
		Fill(dst[1:], dst[0])
	case xStride == 0:
		gatherRun(dst, y, yStride)
		loops.SV(dst, x[0], dst)
	case yStride == 0:
		gatherRun(dst, x, xStride)
		loops.VS(dst, dst, y[0])
	case xStride == 1 && &dst[0] != &x[0]:
		gatherRun(dst, y, yStride)
		loops.VV(dst, x[:n], dst)
	case yStride == 1 && &dst[0] != &y[0]:
		gatherRun(dst, x, xStride)
		loops.VV(dst, dst, y[:n])
	default:
		for i := range n {
			loops.VV(dst[i:i+1], x[i*xStride:i*xStride+1], y[i*yStride:i*yStride+1])
		}
	}
}

func gatherRun[T Float](dst, x []T, stride int) {
	for i := range dst {
		dst[i] = x[i*stride]
	}
}
