package kernel

// fastTiles computes tiles with the set's functions.
func (t *tapsTiles[T]) fastTiles(to, source, width, count, nextTo, nextSource int) {
	lanes := t.set.vector / t.size
	c, a, b, offsets := &t.to[to], &t.weights[0], &t.source[source], &t.offsets[0]
	var bias *T
	if t.bias != nil {
		bias = &t.bias[0]
	}
	strideTo, strideWeights := t.strideTo*t.size, t.strideWeights*t.size
	nextTo, nextSource = nextTo*t.size, nextSource*t.size
	switch {
	case width == 2*lanes:
		t.set.taps[t.height](c, a, b, offsets, bias, strideTo, strideWeights, len(t.offsets), nextTo, nextSource, count, t.accumulate)
	case width > lanes:
		t.set.tapsEdge[2][t.height](c, a, b, offsets, bias, strideTo, strideWeights, len(t.offsets), nextTo, nextSource, count, t.accumulate, width-lanes)
	default:
		t.set.tapsEdge[1][t.height](c, a, b, offsets, bias, strideTo, strideWeights, len(t.offsets), nextTo, nextSource, count, t.accumulate, width)
	}
}

// fastCompute computes a tile with the set's functions.
func (t *planesTiles[T]) fastCompute() {
	lanes := t.set.vector / t.size
	c, a, b := &t.to[0], &t.y[0], &t.x[0]
	strideC, rowA, gapA, stepB, gapB := t.strideTo*t.size, t.strideY*t.size, t.gapY*t.size, t.step*t.size, t.gapX*t.size
	switch {
	case t.width == 2*lanes:
		t.set.planes[t.height](c, a, b, strideC, rowA, t.k, t.rows, gapA, stepB, gapB, t.accumulate)
	case t.width > lanes:
		t.set.planesEdge[2][t.height](c, a, b, strideC, rowA, t.k, t.rows, gapA, stepB, gapB, t.accumulate, t.width-lanes)
	default:
		t.set.planesEdge[1][t.height](c, a, b, strideC, rowA, t.k, t.rows, gapA, stepB, gapB, t.accumulate, t.width)
	}
}

// transposeRows copies n elements of as many channels as a vector has lanes to
// places with the channels last.
func (p *weightsPiece[T]) transposeRows(dst, src []T, channel, n int) {
	p.set.transposeRows(&dst[0], &src[0], p.count*p.size, channel*p.size, n)
}
