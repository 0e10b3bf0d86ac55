package images_test

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/data/images"
)

// text returns an image with a letter for each pixel: its colour's in the
// legend, or ?.
func text(img image.Image, legend map[color.RGBA]string) string {
	var b strings.Builder
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			letter, ok := legend[color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)]
			if !ok {
				letter = "?"
			}
			b.WriteString(letter)
		}
		b.WriteString("\n")
	}
	return b.String()
}

var legend = map[color.RGBA]string{
	{0, 0, 0, 255}: "#", {255, 255, 255, 255}: "o", {208, 208, 208, 255}: ".", {32, 32, 32, 255}: "x", {255, 0, 0, 255}: "r", {0, 0, 255, 255}: "b",
}

func compare(t *testing.T, img image.Image, want string) {
	t.Helper()
	want = strings.TrimPrefix(want, "\n")
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(text(img, legend), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Five images of 1×2 pixels: three in a row, and the last row is not full.
func TestSheet(t *testing.T) {
	batch := autograd.NewTensor([]float64{0, 1, 1, 0, 0, 0, 1, 1, 0, 1}, 5, 1, 1, 2)
	compare(t, images.SheetWith(batch, images.SheetOptions{Gap: 1}), `
..........
.#o.o#.##.
..........
.oo.#o....
..........
`)
	compare(t, images.SheetWith(batch, images.SheetOptions{Gap: -1, Columns: 5}), `
#oo###oo#o
`)
	compare(t, images.SheetWith(images.Batch([]autograd.Tensor{images.At(batch, 0)}), images.SheetOptions{Zoom: 2, Columns: 9}), `
........
........
..##oo..
..##oo..
........
........
`)
}

// Labels are below, and a long one makes room for itself.
func TestSheetLabels(t *testing.T) {
	batch := autograd.NewTensor([]float64{0, 1, 1, 0}, 2, 1, 1, 2)
	compare(t, images.SheetWith(batch, images.SheetOptions{Labels: []string{"7", "k5"}}), `
......................
......................
..#o........o#........
......................
..xxx.......x.x.xxx...
....x.......x.x.x.....
....x.......xx..xxx...
...x........x.x...x...
...x........x.x.xxx...
......................
......................
......................
`)
}

// Images of a sheet have one scale, or each has its own.
func TestSheetScale(t *testing.T) {
	batch := autograd.NewTensor([]float64{0, 10, 0, 100}, 2, 1, 1, 2)
	red := func(each bool) uint8 {
		sheet := images.SheetWith(batch, images.SheetOptions{Gap: -1, Scale: images.Spread, Each: each})
		return sheet.RGBAAt(1, 0).R
	}
	if red(false) != 26 || red(true) != 255 { // a tenth of 255
		t.Errorf("10 of 100 has brightness %d, 10 of 10 %d", red(false), red(true))
	}
}

// Every letter of the font is drawn as its own, in the size of the label.
func TestLettersDiffer(t *testing.T) {
	const all = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ .,:;-+=%/()[]<>!?_'\"*#°|→é"
	seen := map[string]rune{}
	for _, r := range all {
		p := images.NewPicture(autograd.Ones(1, 5, 3))
		p.Text(0, 0, string(r), color.Black)
		drawn := text(p, legend)
		if other, ok := seen[drawn]; ok {
			t.Errorf("%c and %c look the same", other, r)
		}
		seen[drawn] = r
	}
}

func TestBox(t *testing.T) {
	red := color.RGBA{255, 0, 0, 255}
	p := images.NewPicture(autograd.Zeros(1, 12, 9))
	p.Box(1, 7, 8, 12, red, "1")
	compare(t, p, `
#rrrrr###
#rrorr###
#roorr###
#rrorr###
#rrorr###
#rooor###
#rrrrr###
#rrrrrrr#
#r#####r#
#r#####r#
#r#####r#
#rrrrrrr#
`)
	// A box that is mostly outside, and one that is all outside.
	p = images.NewPictureWith(autograd.Zeros(1, 2, 2), images.PictureOptions{Zoom: 2})
	p.Box(-5, -5, 1, 1, red, "")
	p.Box(1e300, 1e300, 2e300, 2e300, red, "far")
	compare(t, p, `
#r##
rr##
####
####
`)
}

func TestMask(t *testing.T) {
	p := images.NewPictureWith(autograd.Ones(1, 2, 2), images.PictureOptions{Zoom: 2})
	classes := autograd.NewInts([]int{0, 1, 2, 0}, 2, 2)
	p.Mask(classes, []color.Color{nil, color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 255, 255}}, 1)
	compare(t, p, `
oorr
oorr
bboo
bboo
`)
	p.Mask(classes, []color.Color{nil, color.Black, nil}, 0.2)
	if got, want := p.RGBAAt(2, 0), (color.RGBA{204, 0, 0, 255}); got != want { // a fifth darker
		t.Errorf("%v, want %v", got, want)
	}
}

// Colours of a palette are as far from each other as they can be: red, green
// and blue, to begin with.
func TestPalette(t *testing.T) {
	want := []color.Color{color.RGBA{255, 0, 0, 255}, color.RGBA{0, 255, 0, 255}, color.RGBA{0, 0, 255, 255}}
	if diff := cmp.Diff(want, images.Palette(3)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	seen := map[color.Color]bool{}
	for _, c := range images.Palette(10) {
		seen[c] = true
	}
	if len(seen) != 10 || len(images.Palette(0)) != 0 {
		t.Errorf("%d of 10 colours differ", len(seen))
	}
}

// Pictures of several sizes share a sheet.
func TestArrange(t *testing.T) {
	small, large := images.NewPicture(autograd.Zeros(1, 1, 1)), images.NewPicture(autograd.Ones(1, 2, 3))
	compare(t, images.Arrange([]image.Image{small, large}, images.SheetOptions{Gap: 1, Columns: 2}), `
.........
.#...ooo.
.....ooo.
.........
`)
}
