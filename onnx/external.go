package onnx

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"nabla/onnx/internal/message"
)

// external reads numbers that are in files beside the model's. The folder is
// opened as a root, which neither "..", an absolute path nor a symbolic link
// leaves. A nil external has no folder.
type external struct {
	root  *os.Root
	files map[string]*os.File
}

func openExternal(folder string) (*external, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("onnx: the folder of external data: %w", err)
	}
	return &external{root, map[string]*os.File{}}, nil
}

func (x *external) close() {
	if x == nil {
		return
	}
	for _, f := range x.files {
		f.Close()
	}
	x.root.Close()
}

// A part is where a tensor's numbers are in a file.
type part struct {
	location       string
	offset, length int64 // length −1: to the file's end
}

func partOf(t *message.Tensor) (part, error) {
	p := part{length: -1}
	var err error
	for _, e := range t.External {
		switch e.Key {
		case "location":
			p.location = e.Value
		case "offset":
			p.offset, err = number(e)
		case "length":
			p.length, err = number(e)
		}
		if err != nil {
			return p, err
		}
	}
	if p.location == "" {
		return p, errors.New("its external data have no location")
	}
	return p, nil
}

func number(e message.Entry) (int64, error) {
	n, err := strconv.ParseInt(e.Value, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("the %s of its external data is %q", e.Key, e.Value)
	}
	return n, nil
}

// read returns the bytes of a tensor, as many as its shape needs.
func (x *external) read(t *message.Tensor) ([]byte, error) {
	p, err := partOf(t)
	if err != nil {
		return nil, err
	}
	if x == nil {
		return nil, fmt.Errorf("its numbers are in another file, %q: use ImportFile, or ImportOptions.Folder", p.location)
	}
	f, size, err := x.open(p.location)
	if err != nil {
		return nil, fmt.Errorf("its external data: %w", err)
	}
	if p.length < 0 {
		p.length = size - p.offset
	}
	if p.offset > size || p.length > size-p.offset {
		return nil, fmt.Errorf("its external data, %d bytes from %d on, go beyond the end of %q", p.length, p.offset, p.location)
	}
	want, err := bytesOf(t)
	if err != nil {
		return nil, err
	}
	if p.length != want {
		return nil, fmt.Errorf("its external data have %d bytes instead of %d", p.length, want)
	}
	raw := make([]byte, p.length)
	if _, err := io.ReadFull(io.NewSectionReader(f, p.offset, p.length), raw); err != nil {
		return nil, fmt.Errorf("its external data: %w", err)
	}
	return raw, nil
}

// bytesOf returns how many bytes the elements of a tensor take.
func bytesOf(t *message.Tensor) (int64, error) {
	shape, err := dimensions(t.Dims)
	if err != nil {
		return 0, err
	}
	width := integerWidths[t.Elem]
	if isFloat(t.Elem) {
		_, width = bitsOf(t.Elem)
	}
	if width == 0 {
		return 0, fmt.Errorf("%s cannot be external", elemName(t.Elem))
	}
	n := int64(product(shape))
	if n > (1<<62)/int64(width) {
		return 0, fmt.Errorf("too many elements: %v", shape)
	}
	return (n*int64(width) + 7) / 8, nil
}

// open returns an ordinary file and its size.
func (x *external) open(location string) (*os.File, int64, error) {
	f, ok := x.files[location]
	if !ok {
		// A pipe or device would block, or have no end.
		info, err := x.root.Stat(location)
		if err != nil {
			return nil, 0, err
		}
		if !info.Mode().IsRegular() {
			return nil, 0, fmt.Errorf("%q is not an ordinary file", location)
		}
		if f, err = x.root.Open(location); err != nil {
			return nil, 0, err
		}
		x.files[location] = f
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	return f, info.Size(), nil
}
