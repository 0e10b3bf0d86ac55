package train

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"
	"unicode/utf8"
)

// A Progress shows how far a training is, in one line: the epoch, the part of
// all steps that is done, rows a second, the loss of the last step, the metrics
// of the last epoch, and how long the rest will take.
//
//	config.Callbacks = append(config.Callbacks, train.NewProgress(os.Stderr))
//
// On a terminal the line is drawn again and again in its place. Anywhere else,
// as in a log, it is written when an epoch ends, but no more often than Every,
// and when the training ends. Errors of the writer do not end a training: the
// line is left out. Broken files that a resumed training has passed over have a
// line each at the beginning.
type Progress struct {
	Terminal bool          // the writer is a terminal
	Every    time.Duration // between lines that stay
	Redraw   time.Duration // between drawings of the line on a terminal
	Width    int           // of the line on a terminal, in characters; what is longer is cut
	Quiet    bool          // no line stays: on a terminal it is removed after each epoch, elsewhere there is none

	w           io.Writer
	now         func() time.Time
	begun       time.Time
	drawn, kept time.Time
	rows        int     // of the steps so far
	first       float64 // the part of the training that was done before
	last        Step
	line        []byte
	open        bool // a line is drawn on the terminal
	stale       bool // steps or epochs were made since the last line that stays
}

// NewProgress returns a Progress that writes to w. A file that is a character
// device counts as a terminal, whose line is drawn every 100 ms and 79 wide;
// lines that stay are at least a second apart there, and ten elsewhere.
func NewProgress(w io.Writer) *Progress {
	p := &Progress{Every: 10 * time.Second, Redraw: 100 * time.Millisecond, Width: 79, w: w, now: time.Now}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.Terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	if p.Terminal {
		p.Every = time.Second
	}
	return p
}

// OnBegin starts the clock.
func (p *Progress) OnBegin(t *Training) error {
	p.begun = p.now()
	p.drawn, p.kept = p.begun, p.begun
	p.rows, p.last, p.open, p.stale = 0, Step{}, false, false
	if t.cycle.resumed {
		p.last = t.cycle.at.step(t)
	}
	p.first = p.part(t)
	for _, err := range t.cycle.from.Skipped {
		fmt.Fprintf(p.w, "passed over: %v\n", err)
	}
	return nil
}

// part returns which part of all steps the last step ends.
func (p *Progress) part(t *Training) float64 {
	epochs := float64(p.last.Epoch-1) + float64(p.last.Batch)/float64(t.Batches())
	return max(0, min(1, epochs/float64(t.cycle.Epochs)))
}

// OnStep draws the line, if it is time to.
func (p *Progress) OnStep(t *Training, s Step) error {
	p.rows += s.Rows
	p.last, p.stale = s, true
	p.last.Gradients, p.last.Measured = Step{}.Gradients, Step{}.Measured
	if !p.Terminal {
		return nil
	}
	if now := p.now(); now.Sub(p.drawn) >= p.Redraw {
		p.drawn = now
		p.compose(t, now)
		p.draw("")
	}
	return nil
}

// OnEpoch writes a line that stays, if it is time to.
func (p *Progress) OnEpoch(t *Training, _ Epoch) error {
	now := p.now()
	p.stale = true
	switch {
	case p.Quiet:
		p.remove()
	case now.Sub(p.kept) >= p.Every:
		p.keep(t, now)
	}
	return nil
}

// OnEnd writes the last line.
func (p *Progress) OnEnd(t *Training, _ error) error {
	if p.Quiet {
		p.remove()
	} else if p.stale {
		p.keep(t, p.now())
	}
	return nil
}

func (p *Progress) keep(t *Training, now time.Time) {
	p.kept, p.drawn, p.stale = now, now, false
	p.compose(t, now)
	p.draw("\n")
	p.open = false
}

func (p *Progress) remove() {
	if p.open {
		p.line = append(p.line[:0], clearLine...)
		p.draw("")
		p.open = false
	}
}

// draw writes the line, on a terminal in the place of the one before.
func (p *Progress) draw(end string) {
	b := p.line
	if p.Terminal {
		for n := utf8.RuneCount(b); n > len(clearLine)+p.Width; n-- {
			_, size := utf8.DecodeLastRune(b)
			b = b[:len(b)-size]
		}
		p.open = true
	} else {
		b = b[len(clearLine):]
	}
	p.w.Write(append(b, end...))
}

// clearLine goes to the beginning of a terminal's line and clears it. Every
// line is composed behind it.
const clearLine = "\r\x1b[K"

// compose makes the line, without memory of its own.
func (p *Progress) compose(t *Training, now time.Time) {
	c := t.cycle
	done := p.part(t)
	took := now.Sub(p.begun)
	b := append(append(p.line[:0], clearLine...), "epoch "...)
	b = strconv.AppendInt(b, int64(p.last.Epoch), 10)
	b = append(b, '/')
	b = strconv.AppendInt(b, int64(c.Epochs), 10)
	b = append(b, "  "...)
	b = strconv.AppendInt(b, int64(100*done), 10)
	b = append(b, "%"...)
	if seconds := took.Seconds(); seconds > 0 {
		b = append(b, "  "...)
		b = short(b, float64(p.rows)/seconds)
		b = append(b, " rows/s"...)
	}
	b = append(b, "  loss "...)
	b = short(b, p.last.Loss)
	b = p.measures(b, t)
	if left := done - p.first; done < 1 && left > 0 {
		rest := time.Duration(float64(took) * (1 - done) / left)
		b = append(b, "  "...)
		b = span(b, rest)
		b = append(b, " left"...)
	} else if done == 1 {
		b = append(b, "  in "...)
		b = span(b, took)
	}
	p.line = b
}

// measures adds what the last epoch measured.
func (p *Progress) measures(b []byte, t *Training) []byte {
	history := t.cycle.history
	if len(history) == 0 {
		return b
	}
	last := &history[len(history)-1]
	if last.Validation != nil {
		b = append(b, "  validation "...)
		b = short(b, last.Validation.Loss)
	}
	for _, m := range last.watched().Metrics {
		b = append(b, "  "...)
		b = append(b, m.Name...)
		b = append(b, ' ')
		b = short(b, m.Value)
	}
	return b
}

// short adds a number with four digits, or all of a whole one.
func short(b []byte, v float64) []byte {
	switch size := math.Abs(v); {
	case size >= 1000 && size < 1e9:
		return strconv.AppendFloat(b, v, 'f', 0, 64)
	case size >= 1e-3 && size < 1000:
		digits := 3 - max(0, int(math.Floor(math.Log10(size))))
		return strconv.AppendFloat(b, v, 'f', max(0, digits), 64)
	}
	return strconv.AppendFloat(b, v, 'g', 4, 64)
}

// span adds a time in seconds, minutes or hours.
func span(b []byte, d time.Duration) []byte {
	s := int64(d.Round(time.Second).Seconds())
	switch {
	case s >= 3600:
		b = append(strconv.AppendInt(b, s/3600, 10), 'h')
		return append(strconv.AppendInt(b, s%3600/60, 10), 'm')
	case s >= 60:
		b = append(strconv.AppendInt(b, s/60, 10), 'm')
		return append(strconv.AppendInt(b, s%60, 10), 's')
	}
	return append(strconv.AppendInt(b, s, 10), 's')
}
