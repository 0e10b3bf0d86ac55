package command

import (
	"fmt"
	"os"
	"time"
)

// A Progress is one line that is drawn again and again while something runs:
// how far it is, how fast, how long it will take. Nothing is drawn unless the
// standard error is a terminal.
type Progress struct {
	terminal    *os.File // nil for none
	what        string
	done, total int
	start, last time.Time
}

// redraw is the time between two drawings.
const redraw = 100 * time.Millisecond

// Progress begins a line for total samples.
func (c *Command) Progress(what string, total int) *Progress {
	p := &Progress{what: what, total: total, start: time.Now()}
	if isTerminal(c.stderr) && !c.Results {
		p.terminal = c.stderr
	}
	return p
}

func isTerminal(f *os.File) bool {
	if f == nil {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Add counts samples. The loss is that of the last step.
func (p *Progress) Add(samples int, loss float64) {
	p.done += samples
	now := time.Now()
	if p.terminal == nil || now.Sub(p.last) < redraw {
		return
	}
	p.last = now
	rate := float64(p.done) / now.Sub(p.start).Seconds()
	left := time.Duration(float64(p.total-p.done) / rate * float64(time.Second))
	fmt.Fprintf(p.terminal, "\r\033[K%s  %3d %%  %.0f/s  loss %.4f  %v left", p.what, 100*p.done/max(1, p.total), rate, loss, left.Round(time.Second))
}

// End removes the line.
func (p *Progress) End() {
	if p.terminal != nil {
		fmt.Fprint(p.terminal, "\r\033[K")
	}
}
