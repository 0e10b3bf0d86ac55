package text

import (
	"fmt"
	"unicode/utf8"

	"nabla/autograd"
)

// The ids that mean the same for every tokeniser. No text has the first three.
const (
	Padding = iota // fills short rows
	Start          // stands before a text that a network writes
	End            // stands behind it
	Unknown        // is what a tokeniser has no id for; BytePairs never need it

	specials // the number of these ids
)

// A Tokenizer turns texts into ids and back. Any number of goroutines may use
// one at once.
type Tokenizer interface {
	// Encode returns the ids of a text. A text that it cannot take is a
	// *[UTF8Error].
	Encode(s string) ([]int, error)

	// Decode returns the text of ids. Padding, Start and End are left out,
	// Unknown is "�".
	Decode(ids []int) string

	// Token returns what one id stands for, to show it to people: "<end>" for
	// End.
	Token(id int) string

	// Size returns the number of ids, which are those below it.
	Size() int
}

// A UTF8Error says where a text is not valid UTF-8.
type UTF8Error struct {
	Row  int // of several texts, from 0; −1 for a single text
	Byte int // the place of the first byte that is not valid, from 0
}

// Error says at which byte of which text.
func (e *UTF8Error) Error() string {
	if e.Row < 0 {
		return fmt.Sprintf("text: byte %d is not valid UTF-8", e.Byte)
	}
	return fmt.Sprintf("text: row %d: byte %d is not valid UTF-8", e.Row, e.Byte)
}

// checkUTF8 returns a *UTF8Error for a text that is not valid UTF-8.
func checkUTF8(s string, row int) error {
	if utf8.ValidString(s) {
		return nil
	}
	for i, r := range s {
		if _, size := utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && size == 1 {
			return &UTF8Error{row, i}
		}
	}
	return nil
}

func checkAllUTF8(texts []string) error {
	for row, s := range texts {
		if err := checkUTF8(s, row); err != nil {
			return err
		}
	}
	return nil
}

// EncodeAll returns the ids of each text. A *[UTF8Error] says in which text.
func EncodeAll(t Tokenizer, texts []string) ([][]int, error) {
	rows := make([][]int, len(texts))
	for row, s := range texts {
		ids, err := t.Encode(s)
		if bad, ok := err.(*UTF8Error); ok {
			return nil, &UTF8Error{row, bad.Byte}
		}
		if err != nil {
			return nil, err
		}
		rows[row] = ids
	}
	return rows, nil
}

// checkID panics if there is no such id. Place is where it stands among those
// to decode, −1 if it is alone.
func checkID(op string, id, size, place int) {
	if id >= 0 && id < size {
		return
	}
	what := "id"
	if place >= 0 {
		what = fmt.Sprintf("ids[%d] =", place)
	}
	panic(autograd.NewIndexError("text: "+op, what, id, size))
}

// special returns what people see of an id that every tokeniser has.
func special(id int) string {
	return [...]string{"<padding>", "<start>", "<end>", "<unknown>"}[id]
}
