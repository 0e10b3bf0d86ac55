package checkpoint

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"nabla/autograd"
	"nabla/internal/file"
)

// A named tensor is one to be written: its numbers are []float64, []float32 or
// []byte, and are not copied.
type named struct {
	name    string
	shape   []int
	numbers any
}

func namedTensor(name string, t autograd.Tensor) named {
	if t.Precision() == autograd.Float32 {
		return named{name, t.Shape(), t.Raw32()}
	}
	return named{name, t.Shape(), t.Raw64()}
}

// transpose turns a matrix the other way round, in memory of its own.
func (n *named) transpose() {
	rows, columns := n.shape[0], n.shape[1]
	n.shape = []int{columns, rows}
	if numbers, ok := n.numbers.([]float32); ok {
		n.numbers = transposed(numbers, rows, columns)
	} else {
		n.numbers = transposed(n.numbers.([]float64), rows, columns)
	}
}

func transposed[T any](src []T, rows, columns int) []T {
	dst := make([]T, len(src))
	transpose(dst, src, rows, columns)
	return dst
}

func (n *named) dtype() string {
	switch n.numbers.(type) {
	case []float64:
		return "F64"
	case []float32:
		return "F32"
	}
	return "U8"
}

// size returns the number of bytes.
func (n *named) size() int {
	size := int(bitsOf[n.dtype()] / 8)
	for _, d := range n.shape {
		size *= d
	}
	return size
}

func (n *named) write(w io.Writer) error {
	switch numbers := n.numbers.(type) {
	case []float64:
		return writeNumbers(w, numbers)
	case []float32:
		return writeNumbers(w, numbers)
	}
	_, err := w.Write(n.numbers.([]byte))
	return err
}

// save writes tensors and metadata into the file at path, completely or not at
// all.
func save(path string, tensors []named, metadata map[string]string) error {
	err := file.Write(path, func(w io.Writer) error { return write(w, tensors, metadata) })
	if err != nil {
		return fmt.Errorf("checkpoint: %s was not written: %w", path, err)
	}
	return nil
}

// write writes the format: the header's length, the header, which spaces make a
// multiple of 8 bytes long, and the numbers. The wider ones come first, so that
// all lie at multiples of their width.
func write(w io.Writer, tensors []named, metadata map[string]string) error {
	tensors = slices.Clone(tensors)
	slices.SortStableFunc(tensors, func(a, b named) int { return cmp.Compare(bitsOf[b.dtype()], bitsOf[a.dtype()]) })
	text, err := headerOf(tensors, metadata)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, chunk)
	out.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(text)))) // Flush below returns what fails
	out.Write(text)
	for _, t := range tensors {
		if err := t.write(out); err != nil {
			return err
		}
	}
	return out.Flush()
}

// headerOf returns the text of a header.
func headerOf(tensors []named, metadata map[string]string) ([]byte, error) {
	text := []byte{'{'}
	if len(metadata) > 0 {
		text = append(appendText(text, metadataKey), ':', '{')
		for _, name := range slices.Sorted(maps.Keys(metadata)) {
			text = append(appendText(text, name), ':')
			text = append(appendText(text, metadata[name]), ',')
		}
		text[len(text)-1] = '}'
		text = append(text, ',')
	}
	at := 0
	for _, t := range tensors {
		end := at + t.size()
		text = append(appendText(text, t.name), ":{\"dtype\":\""+t.dtype()+"\",\"shape\":["...)
		for axis, d := range t.shape {
			if axis > 0 {
				text = append(text, ',')
			}
			text = fmt.Append(text, d)
		}
		text = fmt.Appendf(text, "],\"data_offsets\":[%d,%d]},", at, end)
		at = end
	}
	if len(text) > 1 {
		text = text[:len(text)-1] // the last comma
	}
	text = append(text, '}')
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	if len(text) > maxHeader {
		return nil, fmt.Errorf("the header takes %d bytes, the format allows %d", len(text), maxHeader)
	}
	return text, nil
}

// appendText appends a text as JSON.
func appendText(text []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // no text fails
	return append(text, quoted...)
}

// writeNumbers writes numbers without a second copy of them all.
func writeNumbers[T float32 | float64](w io.Writer, x []T) error {
	if littleEndian {
		_, err := w.Write(raw(x))
		return err
	}
	var buffer []byte
	for part := range slices.Chunk(x, chunk/8) {
		buffer = encode(buffer[:0], part)
		if _, err := w.Write(buffer); err != nil {
			return err
		}
	}
	return nil
}
