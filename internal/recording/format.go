package recording

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Number returns v rounded to digits significant digits, with a typographic
// minus: "0.13", "−2.17", "1.2e−7". Digits before the decimal point are not
// rounded as long as there are at most 6. An infinity is "+Inf" or "−Inf";
// negative zero is "0".
func Number(v float64, digits int) string {
	const smallest, largest = -5, 6 // exponents written out
	var s string
	switch exponent := exponentOf(v, digits); {
	case v == 0:
		return "0"
	case math.IsNaN(v), math.IsInf(v, 0):
		s = strconv.FormatFloat(v, 'g', -1, 64)
	case exponent > smallest && exponent < largest:
		s = trimZeros(strconv.FormatFloat(v, 'f', max(0, digits-1-exponent), 64))
	default:
		mantissa, power, _ := strings.Cut(strconv.FormatFloat(v, 'e', digits-1, 64), "e")
		sign := strings.TrimPrefix(power[:1], "+")
		s = trimZeros(mantissa) + "e" + sign + strings.TrimLeft(power[1:], "0")
	}
	return strings.ReplaceAll(s, "-", "−")
}

// exponentOf returns the decimal exponent of v once rounded.
func exponentOf(v float64, digits int) int {
	_, power, _ := strings.Cut(strconv.FormatFloat(v, 'e', digits-1, 64), "e")
	exponent, _ := strconv.Atoi(power) // NaN and infinities have none
	return exponent
}

// trimZeros removes the zeros that end a decimal fraction.
func trimZeros(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}

// longestName is how many characters of a name a box shows.
const longestName = 32

// Shown returns a name as a box shows it: visible, and without its middle if it
// is long.
func Shown(name string) string {
	runes := []rune(Visible(name))
	if len(runes) <= longestName {
		return string(runes)
	}
	const head = longestName * 2 / 3
	const tail = longestName - head - 1
	return string(runes[:head]) + "…" + string(runes[len(runes)-tail:])
}

// Visible returns a name without characters that a reader cannot see or that
// would change the text around it: a line break becomes ↵, a tab ⇥, other
// invisible characters their code, invalid UTF-8 the replacement character. A
// blank name is quoted.
func Visible(name string) string {
	var b strings.Builder
	for _, r := range name {
		b.WriteString(visibleRune(r))
	}
	if s := b.String(); strings.TrimSpace(s) != "" {
		return s
	}
	return `"` + b.String() + `"`
}

func visibleRune(r rune) string {
	const joiner = '\u200d' // inside emoji
	switch {
	case r == '\n':
		return "↵"
	case r == '\t':
		return "⇥"
	case unicode.Is(unicode.Zs, r):
		return " "
	case unicode.IsPrint(r), r == joiner, r == utf8.RuneError:
		return string(r)
	}
	return fmt.Sprintf("⟨U+%04X⟩", r)
}
