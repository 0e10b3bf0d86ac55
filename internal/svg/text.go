package svg

// widths are those of the characters from space to tilde in a common sans-serif
// font, in thousandths of its size.
var widths = [...]int{
	278, 278, 355, 556, 556, 889, 667, 222, 333, 333, 389, 584, 278, 333, 278, 278,
	556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
	1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
	667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
	333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
	556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
}

// Readers' fonts differ: with this much room the wider ones fit as well.
const (
	roomy      = 1.15
	boldFactor = 1.1
)

// runeWidth returns the width of a character, relative to the font size.
func runeWidth(r rune) float64 {
	switch {
	case r >= ' ' && r <= '~':
		return float64(widths[r-' ']) / 1000
	case r == '−' || r == '×':
		return 0.73
	case r == '·' || r == '‖':
		return 0.45
	case r < 0x500: // Latin, Greek and Cyrillic letters
		return 0.62
	}
	return 1
}

// A run is text with one style.
type run struct {
	text         string
	size         float64
	color        string
	bold, italic bool
}

func (r run) width() float64 {
	w := 0.0
	for _, c := range r.text {
		w += runeWidth(c)
	}
	if r.bold {
		w *= boldFactor
	}
	return w * r.size * roomy
}

// A line is a sequence of runs.
type line []run

func (l line) width() float64 {
	w := 0.0
	for _, r := range l {
		w += r.width()
	}
	return w
}

// size returns the largest size of a line's letters.
func (l line) size() float64 {
	size := 0.0
	for _, r := range l {
		size = max(size, r.size)
	}
	return size
}

// height returns the height of a line with the space above and below it.
func (l line) height() float64 { return 1.3 * l.size() }
