package train

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"nabla/autograd"
)

// A letter is what a member tells the others of a part, beside the numbers of
// its gradients.
type letter struct {
	weight, loss float64
	order        []int         // the Params that were reached, by their places
	forms        map[int]found // of these; without numbers
	observed     autograd.Gradients
}

// merge adds what another part has found, as [autograd.Gradients.Add] does.
func (l *letter) merge(from *letter) {
	for _, k := range from.order {
		own, known := l.forms[k]
		other := from.forms[k]
		switch {
		case !known:
			l.order = append(l.order, k)
			own = other
		case own.form == whole || other.form == whole:
			own = found{form: whole}
		default:
			own.ids = append(slices.Clone(own.ids), other.ids...)
			slices.Sort(own.ids)
			own.ids = slices.Compact(own.ids)
		}
		l.forms[k] = own
	}
	for p, o := range from.observed.ObservedSums() {
		l.observed.AddObserved(p, o, 1)
	}
}

// exchangeLetters fills in the letters of all parts. If a part failed, here or
// elsewhere, it returns the error that all members end with.
func (r *reducer) exchangeLetters() error {
	text := []byte{0}
	failed := r.failed()
	if failed != nil {
		text[0] = 1
	} else {
		for _, s := range r.shares {
			text = r.write(text, s)
		}
	}
	all, err := r.m.gather(text)
	if err != nil {
		return err
	}
	for _, text := range all {
		if len(text) == 0 || text[0] != 0 {
			return r.m.report(failed)
		}
	}
	for rank, text := range all {
		from, to := shareOf(r.parts, rank, r.m.size)
		rest := reading{text[1:], false}
		for i := from; i < to; i++ {
			r.read(&rest, &r.letters[i])
		}
		if rest.short || len(rest.text) > 0 {
			return r.m.check(errors.New("a letter that cannot be read: are all members the same program?"))
		}
	}
	return nil
}

// failed returns the error of the first part of this member that has one.
func (r *reducer) failed() error {
	for _, s := range r.shares {
		if s.failed != nil {
			return s.failed
		}
	}
	return nil
}

// write appends the letter of a share.
func (r *reducer) write(text []byte, s *share) []byte {
	text = appendNumber(appendNumber(text, s.weight), s.loss)
	text = binary.AppendUvarint(text, uint64(len(s.order)))
	for _, k := range s.order {
		f := s.found[k]
		text = append(binary.AppendUvarint(text, uint64(k)), byte(f.form))
		if f.form == byRows {
			text = binary.AppendUvarint(text, uint64(len(f.ids)))
			for _, id := range f.ids {
				text = binary.AppendUvarint(text, uint64(id))
			}
		}
	}
	count, at := 0, len(text)
	text = append(text, 0, 0, 0, 0)
	for p, o := range s.sum.ObservedSums() {
		count++
		text = binary.AppendUvarint(text, uint64(r.place[p]))
		text = binary.AppendUvarint(text, uint64(o.Nth))
		text = appendNumber(appendNumber(text, o.Weight), o.Momentum)
		for _, v := range o.Total.Raw64() {
			text = appendNumber(text, v)
		}
	}
	binary.LittleEndian.PutUint32(text[at:], uint32(count))
	return text
}

func appendNumber(text []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(text, math.Float64bits(v))
}

// A reading is what is left of a text. Of one that is too short, all is 0.
type reading struct {
	text  []byte
	short bool
}

func (r *reading) take(n int) []byte {
	if n > len(r.text) {
		r.short, r.text = true, nil
		return make([]byte, n)
	}
	taken := r.text[:n]
	r.text = r.text[n:]
	return taken
}

func (r *reading) int() int {
	v, n := binary.Uvarint(r.text)
	if n <= 0 || v > math.MaxInt32 {
		r.short, r.text = true, nil
		return 0
	}
	r.text = r.text[n:]
	return int(v)
}

func (r *reading) number() float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(r.take(8)))
}

// read reads the letter of a part.
func (r *reducer) read(text *reading, l *letter) {
	l.weight, l.loss = text.number(), text.number()
	l.order = l.order[:0]
	l.observed.Clear()
	if l.forms == nil {
		l.forms = map[int]found{}
	}
	clear(l.forms)
	for range text.int() {
		k, form := text.int(), form(text.take(1)[0])
		if text.short || k >= len(r.params) {
			text.short = true
			return
		}
		f := found{form: form}
		if form == byRows {
			for n := text.int(); n > 0 && !text.short; n-- {
				f.ids = append(f.ids, text.int())
			}
		}
		l.order, l.forms[k] = append(l.order, k), f
	}
	for range binary.LittleEndian.Uint32(text.take(4)) {
		k := text.int()
		if text.short || k >= len(r.params) || !r.params[k].IsStatistic() {
			text.short = true
			return
		}
		p := r.params[k]
		o := autograd.ObservedSum{Nth: text.int(), Weight: text.number(), Momentum: text.number(), Total: autograd.Zeros(p.Shape()...)}
		for i := range o.Total.Raw64() {
			o.Total.Raw64()[i] = text.number()
		}
		l.observed.AddObserved(p, o, 1)
	}
}
