package text

import (
	"math"
	"strings"
	"unicode/utf8"
)

// BytePairs are a [Tokenizer] whose tokens are bytes and longer pieces, made of
// two tokens each. Any string is the tokens of its bytes at least, so nothing
// is unknown, and Decode always gives it back.
//
// A text is cut first: into runs of letters, of digits, of white space, and of
// other characters, each with the one space before it, and of at most 64 bytes.
// Tokens do not reach from one of these pieces into another.
type BytePairs struct {
	merges []pair         // that of id firstMerge + i
	ids    map[pair]int32 // of each
	tokens []string       // the bytes of each id
}

// A pair is two tokens that follow each other.
type pair struct{ left, right int32 }

const (
	firstMerge = specials + 256
	maxPiece   = 64 // bytes
)

// newBytePairs makes tokens of merges, each of two earlier ids.
func newBytePairs(merges []pair) *BytePairs {
	b := &BytePairs{merges, make(map[pair]int32, len(merges)), make([]string, specials, firstMerge+len(merges))}
	for i := range 256 {
		b.tokens = append(b.tokens, string([]byte{byte(i)}))
	}
	for _, p := range merges {
		b.ids[p] = int32(len(b.tokens))
		b.tokens = append(b.tokens, b.tokens[p.left]+b.tokens[p.right])
	}
	return b
}

// Encode returns the ids of a text, of any bytes. It never returns an error.
func (b *BytePairs) Encode(s string) ([]int, error) {
	ids := make([]int, 0, len(s)/3+1)
	var piece merging
	for s != "" {
		n := runLength(s)
		for _, id := range b.merged(&piece, s[:n]) {
			ids = append(ids, int(id))
		}
		s = s[n:]
	}
	return ids, nil
}

// A merging piece is its tokens, and what each would be together with the next.
type merging struct{ ids, together [maxPiece]int32 }

// none is what two tokens are together that are no pair.
const none = math.MaxInt32

// merged returns the tokens of a piece: its bytes, in which pairs are merged in
// the order in which they were learned, from the left.
func (b *BytePairs) merged(m *merging, piece string) []int32 {
	n := len(piece)
	for i := range n {
		m.ids[i] = specials + int32(piece[i])
	}
	for i := range n {
		m.together[i] = b.together(m, i, n)
	}
	for {
		first := 0
		for i := 1; i < n; i++ {
			if m.together[i] < m.together[first] {
				first = i
			}
		}
		if m.together[first] == none {
			return m.ids[:n]
		}
		m.ids[first] = m.together[first]
		copy(m.ids[first+1:], m.ids[first+2:n])
		copy(m.together[first+1:], m.together[first+2:n])
		n--
		m.together[first] = b.together(m, first, n)
		if first > 0 {
			m.together[first-1] = b.together(m, first-1, n)
		}
	}
}

// together returns what token i of n would be together with the next.
func (b *BytePairs) together(m *merging, i, n int) int32 {
	if i+1 < n {
		if id, ok := b.ids[pair{m.ids[i], m.ids[i+1]}]; ok {
			return id
		}
	}
	return none
}

// Decode returns the text that was encoded, to the byte. It panics with an
// *[autograd.IndexError] for an id that b does not have.
func (b *BytePairs) Decode(ids []int) string {
	var text strings.Builder
	for i, id := range ids {
		checkID("BytePairs.Decode", id, b.Size(), i)
		if id == Unknown {
			text.WriteRune(utf8.RuneError)
		} else {
			text.WriteString(b.tokens[id])
		}
	}
	return text.String()
}

// Token returns the bytes of an id, which need not be valid UTF-8.
func (b *BytePairs) Token(id int) string {
	checkID("BytePairs.Token", id, b.Size(), -1)
	if id < specials {
		return special(id)
	}
	return b.tokens[id]
}

// Size returns the number of ids: 260, and one for each pair.
func (b *BytePairs) Size() int { return len(b.tokens) }
