package plot

import (
	"image"
	"math"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The differences of large numbers overflow, and the halves of small ones are
// 0: these take halves where they must, and nowhere else.

// partOf returns where v lies between lo and hi: 0 at lo, 1 at hi.
func partOf(lo, hi, v float64) float64 {
	if width := hi - lo; !math.IsInf(width, 0) {
		return (v - lo) / width
	}
	return (v/2 - lo/2) / (hi/2 - lo/2)
}

// along returns the number at a part of the way from lo to hi, and no infinity
// beyond these either.
func along(lo, hi, part float64) float64 {
	v := lo + part*(hi-lo)
	if math.IsInf(hi-lo, 0) {
		v = 2 * (lo/2 + part*(hi/2-lo/2))
	}
	return max(-math.MaxFloat64, min(math.MaxFloat64, v))
}

// wide is the scale of an axis whose length overflows.
type wide struct{}

func (wide) Normalize(lo, hi, v float64) float64 { return partOf(lo, hi, v) }

// withoutOverflow lets the axes of a plot be drawn that are so long, until the
// function returned is called.
func withoutOverflow(p *gonum.Plot) (restore func()) {
	x, y := p.X.Scale, p.Y.Scale
	for _, axis := range []*gonum.Axis{&p.X, &p.Y} {
		if _, ok := axis.Scale.(gonum.LinearScale); ok && math.IsInf(axis.Max-axis.Min, 0) {
			axis.Scale = wide{}
		}
	}
	return func() { p.X.Scale, p.Y.Scale = x, y }
}

// farOutside is how many lengths of an axis away from it things are drawn at
// most. Drawing takes the longer the farther they are, and as good as for ever
// for what lies at the largest numbers beside an axis of small ones.
const farOutside = 50

// transforms are those of the plot, but for what lies far outside.
func transforms(c *draw.Canvas, p *gonum.Plot) (x, y func(v float64) vg.Length) {
	return transformsWithin(farOutside, c, p)
}

// transformsWithin keep all within so many lengths of the axes.
func transformsWithin(lengths float64, c *draw.Canvas, p *gonum.Plot) (x, y func(v float64) vg.Length) {
	near := func(axis *gonum.Axis, v float64) float64 {
		return max(-lengths, min(1+lengths, axis.Norm(v)))
	}
	x = func(v float64) vg.Length { return c.X(near(&p.X, v)) }
	y = func(v float64) vg.Length { return c.Y(near(&p.Y, v)) }
	return x, y
}

// A picture fills a rectangle of the axes.
type picture struct {
	image     *image.RGBA
	low, high [2]float64
}

// Plot draws the picture, or of one that goes beyond the axes what is on them.
func (f picture) Plot(c draw.Canvas, p *gonum.Plot) {
	size := f.image.Bounds().Size()
	shown, columns := across(&p.X, f.low[0], f.high[0], size.X)
	upright, rows := across(&p.Y, f.low[1], f.high[1], size.Y)
	if columns == nil || rows == nil {
		return
	}
	all := f.image
	if columns[0] > 0 || columns[size.X-1] < size.X-1 || rows[0] > 0 || rows[size.Y-1] < size.Y-1 {
		all = image.NewRGBA(f.image.Rect)
		for y, row := range rows {
			for x, column := range columns {
				all.SetRGBA(x, size.Y-1-y, f.image.RGBAAt(column, size.Y-1-row))
			}
		}
	}
	c.DrawImage(vg.Rectangle{
		Min: vg.Point{X: c.X(shown[0]), Y: c.Y(upright[0])},
		Max: vg.Point{X: c.X(shown[1]), Y: c.Y(upright[1])},
	}, all)
}

// across returns what part of an axis n pixels from low to high cover, and of
// that part which pixel is at each of n places; none if they cover nothing.
func across(axis *gonum.Axis, low, high float64, n int) (part [2]float64, pixels []int) {
	part = [2]float64{max(0, axis.Norm(low)), min(1, axis.Norm(high))}
	if !(part[0] < part[1]) {
		return part, nil
	}
	first, last := max(0, partOf(low, high, axis.Min)), min(1, partOf(low, high, axis.Max))
	pixels = make([]int, n)
	for i := range pixels {
		at := along(first, last, (float64(i)+0.5)/float64(n))
		pixels[i] = max(0, min(n-1, int(at*float64(n))))
	}
	return part, pixels
}

func (f picture) DataRange() (xmin, xmax, ymin, ymax float64) {
	return f.low[0], f.high[0], f.low[1], f.high[1]
}
