package kernel

import "unsafe"

// The gradient of a convolution's weights is a sum over images and places:
//
//	dst[o][i, j] = Σ y[o][r] · x[i][r·step + shift j]
//
// Here too no matrix of windows is formed. The images are copied with zeros
// around and their channels last. Then what the taps of one row of the kernel
// meet at a place is contiguous, and a place's step leads to the next one.

// ConvWeights is the gradient of the weights, for the images x and the gradient
// y of the maps.
func ConvWeights[T Float](dst, x, y []T, c Convolution) {
	if c.isDepthwise() {
		depthwiseGrad(dst, x, y, c)
		return
	}
	weightsBy(convKernelsOf[T](), dst, x, y, &c)
}

// weightsBy computes the gradient with one set's functions.
func weightsBy[T Float](set *convKernels[T], dst, x, y []T, c *Convolution) {
	if len(dst) == 0 {
		return
	}
	if c.Batch*c.mapSize() == 0 {
		clear(dst)
		return
	}
	free := freeListOf[weightsGradient[T]]()
	t := free.get() // the workers need it on the heap, and its memory is used again
	t.dst, t.x, t.y, t.c = dst, x, y, *c
	t.plan(set)
	if pieces := c.Groups * t.blocks() * t.chunks; c.products()*t.size < largeBytes {
		for piece := range pieces {
			t.run(piece, 0)
		}
	} else {
		parallel(pieces, t)
	}
	t.collect()
	t.dst, t.x, t.y = nil, nil, nil
	free.put(t)
}

// weightsGradient is a gradient of weights in progress. Its pieces are a group,
// a block of channels at one depth of the kernel, and a chunk of the batch.
type weightsGradient[T Float] struct {
	dst, x, y           []T
	c                   Convolution
	set                 *convKernels[T] // nil if portable
	size, lanes, height int

	chunks, images int // of the batch, and in a chunk
	channels       int // in a block
	rows, columns  int // places of a copied part
	sums           []T // of the chunks
	memory         scratch
}

// The sizes of a piece: places for which a tile adds up its sums in registers,
// and bytes of the sums of all chunks.
const (
	tilePlaces = 512
	sumBytes   = 4 << 20
	mostChunks = 8
)

// plan cuts the work.
func (t *weightsGradient[T]) plan(set *convKernels[T]) {
	t.set, t.size = set, int(unsafe.Sizeof(*new(T)))
	t.lanes, t.height = 1, 1
	if set != nil {
		t.lanes, t.height = set.vector/t.size, set.height
	}
	c := &t.c
	t.chunks = max(1, min(c.Batch, mostChunks, sumBytes/(len(t.dst)*t.size), c.products()/pieceProducts))
	t.images = blocks(c.Batch, t.chunks)
	t.chunks = blocks(c.Batch, t.images)
	t.sums = grown(t.sums, t.chunks*len(t.dst))
	t.channels, t.rows, t.columns = c.inGroup(), c.Axes[1].Map, c.Axes[2].Map
	for t.copied()*t.size > copiedBytes {
		switch {
		case t.channels > 32:
			t.channels = roundUp(blocks(t.channels, 2), 16)
		case t.rows > 1:
			t.rows = blocks(t.rows, 2)
		case t.columns > 16:
			t.columns = blocks(t.columns, 2)
		case t.channels > 1:
			t.channels = blocks(t.channels, 2)
		default:
			return
		}
	}
}

// reach is how many elements of the image n places meet along an axis, with all
// between.
func (a *ConvolutionAxis) reach(n int) int { return (n-1)*a.Stride + (a.Kernel-1)*a.Dilation + 1 }

// copied is the numbers of a copied part.
func (t *weightsGradient[T]) copied() int {
	return t.c.Axes[1].reach(t.rows) * t.c.Axes[2].reach(t.columns) * t.channels
}

// inDepth is the number of blocks of channels at one depth of the kernel, and
// blocks that at all.
func (t *weightsGradient[T]) inDepth() int { return blocks(t.c.inGroup(), t.channels) }
func (t *weightsGradient[T]) blocks() int  { return t.inDepth() * t.c.Axes[0].Kernel }

// run computes a piece; it is a task's method.
func (t *weightsGradient[T]) run(piece, worker int) {
	chunk, piece := piece%t.chunks, piece/t.chunks
	p := weightsPiece[T]{weightsGradient: t, group: piece / t.blocks(), depth: piece % t.blocks() / t.inDepth()}
	p.first = piece % t.inDepth() * t.channels
	p.count = min(t.channels, t.c.inGroup()-p.first)
	p.sums = t.sums[chunk*len(t.dst)+t.sumsOf(p.group, p.depth, p.first):]
	p.copy = hold[T](memoryOf(worker, &t.memory), t.copied()+t.lanes*t.channels)
	h, w := t.c.Axes[1].Map, t.c.Axes[2].Map
	for p.image = chunk * t.images; p.image < min((chunk+1)*t.images, t.c.Batch); p.image++ {
		for p.place = range t.c.Axes[0].Map {
			for p.row = 0; p.row < h; p.row += t.rows {
				for p.column = 0; p.column < w; p.column += t.columns {
					p.copyImage()
					p.compute(min(t.rows, h-p.row), min(t.columns, w-p.column))
				}
			}
		}
	}
}

// sumsOf returns where the sums of a block begin. They are in the order of its
// output channels, the places of the kernel, and its channels.
func (t *weightsGradient[T]) sumsOf(group, depth, first int) int {
	plane := t.c.Axes[1].Kernel * t.c.Axes[2].Kernel * t.c.outGroup()
	return ((group*t.c.Axes[0].Kernel+depth)*t.c.inGroup() + first) * plane
}

// weightsPiece is a piece that a worker computes.
type weightsPiece[T Float] struct {
	*weightsGradient[T]
	group, depth int
	first, count int // the block of channels
	image, place int // place in depth
	row, column  int // the first places of the copied part
	copy, sums   []T
	started      bool
}

// copyImage copies what the taps meet of the image, channels last.
func (p *weightsPiece[T]) copyImage() {
	d, h, w := &p.c.Axes[0], &p.c.Axes[1], &p.c.Axes[2]
	slice := p.place*d.Stride - d.Before + p.depth*d.Dilation
	rows, pitch := h.reach(min(p.rows, h.Map-p.row)), w.reach(min(p.columns, w.Map-p.column))
	row, column := p.row*h.Stride-h.Before, p.column*w.Stride-w.Before
	if slice < 0 || slice >= d.Image {
		clear(p.copy[:rows*pitch*p.count])
		return
	}
	before := min(pitch, max(0, -column))
	end := max(before, min(pitch, w.Image-column))
	channel := p.c.imageSize()
	source := p.x[(p.image*p.c.In+p.group*p.c.inGroup()+p.first)*channel+slice*h.Image*w.Image:]
	for r := range rows {
		line := p.copy[r*pitch*p.count:][:pitch*p.count]
		at := row + r
		if at < 0 || at >= h.Image || before == end {
			clear(line)
			continue
		}
		p.channelsLast(p.copy[(r*pitch+before)*p.count:], source[at*w.Image+column+before:], channel, end-before)
		clear(line[:before*p.count])
		clear(line[end*p.count:])
	}
}

// channelsLast copies a row of n elements of each channel. Vectors may spoil
// what is behind.
func (p *weightsPiece[T]) channelsLast(dst, src []T, channel, n int) {
	done := 0
	if p.set != nil {
		for ; done+p.lanes <= p.count; done += p.lanes {
			p.transposeRows(dst[done:], src[done*channel:], channel, n)
		}
		if done > 0 && done < p.count {
			done = p.count
			p.transposeRows(dst[done-p.lanes:], src[(done-p.lanes)*channel:], channel, n)
		}
	}
	for i := done; i < p.count; i++ {
		at := i
		for _, v := range src[i*channel:][:n] {
			dst[at] = v
			at += p.count
		}
	}
}

// compute adds the copied part to the sums.
func (p *weightsPiece[T]) compute(rows, columns int) {
	h, w := &p.c.Axes[1], &p.c.Axes[2]
	pitch := w.reach(columns)
	t := planesTiles[T]{
		set: p.set, size: p.size, k: columns, gapY: w.Map - columns, step: w.Stride * p.count,
		gapX:     (h.Stride*pitch - columns*w.Stride) * p.count,
		strideTo: h.Kernel * w.Kernel * p.count, strideY: p.c.mapSize(),
	}
	together, apart := w.Kernel, 1 // taps whose channels are contiguous, and how many times that is
	if w.Dilation > 1 {
		together, apart = 1, w.Kernel
	}
	width, few := together*p.count, max(1, tilePlaces/columns)
	strip := width
	if p.set != nil {
		strip = 2 * p.lanes
	}
	y := p.y[((p.image*p.c.Out+p.group*p.c.outGroup())*p.c.Axes[0].Map+p.place)*h.Map*w.Map+p.row*w.Map+p.column:]
	for r := 0; r < rows; r += few {
		t.rows, t.accumulate = min(few, rows-r), p.started
		p.started = true
		for tap := range h.Kernel * apart {
			x := p.copy[((r*h.Stride+tap/apart*h.Dilation)*pitch+tap%apart*w.Dilation)*p.count:]
			for j := 0; j < width; j += strip {
				t.x, t.width = x[j:], min(strip, width-j)
				for i := 0; i < p.c.outGroup(); i += t.height {
					t.height = evenHeight(p.c.outGroup()-i, p.height)
					t.to, t.y = p.sums[i*t.strideTo+tap*width+j:], y[i*t.strideY+r*w.Map:]
					t.compute()
				}
			}
		}
	}
}

// evenHeight returns the height of the next tile if left rows are left. Two
// tiles of medium height are faster than a full one and a low one.
func evenHeight(left, most int) int {
	if most < left && left <= most+most/2 {
		return (left + 1) / 2
	}
	return min(most, left)
}

// collect adds up the chunks in order, and writes the sums in the order of the
// weights.
func (t *weightsGradient[T]) collect() {
	sums := t.sums[:len(t.dst)]
	for i := 1; i < t.chunks; i++ {
		Accumulate(sums, t.sums[i*len(t.dst):][:len(t.dst)])
	}
	c := &t.c
	plane, kernel := c.Axes[1].Kernel*c.Axes[2].Kernel, c.kernelSize()
	for group := range c.Groups {
		for depth := range c.Axes[0].Kernel {
			for first := 0; first < c.inGroup(); first += t.channels {
				count := min(t.channels, c.inGroup()-first)
				shape := [...]int{c.outGroup(), count, plane}
				to, from := [...]int{c.inGroup() * kernel, kernel, 1}, [...]int{plane * count, 1, count}
				at := (group*c.outGroup()*c.inGroup()+first)*kernel + depth*plane
				walk(t.dst, sums, shape[:], at, to[:], t.sumsOf(group, depth, first), from[:])
			}
		}
	}
}

// planesTiles are tiles of the sums over some rows of places.
type planesTiles[T Float] struct {
	set                 *convKernels[T]
	size, height, width int
	to, y, x            []T
	strideTo, strideY   int
	k, rows             int // places
	gapY, step, gapX    int
	accumulate          bool
}

// compute computes one tile.
func (t *planesTiles[T]) compute() {
	if t.set != nil {
		t.fastCompute()
		return
	}
	for i := range t.height {
		row, y, x := t.to[i*t.strideTo:][:t.width], i*t.strideY, 0
		if !t.accumulate {
			clear(row)
		}
		for range t.rows {
			for range t.k {
				axpy(row, t.y[y], t.x[x:][:t.width])
				y, x = y+1, x+t.step
			}
			y, x = y+t.gapY, x+t.gapX
		}
	}
}
