package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"nabla/autograd"
)

// A File is a safetensors file that is open for reading. Everything in its
// header has been checked against the file's length, so no number in it makes
// a reader take more memory than the file is long, but for what numbers are
// widened to: float32, and for Ints an int for each.
type File struct {
	path   string
	reader io.ReaderAt
	closer io.Closer
	header *header
	byName map[string]*Info
}

// Open opens a safetensors file and reads its header. It returns a
// *[FormatError] if the file is none, or cut short.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	opened, err := open(path, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	opened.closer = f
	return opened, nil
}

func open(path string, f *os.File) (*File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, &FormatError{Path: path, Reason: "not a file with a length"}
	}
	return newFile(path, f, info.Size())
}

func newFile(path string, r io.ReaderAt, size int64) (*File, error) {
	h, err := readHeader(r, size)
	if err != nil {
		return nil, failure(path, err)
	}
	f := &File{path: path, reader: r, header: h, byName: map[string]*Info{}}
	for i := range h.infos {
		f.byName[h.infos[i].Name] = &h.infos[i]
	}
	return f, nil
}

// failure returns the error of reading a file: it says so if the system failed,
// else what is wrong with the file.
func failure(path string, err error) error {
	var system *os.PathError
	switch {
	case errors.As(err, &system):
		return fmt.Errorf("checkpoint: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("cut short")
	}
	return &FormatError{Path: path, Reason: err.Error()}
}

// Close closes the file.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// Tensors returns what there is, in the order of the file.
func (f *File) Tensors() []Info {
	all := slices.Clone(f.header.infos)
	for i := range all {
		all[i].Shape = slices.Clone(all[i].Shape)
	}
	return all
}

// Metadata returns the texts that the file has beside its tensors.
func (f *File) Metadata() map[string]string { return maps.Clone(f.header.metadata) }

// Tensor reads the tensor of that name: F64 as float64, and F32, F16 and BF16
// as float32, which has all of their numbers. It returns a *[FormatError] if
// there is none or it has another type.
func (f *File) Tensor(name string) (autograd.Tensor, error) {
	info, err := f.find(name, isFloat, "numbers with a fraction")
	if err != nil {
		return autograd.Tensor{}, err
	}
	if info.Type == "F64" {
		values := make([]float64, info.size())
		return shaped(f, info, autograd.NewTensor, values, read(f, info, values))
	}
	values := make([]float32, info.size())
	return shaped(f, info, autograd.NewTensor32, values, read(f, info, values))
}

// shaped returns the tensor of values that have been read.
func shaped[T any](f *File, info *Info, tensor func(values []T, shape ...int) autograd.Tensor, values []T, err error) (t autograd.Tensor, _ error) {
	if err == nil {
		err = autograd.Try(func() { t = tensor(values, info.Shape...) })
	}
	return t, err
}

// State returns what a [Training] kept under that name of its State. It returns
// a *[FormatError] if there is nothing.
func (f *File) State(name string) ([]byte, error) { return f.bytes(stateName + name) }

// Ints reads the whole numbers of that name, of I8 to I64, U8 to U64 and BOOL.
// It returns a *[FormatError] if there are none, or one is no int.
func (f *File) Ints(name string) (autograd.Ints, error) {
	isInt := func(t string) bool { return t[0] == 'I' || t[0] == 'U' || t == "BOOL" }
	info, err := f.find(name, isInt, "whole numbers")
	if err != nil {
		return autograd.Ints{}, err
	}
	text := make([]byte, info.end-info.begin)
	if err := f.full(text, info.begin, name); err != nil {
		return autograd.Ints{}, err
	}
	values := make([]int, info.size())
	if !decodeInts(values, text, info.Type) {
		return autograd.Ints{}, &FormatError{Path: f.path, Reason: fmt.Sprintf("%q has a number that is too large", name)}
	}
	return autograd.ViewInts(values, info.Shape...), nil
}

// find returns the tensor of a name, if it has such a type.
func (f *File) find(name string, is func(t string) bool, what string) (*Info, error) {
	info := f.byName[name]
	if info == nil {
		return nil, &FormatError{Path: f.path, Reason: fmt.Sprintf("there is no %q", name)}
	}
	if !is(info.Type) {
		return nil, &FormatError{Path: f.path, Reason: fmt.Sprintf("%q is %s, want %s", name, info.Type, what)}
	}
	return info, nil
}

// chunk is how many bytes are converted at a time.
const chunk = 1 << 16

// read reads the numbers of a tensor, all of which dst has room for, without a
// second copy.
func read[T float32 | float64](f *File, info *Info, dst []T) error {
	if len(dst) == 0 {
		return nil
	}
	if littleEndian && info.Type == typeOf[T]() {
		return f.full(raw(dst), info.begin, info.Name)
	}
	width := int(bitsOf[info.Type] / 8)
	buffer := make([]byte, min(chunk, len(dst)*width))
	for at := info.begin; len(dst) > 0; {
		n := min(len(dst), len(buffer)/width)
		if err := f.full(buffer[:n*width], at, info.Name); err != nil {
			return err
		}
		decode(dst[:n], buffer, info.Type)
		dst, at = dst[n:], at+int64(n*width)
	}
	return nil
}

// full fills dst from the file. A reader may report the end beside the last
// bytes.
func (f *File) full(dst []byte, at int64, name string) error {
	if n, err := f.reader.ReadAt(dst, at); n < len(dst) {
		return failure(f.path, fmt.Errorf("%q: %w", name, err))
	}
	return nil
}
