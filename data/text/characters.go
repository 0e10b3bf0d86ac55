package text

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Characters are a [Tokenizer] whose tokens are code points.
type Characters struct {
	runes []rune // that of id specials + i
	ids   map[rune]int
}

// NewCharacters learns which characters occur. Their ids ascend as their code
// points do. Texts that are not valid UTF-8 are a *[UTF8Error].
func NewCharacters(texts []string) (*Characters, error) {
	if err := checkAllUTF8(texts); err != nil {
		return nil, err
	}
	seen := map[rune]bool{}
	for _, s := range texts {
		for _, r := range s {
			seen[r] = true
		}
	}
	runes := make([]rune, 0, len(seen))
	for r := range seen {
		runes = append(runes, r)
	}
	slices.Sort(runes)
	return newCharacters(runes), nil
}

func newCharacters(runes []rune) *Characters {
	c := &Characters{runes, make(map[rune]int, len(runes))}
	for i, r := range runes {
		c.ids[r] = specials + i
	}
	return c
}

// Encode returns the id of each character, [Unknown] for one that did not occur
// when c was made. A text that is not valid UTF-8 is a *[UTF8Error].
func (c *Characters) Encode(s string) ([]int, error) {
	if err := checkUTF8(s, -1); err != nil {
		return nil, err
	}
	ids := make([]int, 0, utf8.RuneCountInString(s))
	for _, r := range s {
		id, ok := c.ids[r]
		if !ok {
			id = Unknown
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// Decode returns the characters one after the other. It is the text that was
// encoded if none was unknown. It panics with an *[autograd.IndexError] for an
// id that c does not have.
func (c *Characters) Decode(ids []int) string {
	var b strings.Builder
	for i, id := range ids {
		checkID("Characters.Decode", id, c.Size(), i)
		switch {
		case id == Unknown:
			b.WriteRune(utf8.RuneError)
		case id >= specials:
			b.WriteRune(c.runes[id-specials])
		}
	}
	return b.String()
}

// Token returns the character of an id.
func (c *Characters) Token(id int) string {
	checkID("Characters.Token", id, c.Size(), -1)
	if id < specials {
		return special(id)
	}
	return string(c.runes[id-specials])
}

// Size returns the number of ids.
func (c *Characters) Size() int { return specials + len(c.runes) }
