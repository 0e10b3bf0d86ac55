package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxHeader is the most bytes that the format allows a header.
const maxHeader = 100_000_000

// maxAxes is how many axes a tensor has at most: more would only cost memory.
const maxAxes = 64

// metadataKey is the one name in a header that is no tensor's.
const metadataKey = "__metadata__"

// An Info is what a file says of a tensor.
type Info struct {
	Name  string
	Type  string // as the format names it: "F32", "BF16", "I64"
	Shape []int

	begin, end int64 // in the file
}

// size returns the number of elements, which is known to be an int.
func (i *Info) size() int {
	n := 1
	for _, d := range i.Shape {
		n *= d
	}
	return n
}

// A header is all of a file but the numbers.
type header struct {
	infos    []Info // in the order of their numbers
	metadata map[string]string
}

// readHeader reads the header of a file of that many bytes, and checks that it
// describes all of them.
func readHeader(r io.ReaderAt, size int64) (*header, error) {
	var prefix [8]byte
	if size < int64(len(prefix)) {
		return nil, fmt.Errorf("not a safetensors file: it has %d bytes", size)
	}
	if n, err := r.ReadAt(prefix[:], 0); n < len(prefix) {
		return nil, err
	}
	length := binary.LittleEndian.Uint64(prefix[:])
	switch {
	case length > maxHeader:
		return nil, fmt.Errorf("not a safetensors file: a header of %d bytes, the format allows %d", length, maxHeader)
	case int64(length) > size-8:
		return nil, fmt.Errorf("cut short, or not a safetensors file: a header of %d bytes in a file of %d", length, size)
	}
	text := make([]byte, length)
	if n, err := r.ReadAt(text, 8); n < len(text) {
		return nil, err
	}
	h, err := parseHeader(text)
	if err != nil {
		return nil, fmt.Errorf("the header is wrong: %w", err)
	}
	if err := h.place(8+int64(length), size); err != nil {
		return nil, err
	}
	return h, nil
}

// place turns offsets behind the header into places in the file, and checks
// that the tensors fill it without holes and overlaps.
func (h *header) place(start, size int64) error {
	slices.SortStableFunc(h.infos, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	at := int64(0)
	for i := range h.infos {
		t := &h.infos[i]
		if t.begin != at {
			return fmt.Errorf("the header is wrong: %q begins at %d and not where the tensor before it ends, %d", t.Name, t.begin, at)
		}
		if t.end > size-start {
			return fmt.Errorf("cut short: %q ends at %d, and the file has %d bytes of numbers", t.Name, t.end, size-start)
		}
		at = t.end
		t.begin, t.end = start+t.begin, start+t.end
	}
	if at != size-start {
		return fmt.Errorf("%d bytes of numbers, and the header is about %d", size-start, at)
	}
	return nil
}

// parseHeader reads the text of a header. It accepts what the format allows and
// nothing else: encoding/json itself takes names in another case, null, the
// last of two equal names, and broken Unicode.
func parseHeader(text []byte) (*header, error) {
	switch {
	case len(text) == 0 || text[0] != '{':
		return nil, errors.New("it does not begin with a brace")
	case !utf8.Valid(text):
		return nil, errors.New("it is not UTF-8")
	case hasLoneSurrogate(text):
		return nil, errors.New("half of a surrogate pair")
	}
	p := &parser{json.NewDecoder(bytes.NewReader(text))}
	p.UseNumber()
	h := &header{}
	err := p.object(func(name string) (err error) {
		if name == metadataKey {
			h.metadata, err = p.metadata()
			return err
		}
		info, err := p.info(name)
		h.infos = append(h.infos, info)
		return err
	})
	if err != nil {
		return nil, err
	}
	if rest := text[p.InputOffset():]; len(bytes.TrimRight(rest, " \t\r\n")) > 0 {
		return nil, errors.New("text behind it")
	}
	return h, nil
}

// hasLoneSurrogate reports whether an escaped \ud800–\udbff has no
// \udc00–\udfff behind it, or one of these stands alone.
func hasLoneSurrogate(text []byte) bool {
	for i := 0; i+1 < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		if i++; text[i] != 'u' {
			continue
		}
		switch escape := escaped(text[i-1:]); {
		case escape >= 0xdc00 && escape <= 0xdfff:
			return true
		case escape >= 0xd800 && escape <= 0xdbff:
			i += 5
			if low := escaped(text[min(i, len(text)):]); low < 0xdc00 || low > 0xdfff {
				return true
			}
			i++
		}
	}
	return false
}

// escaped returns the number of \uXXXX at the beginning of text, 0 if it does
// not begin so.
func escaped(text []byte) int {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	v, _ := strconv.ParseUint(string(text[2:6]), 16, 16)
	return int(v)
}

// A parser reads JSON token by token.
type parser struct{ *json.Decoder }

// token reads a token, which must be there.
func (p *parser) token() (json.Token, error) {
	token, err := p.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return token, err
}

// delimiter reads a brace or bracket.
func (p *parser) delimiter(want json.Delim) error {
	token, err := p.token()
	if err == nil && token != want {
		err = fmt.Errorf("%v in the place of %v", token, want)
	}
	return err
}

// object reads an object, and calls field behind each name.
func (p *parser) object(field func(name string) error) error {
	if err := p.delimiter('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.More() {
		token, err := p.token()
		if err != nil {
			return err
		}
		name := token.(string) // the decoder allows nothing else
		if seen[name] {
			return fmt.Errorf("%q stands there twice", name)
		}
		seen[name] = true
		if err := field(name); err != nil {
			return err
		}
	}
	return p.delimiter('}')
}

func (p *parser) text() (string, error) {
	token, err := p.token()
	if err != nil {
		return "", err
	}
	s, ok := token.(string)
	if !ok {
		return "", fmt.Errorf("%v in the place of a text", token)
	}
	return s, nil
}

// numbers reads a list of whole numbers from 0 on.
func (p *parser) numbers() ([]int64, error) {
	if err := p.delimiter('['); err != nil {
		return nil, err
	}
	list := []int64{}
	for p.More() {
		token, err := p.token()
		if err != nil {
			return nil, err
		}
		number, _ := token.(json.Number)
		v, err := strconv.ParseUint(string(number), 10, strconv.IntSize-1)
		if err != nil {
			return nil, fmt.Errorf("%v in the place of a whole number from 0 on", token)
		}
		if list = append(list, int64(v)); len(list) > maxAxes {
			return nil, fmt.Errorf("a list of more than %d numbers", maxAxes)
		}
	}
	return list, p.delimiter(']')
}

func (p *parser) metadata() (map[string]string, error) {
	all := map[string]string{}
	err := p.object(func(name string) (err error) {
		all[name], err = p.text()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", metadataKey, err)
	}
	return all, nil
}

// info reads what stands behind a tensor's name.
func (p *parser) info(name string) (Info, error) {
	t := Info{Name: name}
	var shape, offsets []int64
	err := p.object(func(field string) (err error) {
		switch field {
		case "dtype":
			t.Type, err = p.text()
		case "shape":
			shape, err = p.numbers()
		case "data_offsets":
			offsets, err = p.numbers()
		default:
			err = fmt.Errorf("a field %q", field)
		}
		return err
	})
	if err == nil {
		err = t.complete(shape, offsets)
	}
	if err != nil {
		err = fmt.Errorf("%q: %w", name, err)
	}
	return t, err
}

// complete fills in what has been read, if it is all and fits.
func (i *Info) complete(shape, offsets []int64) error {
	width := bitsOf[i.Type]
	switch {
	case i.Type == "":
		return errors.New("no dtype")
	case width == 0:
		return fmt.Errorf("an unknown dtype %q", i.Type)
	case shape == nil:
		return errors.New("no shape")
	case len(offsets) != 2 || offsets[1] < offsets[0]:
		return fmt.Errorf("data_offsets %v", offsets)
	}
	size := uint64(1)
	i.Shape = make([]int, len(shape))
	for axis, d := range shape {
		i.Shape[axis] = int(d)
		var over uint64
		if over, size = bits.Mul64(size, uint64(d)); over != 0 {
			return fmt.Errorf("the shape %v has too many elements", shape)
		}
	}
	over, total := bits.Mul64(size, width)
	if over != 0 || total%8 != 0 {
		return fmt.Errorf("the shape %v of %s is not a number of bytes", shape, i.Type)
	}
	if total/8 != uint64(offsets[1]-offsets[0]) {
		return fmt.Errorf("%d bytes, where the shape %v of %s takes %d", offsets[1]-offsets[0], shape, i.Type, total/8)
	}
	i.begin, i.end = offsets[0], offsets[1]
	return nil
}
