package images_test

import (
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"os"
	"path/filepath"

	"nabla/autograd"
	"nabla/data/images"
	"nabla/train"
)

func Example() {
	dir, err := os.MkdirTemp("", "images")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "leaf.png")
	leaf := autograd.NewTensor([]float64{0, 0.2, 0.4, 0.6, 0.8, 1}, 1, 2, 3)
	if err := images.WriteFile(path, images.ToImage(leaf)); err != nil {
		fmt.Println(err)
		return
	}
	if err := flip(path, dir); err != nil {
		fmt.Println(err)
	}
	// Output:
	// [1 2 3] [0 0.2 0.4 0.6 0.8 1]
	// [1 2 3] [0.4 0.2 0 1 0.8 0.6]
}

func flip(path, dir string) error {
	rng := rand.New(rand.NewPCG(1, 0))
	photo, err := images.ReadFile(path) // [channels, height, width]
	if err != nil {
		return err
	}
	flipped := photo.Clone()
	images.NewAugmenter(images.Flip(1)).Apply(rng, flipped)
	both := images.Batch([]autograd.Tensor{photo, flipped}) // [2, channels, height, width]
	sheet := images.SheetWith(both, images.SheetOptions{Zoom: 4, Labels: []string{"leaf", "flipped"}})
	if err := images.WriteFile(filepath.Join(dir, "leaves.png"), sheet); err != nil {
		return err
	}
	fmt.Println(photo.Shape(), photo.Raw32())
	fmt.Println(flipped.Shape(), flipped.Raw32())
	return nil
}

// An image beside what a network found in it: boxes, and a class for each
// pixel.
func ExamplePicture() {
	canvas := autograd.Full(0.2, 1, 8, 8)
	found := images.NewPictureWith(canvas, images.PictureOptions{Zoom: 8})
	found.Box(1, 2, 5, 7, color.RGBA{255, 160, 0, 255}, "7 98%")
	classes := autograd.NewInts(make([]int, 64), 8, 8)
	classes.Values()[3*8+2] = 1
	masked := images.NewPictureWith(canvas, images.PictureOptions{Zoom: 8})
	masked.Mask(classes, append([]color.Color{nil}, images.Palette(10)...), 0.5)
	sheet := images.Arrange([]image.Image{found, masked}, images.SheetOptions{Labels: []string{"boxes", "classes"}})
	fmt.Println(sheet.Bounds())
	// Output: (0,0)-(134,82)
}

// Filters are drawn on a scale around 0, and each beside the others.
func ExampleSheetWith() {
	rng := rand.New(rand.NewPCG(1, 0))
	weights := autograd.Normal(rng, 0, 0.1, 16, 6, 5, 5) // [out, in, height, width]
	filters := weights.Reshape(16*6, 1, 5, 5)
	sheet := images.SheetWith(filters, images.SheetOptions{Columns: 16, Zoom: 4, Scale: images.Diverging})
	fmt.Println(sheet.Bounds())
	// Output: (0,0)-(354,134)
}

// Images and their masks move together.
func ExampleAugmenter_ApplyMasked() {
	rng := rand.New(rand.NewPCG(1, 0))
	augmenter := images.NewAugmenter(images.Flip(1), images.Noise(0.1))
	x := autograd.Zeros(1, 1, 2, 2)
	classes := autograd.NewInts([]int{1, 0, 0, 2}, 1, 2, 2)
	batch := train.Data{Inputs: x, Labels: classes}
	augmenter.ApplyMasked(rng, batch.Inputs, batch.Labels)
	fmt.Println(classes.Values())
	// Output: [0 1 2 0]
}
