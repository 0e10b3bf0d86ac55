package text

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"nabla/autograd"
)

// Words are a [Tokenizer] whose tokens are words and single other characters.
//
// A word is a run of letters, digits and marks, with apostrophes and hyphens
// between them: son’s and well-beloved are one word. Any other character is a
// token of its own. A single space between two tokens has no token if it is
// where texts have one: before a word or an opening bracket, quotation mark, ¿
// or ¡, and behind a word or anything else that does not open. A space in any
// other place is a token, and so is its absence where one would be.
type Words struct {
	pieces []string // that of id specials + i
	ids    map[string]int
	lower  bool
}

// WordsOptions are what [NewWords] leaves at its defaults.
type WordsOptions struct {
	Lower bool // makes texts lower case first: Decode then gives lower case back
}

// NewWords learns the words that occur at least that many times. The more often
// a word occurs, the lower its id; of words that occur equally often, the one
// that sorts first has the lower.
//
// Texts that are not valid UTF-8 are a *[UTF8Error]. A count below 1 panics
// with an *[autograd.ArgumentError].
func NewWords(texts []string, least int) (*Words, error) {
	return newWords("NewWords", texts, least, WordsOptions{})
}

// NewWordsWith is [NewWords] with other options.
func NewWordsWith(texts []string, least int, options WordsOptions) (*Words, error) {
	return newWords("NewWordsWith", texts, least, options)
}

func newWords(op string, texts []string, least int, options WordsOptions) (*Words, error) {
	if least < 1 {
		panic(autograd.NewArgumentError("text: "+op, "words that occur at least %d times, want 1 or more", least))
	}
	if err := checkAllUTF8(texts); err != nil {
		return nil, err
	}
	w := &Words{lower: options.Lower}
	counts := map[string]int{}
	for _, s := range texts {
		w.split(s, func(piece string) { counts[piece]++ })
	}
	pieces := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
	})
	for len(pieces) > 0 && counts[pieces[len(pieces)-1]] < least {
		pieces = pieces[:len(pieces)-1]
	}
	w.setPieces(pieces)
	return w, nil
}

func (w *Words) setPieces(pieces []string) {
	w.pieces, w.ids = pieces, make(map[string]int, len(pieces))
	for i, piece := range pieces {
		w.ids[piece] = specials + i
	}
}

// Encode returns the ids of the words and other characters, [Unknown] for those
// that w does not have. A text that is not valid UTF-8 is a *[UTF8Error].
func (w *Words) Encode(s string) ([]int, error) {
	if err := checkUTF8(s, -1); err != nil {
		return nil, err
	}
	ids := make([]int, 0, len(s)/4)
	w.split(s, func(piece string) {
		id, ok := w.ids[piece]
		if !ok {
			id = Unknown
		}
		ids = append(ids, id)
	})
	return ids, nil
}

// Decode returns the text of ids, with spaces where they belong. It is the text
// that was encoded, in lower case with the option Lower, if no word was
// unknown. It panics with an *[autograd.IndexError] for an id that w does not
// have.
func (w *Words) Decode(ids []int) string {
	var b strings.Builder
	before := blank
	for i, id := range ids {
		checkID("Words.Decode", id, w.Size(), i)
		if id < specials && id != Unknown {
			continue
		}
		piece, kind := string(utf8.RuneError), word
		if id != Unknown {
			piece = w.pieces[id-specials]
			kind = kindOf(piece)
		}
		if isSpaced(before, kind) {
			b.WriteByte(' ')
		}
		b.WriteString(piece)
		before = kind
	}
	return b.String()
}

// Token returns the word of an id, "<join>" for the absence of a space.
func (w *Words) Token(id int) string {
	checkID("Words.Token", id, w.Size(), -1)
	if id < specials {
		return special(id)
	}
	if piece := w.pieces[id-specials]; piece != join {
		return piece
	}
	return "<join>"
}

// Size returns the number of ids.
func (w *Words) Size() int { return specials + len(w.pieces) }

// join is the piece that stands where a space is absent.
const join = ""

// A kind of pieces decides where spaces belong.
type kind uint8

const (
	blank kind = iota // a space, a line's end, join, or nothing
	word
	opening // a bracket, for example
	symbol  // anything else
)

func kindOf(piece string) kind {
	r, _ := utf8.DecodeRuneInString(piece)
	switch {
	case piece == join || unicode.IsSpace(r):
		return blank
	case isWordRune(r):
		return word
	case unicode.In(r, unicode.Ps, unicode.Pi) || r == '¿' || r == '¡':
		return opening
	}
	return symbol
}

func isWordRune(r rune) bool { return unicode.In(r, unicode.L, unicode.M, unicode.N) }

// isSpaced reports whether a space belongs between two pieces.
func isSpaced(a, b kind) bool { return (a == word || a == symbol) && (b == word || b == opening) }

// split cuts valid UTF-8 into pieces.
func (w *Words) split(s string, yield func(piece string)) {
	if w.lower {
		s = strings.ToLower(s)
	}
	before := blank
	for s != "" {
		spaces := len(s) - len(strings.TrimLeft(s, " "))
		s = s[spaces:]
		n := pieceLength(s)
		kind := kindOf(s[:n])
		switch spaced := isSpaced(before, kind); {
		case spaced && spaces == 0:
			yield(join)
		case spaced && spaces == 1:
		default:
			for range spaces {
				yield(" ")
			}
		}
		if n > 0 {
			yield(s[:n])
		}
		s, before = s[n:], kind
	}
}

// pieceLength returns the bytes of the piece at the beginning of a text.
func pieceLength(s string) int {
	r, n := utf8.DecodeRuneInString(s)
	if !isWordRune(r) {
		return n
	}
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if r == '’' || r == '\'' || r == '-' {
			next, _ := utf8.DecodeRuneInString(s[n+size:])
			if !isWordRune(next) {
				break
			}
		} else if !isWordRune(r) {
			break
		}
		n += size
	}
	return n
}
