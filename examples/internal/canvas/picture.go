package canvas

import (
	"image"
	"image/color"
	"strconv"

	"nabla/autograd"
	"nabla/data/images"
	"nabla/metrics"
)

const (
	zoom    = 5
	classes = 10
)

// DrawBoxes returns the first images [n, 1, height, width], at most so many,
// with the boxes found on them whose score is at least sure.
func DrawBoxes(all autograd.Tensor, found metrics.Detections, most int, sure float64) image.Image {
	palette := images.Palette(classes)
	pictures := make([]image.Image, min(most, all.Dim(0)))
	for i := range pictures {
		p := images.NewPictureWith(images.At(all, i), images.PictureOptions{Zoom: zoom})
		for k, class := range found.Classes.Values() {
			if found.Images.Values()[k] == i && found.Scores.At(k) >= sure {
				at := func(edge int) float64 { return found.Boxes.At(k, edge) }
				p.Box(at(0), at(1), at(2), at(3), palette[class], strconv.Itoa(class))
			}
		}
		pictures[i] = p
	}
	return images.Arrange(pictures, images.SheetOptions{Columns: 6})
}

// DrawMasks returns the first images [n, 1, height, width], at most so many,
// under their masks [n, height, width], and below them under those found.
func DrawMasks(all autograd.Tensor, actual, found autograd.Ints, most int) image.Image {
	palette := append([]color.Color{nil}, images.Palette(classes)...)
	most = min(most, all.Dim(0))
	var pictures []image.Image
	for _, masks := range []autograd.Ints{actual, found} {
		for i := range most {
			p := images.NewPictureWith(images.At(all, i), images.PictureOptions{Zoom: zoom})
			p.Mask(masks.Take(i).Reshape(all.Dim(2), all.Dim(3)), palette, 0.6)
			pictures = append(pictures, p)
		}
	}
	return images.Arrange(pictures, images.SheetOptions{Columns: most})
}
