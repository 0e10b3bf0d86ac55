package autograd

import (
	"fmt"
	"strconv"
	"strings"
)

// String returns name, operation, shape and numbers, such as
//
//	z = add [2 3]
//	[[1 2 3]
//	 [4 5 6]]
//
// Only the ends of long axes are shown.
func (x Value) String() string {
	if x.g == nil {
		return "Value(none)"
	}
	if !x.usable() {
		return "Value(of a recording that was Reset)"
	}
	n := x.Node()
	head := n.Op
	if name := x.Name(); name != "" {
		head = name + " = " + head
	}
	if x.g.overwritten(x.g.at(x.id)) != nil {
		return head + " (changed since the recording)"
	}
	return head + " " + x.View().String()
}

// String returns shape and numbers. Only the ends of long axes are shown.
func (t Tensor) String() string {
	if t.shape == nil {
		return "Tensor(none)"
	}
	if t.lease != nil && t.gen != t.lease.gen {
		return "Tensor(of a recording that was Reset)"
	}
	if len(t.dims()) == 0 {
		return t.text(0)
	}
	var b strings.Builder
	fmt.Fprint(&b, t.dims())
	if len(t.dims()) == 1 {
		b.WriteByte(' ')
	} else {
		b.WriteByte('\n')
	}
	t.write(&b, 0, 0, t.Size())
	return b.String()
}

// ends is how many elements are shown at each end of a long axis.
const ends = 4

// write writes the block of size elements at off; axis is its first axis.
func (t Tensor) write(b *strings.Builder, axis, off, size int) {
	if axis == len(t.dims()) {
		b.WriteString(t.text(off))
		return
	}
	b.WriteByte('[')
	for i := 0; i < t.dims()[axis]; i++ {
		if i > 0 {
			t.separate(b, axis)
		}
		if n := t.dims()[axis]; n > 2*ends+1 && i == ends {
			b.WriteString("…")
			i = n - ends - 1
			continue
		}
		step := size / t.dims()[axis]
		t.write(b, axis+1, off+i*step, step)
	}
	b.WriteByte(']')
}

func (t Tensor) separate(b *strings.Builder, axis int) {
	if axis == len(t.dims())-1 {
		b.WriteByte(' ')
		return
	}
	b.WriteString("\n" + strings.Repeat(" ", axis+1))
}

// text returns an element with six significant digits.
func (t Tensor) text(i int) string { return strconv.FormatFloat(t.element(i), 'g', 6, 64) }
