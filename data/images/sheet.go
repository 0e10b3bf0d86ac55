package images

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"nabla/autograd"
)

// SheetOptions are what [Sheet] leaves at its defaults.
type SheetOptions struct {
	Columns int      // images in a row; 0: as many as there are rows, about
	Zoom    int      // how many pixels high and wide a pixel becomes; 0: 1
	Gap     int      // pixels between images; 0: 2, negative: none
	Labels  []string // a text for below each image; nil: none
	Scale   Scale    // of the numbers
	Each    bool     // gives each image a scale of its own, not all of them one
}

// Sheet returns the images of a batch [n, channels, height, width], row by row,
// as one.
//
// It panics with an *[autograd.ShapeError] unless the batch has 1, 3 or 4
// channels; filters [out, in, height, width] are images of one channel once
// they are reshaped to [out·in, 1, height, width]. It panics with an
// *[autograd.ArgumentError] if there are no images.
func Sheet(batch autograd.Tensor) *image.RGBA { return SheetWith(batch, SheetOptions{}) }

// SheetWith is [Sheet] with other options. It also panics with an
// *[autograd.ArgumentError] if Columns or Zoom is negative, or if there are
// more or fewer Labels than images.
func SheetWith(batch autograd.Tensor, options SheetOptions) *image.RGBA {
	const op = "Sheet"
	shape := batch.Shape()
	if len(shape) != 4 || shape[1] != 1 && shape[1] != 3 && shape[1] != 4 {
		panic(autograd.NewShapeError("images: "+op, "a batch of images is [n, channels, height, width] with 1, 3 or 4 channels", shape))
	}
	values := batch.Float64s()
	size := shape[1] * shape[2] * shape[3]
	pictures := make([]image.Image, shape[0])
	common := newTones(op, options.Scale, shape[1], values)
	for i := range pictures {
		own := values[i*size : (i+1)*size]
		tones := common
		if options.Each {
			tones = newTones(op, options.Scale, shape[1], own)
		}
		pictures[i] = tones.draw(own, shape[2], shape[3])
	}
	return arrange(op, pictures, options)
}

// Arrange returns images of any size, such as Pictures, row by row, as one.
// Scale and Each have no meaning for them. It panics with an
// *[autograd.ArgumentError] as [SheetWith] does.
func Arrange(pictures []image.Image, options SheetOptions) *image.RGBA {
	return arrange("Arrange", pictures, options)
}

var (
	paper = color.RGBA{208, 208, 208, 255} // neither black nor white, so that edges show
	ink   = color.RGBA{32, 32, 32, 255}
)

func arrange(op string, pictures []image.Image, options SheetOptions) *image.RGBA {
	n := len(pictures)
	if n == 0 {
		misuse(op, "there are no images")
	}
	if options.Columns < 0 {
		misuse(op, "Columns is %d", options.Columns)
	}
	if options.Labels != nil && len(options.Labels) != n {
		misuse(op, "%d labels for %d images", len(options.Labels), n)
	}
	zoom := zoomOf(op, options.Zoom)
	columns := options.Columns
	if columns == 0 {
		columns = int(math.Ceil(math.Sqrt(float64(n))))
	}
	columns = min(columns, n)
	gap := max(0, options.Gap)
	if options.Gap == 0 {
		gap = 2
	}
	cell, letter := cellOf(pictures, options.Labels, zoom)
	step := cell.Add(image.Pt(gap, gap))
	sheet := image.NewRGBA(image.Rect(0, 0, gap+columns*step.X, gap+(n+columns-1)/columns*step.Y))
	draw.Draw(sheet, sheet.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	for i, p := range pictures {
		corner := image.Pt(gap+i%columns*step.X, gap+i/columns*step.Y)
		large := enlarge(p, zoom)
		draw.Draw(sheet, large.Rect.Add(corner), large, image.Point{}, draw.Src)
		if options.Labels != nil {
			drawText(sheet, corner.X, corner.Y+cell.Y-(letterHeight+1)*letter, letter, options.Labels[i], ink)
		}
	}
	return sheet
}

// cellOf returns the space that the largest picture and the longest label take,
// and the size of a letter's pixels: larger below large pictures.
func cellOf(pictures []image.Image, labels []string, zoom int) (cell image.Point, letter int) {
	for _, p := range pictures {
		cell.X, cell.Y = max(cell.X, p.Bounds().Dx()*zoom), max(cell.Y, p.Bounds().Dy()*zoom)
	}
	letter = 1
	if cell.X >= 64 {
		letter = 2
	}
	for _, label := range labels {
		cell.X = max(cell.X, textWidth(label, letter))
	}
	if labels != nil {
		cell.Y += (letterHeight + 2) * letter
	}
	return cell, letter
}
