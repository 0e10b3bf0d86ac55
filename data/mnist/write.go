package mnist

import (
	"encoding/binary"
	"math"
	"path/filepath"

	"nabla/autograd"
	"nabla/internal/file"
)

// Write writes a set as the four files, not packed, into a folder that exists.
// Values are rounded to the nearest of the 256 that a byte can stand for.
//
// It panics with an *[autograd.ShapeError] for images that are not [n, 1,
// height, width] or differ in number from their labels, and with an
// *[autograd.ArgumentError] for a value that is not in 0…1, such as NaN, or a
// label that is not in 0…255.
func Write(dir string, set Set) error {
	for _, part := range []struct {
		name string
		Part
	}{{"train", set.Train}, {"t10k", set.Test}} {
		images, labels := encode(part.Part)
		if err := file.Replace(filepath.Join(dir, part.name+"-images-idx3-ubyte"), images); err != nil {
			return err
		}
		if err := file.Replace(filepath.Join(dir, part.name+"-labels-idx1-ubyte"), labels); err != nil {
			return err
		}
	}
	return nil
}

// encode returns the contents of the two files.
func encode(p Part) (images, labels []byte) {
	shape := p.Images.Shape()
	if len(shape) != 4 || shape[1] != 1 {
		panic(autograd.NewShapeError("mnist: Write", "images are [n, 1, height, width]", shape))
	}
	if p.Labels.Size() != shape[0] {
		panic(autograd.NewShapeError("mnist: Write", "the images and the labels differ in number", shape, p.Labels.Shape()))
	}
	images = header(shape[0], shape[2], shape[3])
	for i, v := range p.Images.Float64s() {
		if !(v >= 0 && v <= 1) { // also true for NaN
			misuse("Write", "element %d of the images is %v, want 0 to 1", i, v)
		}
		images = append(images, byte(math.RoundToEven(v*255)))
	}
	labels = header(shape[0])
	for i, v := range p.Labels.Values() {
		if v < 0 || v > math.MaxUint8 {
			misuse("Write", "label %d is %d, want 0 to 255", i, v)
		}
		labels = append(labels, byte(v))
	}
	return images, labels
}

func header(axes ...int) []byte {
	h := []byte{0, 0, 0x08, byte(len(axes))}
	for _, n := range axes {
		h = binary.BigEndian.AppendUint32(h, uint32(n))
	}
	return h
}
