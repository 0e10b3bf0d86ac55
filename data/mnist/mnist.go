package mnist

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"nabla/autograd"
)

// A Set is what the four files of a folder hold.
type Set struct {
	Train Part // to train on
	Test  Part // to test with, once, at the end
}

// A Part are images, and which class each of them belongs to.
type Part struct {
	Images autograd.Tensor // [n, 1, height, width] in Float32, from 0, the background, to 1, ink
	Labels autograd.Ints   // [n], from 0
}

// Read reads the four files in a folder.
//
// It returns a *[FileError] if a file is missing or wrong, if there are more or
// fewer labels than images, or if the test images have another size than those
// to train on; and the *fs.PathError of os.Open for a file that cannot be
// opened.
func Read(dir string) (Set, error) {
	var set Set
	var files [2]string
	for i, part := range []struct {
		name string
		to   *Part
	}{{"train", &set.Train}, {"t10k", &set.Test}} {
		images, err := findFile(dir, part.name+"-images", "idx3-ubyte")
		if err != nil {
			return Set{}, err
		}
		labels, err := findFile(dir, part.name+"-labels", "idx1-ubyte")
		if err != nil {
			return Set{}, err
		}
		if *part.to, err = readPart(images, labels); err != nil {
			return Set{}, err
		}
		files[i] = images
	}
	a, b := set.Train.Images.Shape(), set.Test.Images.Shape()
	if a[2] != b[2] || a[3] != b[3] {
		return Set{}, &FileError{File: files[1], Offset: 8, Reason: fmt.Sprintf("images of %d×%d, but %s has %d×%d", b[2], b[3], files[0], a[2], a[3])}
	}
	return set, nil
}

// findFile returns the path of a file by any of the names that are in use.
func findFile(dir, stem, kind string) (string, error) {
	names := []string{stem + "-" + kind, stem + "-" + kind + ".gz", stem + "." + kind, stem + "." + kind + ".gz"}
	for _, name := range names {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", &FileError{File: dir, Offset: -1, Reason: "the folder has none of " + strings.Join(names, ", "), Err: fs.ErrNotExist}
}

// readPart reads images and their labels.
func readPart(images, labels string) (Part, error) {
	y, err := ReadLabels(labels)
	if err != nil {
		return Part{}, err
	}
	x, err := ReadImages(images)
	if err != nil {
		return Part{}, err
	}
	if y.Size() != x.Dim(0) {
		return Part{}, &FileError{File: labels, Offset: 4, Reason: fmt.Sprintf("%d labels, but %s has %d images", y.Size(), images, x.Dim(0))}
	}
	return Part{Images: x, Labels: y}, nil
}

// ReadImages reads a file of images: a tensor [n, 1, height, width] in Float32.
// A byte b of the file is b/255.
func ReadImages(path string) (autograd.Tensor, error) {
	s, file, err := openIDX(path, 3)
	if err != nil {
		return autograd.Tensor{}, err
	}
	defer file.Close()
	return s.images()
}

func (s *source) images() (autograd.Tensor, error) {
	t := autograd.NewTensor32(make([]float32, s.rest), s.axes[0], 1, s.axes[1], s.axes[2])
	values := t.Raw32()
	err := s.each(func(start int, piece []byte) {
		for i, b := range piece {
			values[start+i] = float32(b) / 255
		}
	})
	if err != nil {
		return autograd.Tensor{}, err
	}
	return t, nil
}

// ReadLabels reads a file of labels.
func ReadLabels(path string) (autograd.Ints, error) {
	s, file, err := openIDX(path, 1)
	if err != nil {
		return autograd.Ints{}, err
	}
	defer file.Close()
	return s.labels()
}

func (s *source) labels() (autograd.Ints, error) {
	values := make([]int, s.rest)
	err := s.each(func(start int, piece []byte) {
		for i, b := range piece {
			values[start+i] = int(b)
		}
	})
	if err != nil {
		return autograd.Ints{}, err
	}
	return autograd.NewInts(values, len(values)), nil
}

// Take returns the numbered images and their labels, from 0, in the order
// given, copied:
//
//	parts := data.Split(rng, digits.Train.Len(), 0.9, 0.1)
//	validation := digits.Train.Take(parts[1])
//
// A number out of range panics with an *[autograd.IndexError].
func (p Part) Take(rows []int) Part {
	n := p.Len()
	for _, row := range rows {
		if row < 0 || row >= n {
			panic(autograd.NewIndexError("mnist: Part.Take", "image", row, n))
		}
	}
	shape := p.Images.Shape()
	shape[0] = len(rows)
	width := 1
	for _, size := range shape[1:] {
		width *= size
	}
	taken := autograd.NewTensor32(make([]float32, len(rows)*width), shape...)
	for i, row := range rows {
		copy(taken.Raw32()[i*width:(i+1)*width], p.Images.Raw32()[row*width:])
	}
	return Part{Images: taken, Labels: p.Labels.Take(rows...)}
}

// Len returns the number of images.
func (p Part) Len() int { return p.Images.Dim(0) }

// FashionDir is where Debian's package dataset-fashion-mnist has its files.
const FashionDir = "/usr/share/datasets/fashion-mnist"

// FashionClasses returns what the ten labels of Fashion-MNIST stand for.
func FashionClasses() []string {
	return []string{"T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"}
}
