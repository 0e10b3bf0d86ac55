package text

import (
	"unicode"
	"unicode/utf8"
)

// A class is what the characters of a run have in common. A byte that is not
// valid UTF-8 is a character of its own.
type class uint8

const (
	space class = iota
	letter
	digit
	other
)

func classOf(r rune) class {
	switch {
	case r < utf8.RuneSelf:
		return asciiClasses[r]
	case unicode.IsSpace(r):
		return space
	case unicode.In(r, unicode.L, unicode.M):
		return letter
	case unicode.Is(unicode.N, r):
		return digit
	}
	return other
}

var asciiClasses = func() (classes [utf8.RuneSelf]class) {
	for r := range classes {
		switch c := rune(r); {
		case unicode.IsSpace(c):
			classes[r] = space
		case unicode.IsLetter(c):
			classes[r] = letter
		case unicode.IsDigit(c):
			classes[r] = digit
		default:
			classes[r] = other
		}
	}
	return classes
}()

// runLength returns the bytes of the run at the beginning of a text, of at most
// maxPiece, with the space before it. The last space of several belongs to the
// run behind them.
func runLength(s string) int {
	first, n := utf8.DecodeRuneInString(s)
	of := classOf(first)
	if first == ' ' && n < len(s) {
		if next, size := utf8.DecodeRuneInString(s[n:]); classOf(next) != space {
			of, n = classOf(next), n+size
		}
	}
	last := 0 // where the character before the end begins
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if classOf(r) != of || n+size > maxPiece {
			if of == space && classOf(r) != space && last > 0 && s[last:n] == " " {
				return last
			}
			return n
		}
		last, n = n, n+size
	}
	return n
}
