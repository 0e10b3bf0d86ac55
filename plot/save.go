package plot

import (
	"bytes"
	"fmt"
	"image/color"
	"path/filepath"
	"regexp"
	"strings"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"nabla/autograd"
	"nabla/internal/file"
)

// Save writes a plot to a file, in the format of its extension: .png, .svg or
// .pdf. It is 600 pixels wide and 400 high. The file is written beside and
// renamed, so that it is replaced as a whole or stays as it was.
//
// The error is the file system's, or says that there is no such format.
func Save(p *gonum.Plot, path string) error { return SaveSize(p, path, 600, 400) }

// SaveSize is [Save] with a width and height in pixels, of which 96 are an
// inch. Letters keep their size. It panics with an *[autograd.ArgumentError]
// unless both are above 0.
func SaveSize(p *gonum.Plot, path string, width, height int) error {
	content, err := Encode(p, strings.TrimPrefix(strings.ToLower(filepath.Ext(path)), "."), width, height)
	if err != nil {
		return err
	}
	return file.Replace(path, content)
}

// Encode returns what [SaveSize] writes, in the format "png", "svg" or "pdf".
func Encode(p *gonum.Plot, format string, width, height int) ([]byte, error) {
	if width <= 0 || height <= 0 {
		panic(autograd.NewArgumentError("plot: Save", "a plot of %d × %d pixels", width, height))
	}
	switch format {
	case "png", "svg", "pdf":
	default:
		return nil, fmt.Errorf("plot: no format %q: there are png, svg and pdf", format)
	}
	picture, err := draw.NewFormattedCanvas(inches(width), inches(height), format)
	if err != nil {
		return nil, err
	}
	drawOn(draw.New(picture), p)
	var content bytes.Buffer
	if _, err := picture.WriteTo(&content); err != nil {
		return nil, err
	}
	switch format {
	case "pdf":
		return undated(content.Bytes()), nil
	case "svg":
		return portable(content.Bytes()), nil
	}
	return content.Bytes(), nil
}

// portable lets the pictures in an SVG fill the boxes that they are given, as
// they do in the other formats: on their own they keep their proportions. It
// also names fonts as wide as Liberation Sans, where that is not installed.
func portable(svg []byte) []byte {
	svg = bytes.ReplaceAll(svg, []byte("<image "), []byte(`<image preserveAspectRatio="none" `))
	return bytes.ReplaceAll(svg, []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
}

// margin is kept free around a plot.
const margin = vg.Length(7)

func drawOn(c draw.Canvas, p *gonum.Plot) {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	defer withoutOverflow(p)()
	p.Draw(draw.Crop(c, margin, -margin, margin, -margin))
}

// inches returns a number of pixels as a length.
func inches(pixels int) vg.Length { return vg.Length(pixels) / 96 * vg.Inch }

var dates = regexp.MustCompile(`/(CreationDate|ModDate) \(D:\d{14}`)

// undated sets the times in a PDF to the beginning of 2000, which leaves all
// lengths as they are: the same plot gives the same bytes.
func undated(pdf []byte) []byte {
	return dates.ReplaceAll(pdf, []byte("/$1 (D:20000101000000"))
}
