package plot

import (
	"image"
	"math"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"nabla/autograd"
	"nabla/data/images"
)

// Sheet draws a batch of images [n, channels, height, width] as a contact
// sheet, row by row, with a text below each if there are labels. The numbers
// are bright from 0 to 1; of one channel that leaves this range, as filters do,
// negative numbers are blue and positive ones red.
//
// It panics as [images.SheetWith] does; that function makes the same picture
// pixel by pixel, in a size of its own, with more options.
func Sheet(batch autograd.Tensor, labels ...string) *gonum.Plot {
	const op = "plot: Sheet"
	if batch.Rank() != 4 || batch.Dim(0) == 0 {
		panic(autograd.NewShapeError(op, "a batch of images is [n, channels, height, width]", batch.Shape()))
	}
	if len(labels) != 0 && len(labels) != batch.Dim(0) {
		panic(autograd.NewShapeError(op, "there is not one label for each image", batch.Shape(), []int{len(labels)}))
	}
	options := images.SheetOptions{Columns: 1, Gap: -1}
	if lo, hi := rangeOf(batch.Float64s()); batch.Dim(1) == 1 && (lo < 0 || hi > 1) {
		options.Scale = images.Diverging
	}
	s := &sheet{columns: columnsFor(batch), aspect: float64(batch.Dim(2)) / float64(batch.Dim(3)), labels: labels}
	strip, height := images.SheetWith(batch, options), batch.Dim(2)
	for i := range batch.Dim(0) {
		s.pictures = append(s.pictures, strip.SubImage(image.Rect(0, i*height, batch.Dim(3), (i+1)*height)).(*image.RGBA))
	}
	p := New()
	p.HideAxes()
	p.X.Padding, p.Y.Padding = 0, 0
	s.style = p.X.Tick.Label
	s.style.XAlign, s.style.YAlign = draw.XCenter, draw.YTop
	p.Add(s)
	return p
}

// columnsFor returns how many images stand in a row of a sheet that is 3 wide
// and 2 high.
func columnsFor(batch autograd.Tensor) int {
	n, aspect := float64(batch.Dim(0)), float64(batch.Dim(2))/float64(max(1, batch.Dim(3)))
	return max(1, min(batch.Dim(0), int(math.Ceil(math.Sqrt(1.5*n*aspect)))))
}

type sheet struct {
	pictures []*image.RGBA
	labels   []string
	columns  int
	aspect   float64 // the height of an image, in widths
	style    draw.TextStyle
}

// Plot draws the images as large as there is room.
func (s *sheet) Plot(c draw.Canvas, _ *gonum.Plot) {
	const gap = vg.Length(4)
	rows := (len(s.pictures) + s.columns - 1) / s.columns
	text := vg.Length(0)
	if len(s.labels) > 0 {
		text = s.style.FontExtents().Height + 2
	}
	size := c.Size()
	width := min((size.X-gap*vg.Length(s.columns-1))/vg.Length(s.columns),
		(size.Y-(gap+text)*vg.Length(rows)+gap)/vg.Length(rows)/vg.Length(s.aspect))
	zoom := max(1, 256/max(1, s.pictures[0].Rect.Dx(), s.pictures[0].Rect.Dy()))
	size = s.place(c, width, gap, gap+text, zoom)
	corner := vg.Point{X: c.Center().X - size.X/2, Y: c.Max.Y}
	for i, label := range s.labels {
		c.FillText(s.style, vg.Point{
			X: corner.X + vg.Length(i%s.columns)*(width+gap) + width/2,
			Y: corner.Y - vg.Length(i/s.columns)*(width*vg.Length(s.aspect)+gap+text) - width*vg.Length(s.aspect) - 1,
		}, label)
	}
}

// place draws all images, width wide and so far apart, as one picture: of
// several, a PDF has no fixed order. It returns the picture's size. Each pixel
// becomes zoom wide, so that it stays sharp where the canvas interpolates.
func (s *sheet) place(c draw.Canvas, width, beside, below vg.Length, zoom int) vg.Point {
	one := s.pictures[0].Rect
	scale := vg.Length(one.Dx()*zoom) / width // pixels in a point
	step := image.Pt(one.Dx()*zoom+int(math.Round(float64(beside*scale))), one.Dy()*zoom+int(math.Round(float64(below*scale))))
	rows := (len(s.pictures) + s.columns - 1) / s.columns
	whole := image.NewRGBA(image.Rect(0, 0, (s.columns-1)*step.X+one.Dx()*zoom, (rows-1)*step.Y+one.Dy()*zoom))
	for i := range whole.Pix {
		whole.Pix[i] = 255
	}
	for i, picture := range s.pictures {
		corner := image.Pt(i%s.columns*step.X, i/s.columns*step.Y)
		for y := range one.Dy() * zoom {
			for x := range one.Dx() * zoom {
				whole.SetRGBA(corner.X+x, corner.Y+y, picture.RGBAAt(picture.Rect.Min.X+x/zoom, picture.Rect.Min.Y+y/zoom))
			}
		}
	}
	size := vg.Point{X: vg.Length(whole.Rect.Dx()) / scale, Y: vg.Length(whole.Rect.Dy()) / scale}
	left := c.Center().X - size.X/2
	c.DrawImage(vg.Rectangle{Min: vg.Point{X: left, Y: c.Max.Y - size.Y}, Max: vg.Point{X: left + size.X, Y: c.Max.Y}}, whole)
	return size
}
