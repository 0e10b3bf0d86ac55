package mnist

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// A source is a file in IDX format: two zeros, the type of the elements, the
// number of axes, the length of each axis as big-endian uint32, and then the
// elements, the last axis fastest.
type source struct {
	name   string
	file   io.ReadSeeker
	size   int64 // of the file as it is
	packed bool  // by gzip

	axes []int // their lengths
	head int64 // the bytes before the elements
	rest int64 // the bytes of the elements
}

// maxRatio is more than deflate can shrink anything by: 258 bytes take at least
// 2 bits. A header that announces more than that needs no unpacking.
const maxRatio = 1032

// kinds are the names of the types of elements, by their code.
var kinds = map[byte]string{
	0x08: "unsigned bytes", 0x09: "signed bytes", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64",
}

// openIDX opens the file at path, whose elements are unsigned bytes along that
// many axes, and checks it up to its end. The caller closes file.
func openIDX(path string, axes int) (s *source, file *os.File, err error) {
	file, err = os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	s, err = newSource(path, file, info.Size(), axes)
	return s, file, err
}

// newSource checks a file up to its end. It takes no memory that depends on
// what the file says.
func newSource(name string, file io.ReadSeeker, size int64, axes int) (*source, error) {
	s := &source{name: name, file: file, size: size}
	var start [2]byte
	if _, err := io.ReadFull(file, start[:]); err != nil {
		return nil, s.truncated(0, err, "the file has %d bytes", size)
	}
	s.packed = start == [2]byte{0x1F, 0x8B}
	r, err := s.open()
	if err != nil {
		return nil, err
	}
	if err := s.readHeader(r, axes); err != nil {
		return nil, err
	}
	if s.packed && s.rest/maxRatio > size {
		return nil, s.fault(s.head, nil, "%d bytes are announced (%v), more than a file of %d bytes can hold", s.rest, s.axes, size)
	}
	return s, s.checkLength(r)
}

// open returns the content from its first byte.
func (s *source) open() (io.Reader, error) {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if !s.packed {
		return bufio.NewReader(s.file), nil
	}
	r, err := gzip.NewReader(bufio.NewReader(s.file))
	if err != nil {
		return nil, s.fault(0, err, "gzip: %v", err)
	}
	return r, nil
}

// readHeader reads how many elements there are.
func (s *source) readHeader(r io.Reader, axes int) error {
	s.head = int64(4 + 4*axes)
	header := make([]byte, s.head)
	if n, err := io.ReadFull(r, header[:4]); err != nil {
		return s.truncated(int64(n), err, "the header has %d bytes", s.head)
	}
	if header[0] != 0 || header[1] != 0 || kinds[header[2]] == "" {
		return s.fault(0, nil, "it begins with %#x, not with the magic number of an IDX file, %#x", header[:4], []byte{0, 0, 8, byte(axes)})
	}
	if header[2] != 0x08 {
		return s.fault(2, nil, "the elements are %s, want unsigned bytes", kinds[header[2]])
	}
	if int(header[3]) != axes {
		return s.fault(3, nil, "%d axes, want %d (images have 3, labels 1)", header[3], axes)
	}
	if n, err := io.ReadFull(r, header[4:]); err != nil {
		return s.truncated(int64(4+n), err, "the header has %d bytes", s.head)
	}
	s.axes, s.rest = make([]int, axes), 1
	for i := range s.axes {
		n := int64(binary.BigEndian.Uint32(header[4+4*i:]))
		if n > math.MaxInt32 || n > 0 && s.rest > math.MaxInt/8/n {
			return s.fault(int64(4+4*i), nil, "an axis of %d after %v: too large", n, s.axes[:i])
		}
		if n == 0 && i > 0 {
			return s.fault(int64(4+4*i), nil, "images without pixels")
		}
		s.axes[i] = int(n)
		s.rest *= n
	}
	return nil
}

// checkLength reads the rest of the content, which must be as long as the
// header says.
func (s *source) checkLength(r io.Reader) error {
	rest := s.size - s.head
	if s.packed {
		var err error
		rest, err = io.Copy(io.Discard, io.LimitReader(r, s.rest+1))
		switch {
		case err != nil && rest == s.rest:
			return s.fault(s.head+rest, err, "gzip, after the last element: %v", err)
		case err != nil:
			return s.truncated(s.head+rest, err, "%d more bytes are announced", s.rest-rest)
		}
	}
	switch {
	case rest < s.rest:
		return s.fault(s.head+rest, io.ErrUnexpectedEOF, "the content ends, %d more bytes are announced", s.rest-rest)
	case rest > s.rest:
		return s.fault(s.head+s.rest, nil, "more bytes than the %d that are announced (%v)", s.rest, s.axes)
	}
	return nil
}

// each calls f with all elements, a piece at a time. Start is the number of
// elements in the pieces before.
func (s *source) each(f func(start int, piece []byte)) error {
	r, err := s.open()
	if err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, r, s.head); err != nil {
		return s.truncated(0, err, "the header has %d bytes", s.head)
	}
	buffer := make([]byte, min(s.rest, 1<<16))
	for done := int64(0); done < s.rest; {
		piece := buffer[:min(s.rest-done, int64(len(buffer)))]
		if n, err := io.ReadFull(r, piece); err != nil {
			return s.truncated(s.head+done+int64(n), err, "%d more bytes are announced", s.rest-done-int64(n))
		}
		f(int(done), piece)
		done += int64(len(piece))
	}
	return nil
}

// truncated returns the error for a content that cannot be read beyond offset.
func (s *source) truncated(offset int64, err error, format string, args ...any) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return s.fault(offset, io.ErrUnexpectedEOF, "the content ends, "+format, args...)
	}
	return s.fault(offset, err, "%v", err)
}

func (s *source) fault(offset int64, cause error, format string, args ...any) error {
	return &FileError{File: s.name, Offset: offset, Reason: fmt.Sprintf(format, args...), Err: cause}
}
