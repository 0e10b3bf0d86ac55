package train

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"unsafe"

	"nabla/autograd"
	"nabla/internal/kernel"
)

// members are a training's view of its group. A training without a group is
// its only member: then nothing is sent.
type members struct {
	group      Group // nil for none
	rank, size int
	broken     error // what Exchange failed with: the others cannot be asked any more
	apart      bool  // the members have been found to have different numbers

	send, receive [][]byte
	state         []byte
}

func newMembers(op string, group Group) *members {
	m := &members{group: group, size: 1}
	if group != nil {
		m.rank, m.size = group.Rank(), group.Size()
	}
	if m.rank < 0 || m.rank >= m.size {
		panic(autograd.NewArgumentError(op, "the Group has %d members, and this is number %d", m.size, m.rank))
	}
	m.send, m.receive = make([][]byte, m.size), make([][]byte, m.size)
	m.state = make([]byte, 1+m.size)
	return m
}

func (m *members) alone() bool { return m.group == nil }

// exchange sends what stands in send, and fills receive.
func (m *members) exchange() error {
	if m.broken == nil {
		m.check(m.group.Exchange(m.send, m.receive))
	}
	return m.broken
}

// check notes that the group has failed, if it has.
func (m *members) check(err error) error {
	if err != nil && m.broken == nil {
		m.broken = &GroupError{m.rank, err}
	}
	return m.broken
}

// leave tells the others, if the group can, that this member ends without
// having agreed to.
func (m *members) leave() {
	if l, ok := m.group.(interface{ Leave() }); ok {
		l.Leave()
	}
}

// toAll makes the same bytes go to every member.
func (m *members) toAll(bytes []byte) {
	for i := range m.send {
		m.send[i] = bytes
	}
}

// gather returns what each member has given, in their order.
func (m *members) gather(text []byte) ([][]byte, error) {
	sizes := make([]byte, 8*(1+m.size))
	own, others := sizes[:8], sizes[8:]
	binary.NativeEndian.PutUint64(own, uint64(len(text)))
	m.toAll(own)
	for i := range m.receive {
		m.receive[i] = others[8*i : 8*i+8]
	}
	if err := m.exchange(); err != nil {
		return nil, err
	}
	all := make([][]byte, m.size)
	for i := range all {
		all[i] = make([]byte, binary.NativeEndian.Uint64(others[8*i:]))
	}
	m.toAll(text)
	copy(m.receive, all)
	return all, m.exchange()
}

// broadcast returns what the first member has given.
func (m *members) broadcast(text []byte) ([]byte, error) {
	if m.rank > 0 {
		text = nil
	}
	all, err := m.gather(text)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// fill overwrites numbers with those of the first member.
func fill[T kernel.Float](m *members, numbers []T) error {
	bytes := bytesOf(numbers)
	clear(m.send)
	clear(m.receive)
	m.receive[0] = bytes
	if m.rank == 0 {
		m.toAll(bytes)
		m.receive[0] = slices.Clone(bytes) // what it sends must not be written
	}
	return m.exchange()
}

// bytesOf returns the memory of numbers.
func bytesOf[T kernel.Float](x []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*int(unsafe.Sizeof(*new(T))))
}

// How a member goes on. The gravest of all is what all do.
const (
	goesOn byte = iota
	stops
	fails
)

// agree returns how all members go on, which each says for itself: with an
// error if one has an error, its own where it has one and else a *[GroupError];
// with Stop if one wants to.
func (m *members) agree(err error) error {
	if m.alone() {
		return err
	}
	own := m.state[m.size:]
	switch {
	case err == nil:
		own[0] = goesOn
	case errors.Is(err, Stop):
		own[0] = stops
	default:
		own[0] = fails
	}
	m.toAll(own)
	for i := range m.receive {
		m.receive[i] = m.state[i : i+1]
	}
	if broken := m.exchange(); broken != nil {
		return graver(err, broken)
	}
	switch slices.Max(m.state[:m.size]) {
	case goesOn:
		return nil
	case stops:
		return Stop
	}
	return m.report(err)
}

// report tells the others of an error, and returns that of the first member
// that has one unless this one has its own; nil if there is none.
func (m *members) report(err error) error {
	all, broken := m.gather(describe(err))
	if broken != nil {
		return graver(err, broken)
	}
	if err != nil && !errors.Is(err, Stop) {
		return err
	}
	for rank, text := range all {
		if len(text) > 0 {
			return &GroupError{rank, described(text)}
		}
	}
	return nil
}

// A farError is an error of another member.
type farError struct {
	text string
	kind byte
}

const (
	plain byte = iota + 1
	failedStep
	canceled
	timedOut
)

func (e *farError) Error() string { return e.text }

// Is makes a cancelled context known on all members.
func (e *farError) Is(target error) bool {
	return e.kind == canceled && target == context.Canceled || e.kind == timedOut && target == context.DeadlineExceeded
}

// describe returns what others should know of an error: nothing of none, and
// nothing of Stop.
func describe(err error) []byte {
	kind := plain
	switch {
	case err == nil || errors.Is(err, Stop):
		return nil
	case isFailedStep(err):
		kind = failedStep
	case errors.Is(err, context.Canceled):
		kind = canceled
	case errors.Is(err, context.DeadlineExceeded):
		kind = timedOut
	}
	return append([]byte{kind}, err.Error()...)
}

func described(text []byte) error { return &farError{string(text[1:]), text[0]} }

// isFailedStep reports whether an error is of a step that was not made, here or
// on another member.
func isFailedStep(err error) bool {
	var step *StepError
	var far *farError
	return errors.As(err, &step) || errors.As(err, &far) && far.kind == failedStep
}
