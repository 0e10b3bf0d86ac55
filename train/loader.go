package train

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"nabla/autograd"
)

// LoaderOptions say how a [Loader] makes batches.
type LoaderOptions struct {
	BatchSize int    // rows of a batch; 0: all
	Seed      uint64 // of the rows' order and of what Prepare draws
	InOrder   bool   // keeps the rows in order instead of shuffling them
	DropLast  bool   // leaves out the last batch of an epoch if it has fewer rows
	Workers   int    // how many batches are prepared at once; 0: 1

	// Padding cuts batches of padded rows to their longest, and makes batches
	// of near lengths. Nil: the rows are as long as they are.
	Padding *Padding

	// Prepare changes a batch in place, to augment it: a copy of rows of the
	// data. It takes all its chance from rng. Several goroutines may call it at
	// once, with different batches. Nil: batches are the rows as they are.
	Prepare func(rng *rand.Rand, batch Data)
}

// A Loader cuts data into batches. It prepares them in the background while
// others are in use.
//
// The rows of a batch and what Prepare draws for it follow from Seed, the
// number of the epoch and the number of the batch alone: they are the same, bit
// by bit, for any number of Workers, and whichever epochs came before. So a
// training that goes on where another ended needs the seed and the number of
// the epoch.
type Loader struct {
	data    Data
	options LoaderOptions
	lengths *lengths // nil without Padding
	needed  needed   // nil if Prepare sees the batches

	mu   sync.Mutex
	free []*stage
}

// NewLoader returns a Loader. Rows without Targets and Labels are data too.
//
// It panics with an *[autograd.ShapeError] if there are no rows, or not as many
// inputs as targets, and with an *[autograd.ArgumentError] if BatchSize or
// Workers is negative, if DropLast leaves no batch, or if Padding is given and
// there are no Ids to cut, a row of Ids is all padding, or InOrder forbids what
// Near asks for.
func NewLoader(data Data, options LoaderOptions) *Loader {
	return newLoader("train: NewLoader", data, options)
}

func newLoader(op string, data Data, options LoaderOptions) *Loader {
	if isGiven(data.Targets) || len(data.Labels.Shape()) > 0 {
		data.check(op)
	} else {
		data.checkInputs(op)
	}
	rows := data.Rows()
	switch {
	case options.BatchSize < 0:
		panic(autograd.NewArgumentError(op, "BatchSize is %d", options.BatchSize))
	case options.Workers < 0:
		panic(autograd.NewArgumentError(op, "Workers is %d", options.Workers))
	case options.BatchSize > rows && options.DropLast:
		panic(autograd.NewArgumentError(op, "DropLast leaves nothing of %d rows in batches of %d", rows, options.BatchSize))
	case options.BatchSize == 0:
		options.BatchSize = rows
	}
	if options.InOrder && options.Padding != nil && options.Padding.Near > 1 {
		panic(autograd.NewArgumentError(op, "InOrder keeps the rows in order, and Padding.Near is %d", options.Padding.Near))
	}
	options.BatchSize = min(options.BatchSize, rows)
	options.Workers = max(1, options.Workers)
	return &Loader{data: data, options: options, lengths: options.Padding.lengths(op, data)}
}

// Len returns the number of batches in an epoch.
func (l *Loader) Len() int {
	if l.options.DropLast {
		return l.data.Rows() / l.options.BatchSize
	}
	return (l.data.Rows() + l.options.BatchSize - 1) / l.options.BatchSize
}

// Rows returns the number of rows in an epoch.
func (l *Loader) Rows() int { return min(l.data.Rows(), l.Len()*l.options.BatchSize) }

// Epoch returns the batches of the epoch of that number, in order.
//
//	for batch, err := range loader.Epoch(ctx, epoch) {
//		if err != nil {
//			return err
//		}
//		…
//	}
//
// A batch is valid until the next one: its memory is used again. The loop gets
// an error, once and at its end, if
//
//   - the context is done: ctx.Err();
//   - Prepare panicked with one of autograd's typed errors: a *[StepError] that
//     wraps it and says for which batch. Any other panic of Prepare becomes one
//     of the loop's goroutine, with a *[PrepareError].
//
// Whichever way the loop is left, the goroutines that prepare batches have
// ended when it is over. Any number of loops over epochs of one Loader may run
// at once. A nil ctx panics with an *[autograd.ArgumentError].
func (l *Loader) Epoch(ctx context.Context, epoch int) iter.Seq2[Data, error] {
	if ctx == nil {
		panic(autograd.NewArgumentError("train: Loader.Epoch", "the context is nil"))
	}
	return l.from(ctx, epoch, 0)
}

// from returns the batches of an epoch but for the first ones.
func (l *Loader) from(ctx context.Context, epoch, first int) iter.Seq2[Data, error] {
	return func(yield func(Data, error) bool) {
		s := l.stage()
		defer l.giveBack(s)
		s.begin(ctx, epoch, first)
		defer s.end()
		for i := first; i < l.Len(); i++ {
			batch, err := s.next(ctx, i)
			if !yield(batch, err) || err != nil {
				return
			}
			s.release()
		}
	}
}

// stage returns memory for an epoch that no other loop uses.
func (l *Loader) stage() *stage {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.free); n > 0 {
		s := l.free[n-1]
		l.free = l.free[:n-1]
		return s
	}
	return newStage(l)
}

func (l *Loader) giveBack(s *stage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = append(l.free, s)
}

// A stage is where the batches of one epoch are prepared. Workers take the next
// batch that nobody has begun; one slot more than there are workers holds them.
// A batch whose number is i is in slot i modulo their number.
type stage struct {
	loader  *Loader
	rows    []int // in the epoch's order
	slots   []slot
	shuffle dice

	epoch   int
	started atomic.Int64  // the number of batches that workers have begun with
	vacant  chan struct{} // a token for each slot that may be filled
	done    chan struct{} // closed when the loop is left
	workers sync.WaitGroup
}

// A slot holds a batch.
type slot struct {
	holder *holder
	batch  Data
	dice   dice
	ready  chan *failure // nil when the batch is prepared
}

// A failure is how Prepare ended, if it did not return.
type failure struct {
	value any // of the panic; nil if it ended its goroutine
	stack []byte
}

func newStage(l *Loader) *stage {
	s := &stage{loader: l, rows: make([]int, l.data.Rows()), slots: make([]slot, min(l.options.Workers+1, l.Len())), shuffle: newDice()}
	for i := range s.slots {
		s.slots[i].holder, s.slots[i].dice = newHolder(l.data, l.lengths), newDice()
		s.slots[i].holder.needed = l.needed
	}
	return s
}

// begin starts the workers with that batch.
func (s *stage) begin(ctx context.Context, epoch, first int) {
	for i := range s.rows {
		s.rows[i] = i
	}
	if o := s.loader.options; !o.InOrder {
		s.shuffle.reset(o.Seed, epoch, 0)
		s.shuffle.rng.Shuffle(len(s.rows), func(i, j int) { s.rows[i], s.rows[j] = s.rows[j], s.rows[i] })
		if o.Padding != nil && o.Padding.Near > 1 {
			s.loader.lengths.arrange(s.shuffle.rng, s.rows, o.BatchSize, o.Padding.Near)
		}
	}
	s.epoch = epoch
	s.started.Store(int64(first))
	s.vacant, s.done = make(chan struct{}, len(s.slots)), make(chan struct{})
	for i := range s.slots {
		s.slots[i].ready = make(chan *failure, 1)
		s.vacant <- struct{}{}
	}
	for range min(s.loader.options.Workers, len(s.slots)) {
		s.workers.Go(func() { s.work(ctx) })
	}
}

// end waits for the workers to end.
func (s *stage) end() {
	close(s.done)
	s.workers.Wait()
}

// work prepares batches until there are no more, or nobody wants them.
func (s *stage) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.done:
			return
		case <-s.vacant:
		}
		i := int(s.started.Add(1)) - 1
		if i >= s.loader.Len() {
			return
		}
		s.prepare(i)
	}
}

// prepare fills the slot of batch i. It reports on the slot's channel even if
// Prepare does not return.
func (s *stage) prepare(i int) {
	to := &s.slots[i%len(s.slots)]
	returned := false
	defer func() {
		var failed *failure
		if !returned {
			failed = &failure{recover(), debug.Stack()}
		}
		to.ready <- failed
	}()
	o := s.loader.options
	first := i * o.BatchSize
	to.batch = to.holder.of(s.rows[first:min(first+o.BatchSize, len(s.rows))])
	if o.Prepare != nil {
		to.dice.reset(o.Seed, s.epoch, i+1)
		o.Prepare(to.dice.rng, to.batch)
	}
	returned = true
}

// next waits for batch i.
func (s *stage) next(ctx context.Context, i int) (Data, error) {
	if err := ctx.Err(); err != nil {
		return Data{}, err
	}
	from := &s.slots[i%len(s.slots)]
	select {
	case <-ctx.Done():
		return Data{}, ctx.Err()
	case failed := <-from.ready:
		if failed != nil {
			return Data{}, &StepError{Epoch: s.epoch, Part: "preparation", Batch: i + 1, Err: failed.err("Prepare")}
		}
		return from.batch, nil
	}
}

// release lets workers fill the slot of the batch that was in use.
func (s *stage) release() { s.vacant <- struct{}{} }

// err returns one of autograd's typed errors. It panics for any other failure
// of what ran on another goroutine.
func (f *failure) err(of string) error {
	err := f.asError(of)
	if crash, ok := err.(*PrepareError); ok {
		panic(crash)
	}
	return err
}

// asError returns one of autograd's typed errors, or else a *PrepareError.
func (f *failure) asError(of string) (err error) {
	defer func() {
		if recover() != nil {
			err = &PrepareError{f.value, f.stack, of}
		}
	}()
	return autograd.Try(func() { panic(f.value) })
}

// A PrepareError is what a loop over a [Loader]'s batches panics with if a
// Prepare function panicked, other than with one of autograd's typed errors. So
// does [Run], on the goroutine that called it, if a model or loss panicked on
// one of its Workers.
type PrepareError struct {
	Value any    // of the panic; nil if the function ended its goroutine
	Stack []byte // of the goroutine in which it ran

	of string // the function
}

// Error has the value and the stack.
func (e *PrepareError) Error() string {
	what := fmt.Sprint(e.Value)
	if e.Value == nil {
		what = "it ended its goroutine"
	}
	return fmt.Sprintf("train: %s: %s\n\n%s", e.of, what, e.Stack)
}

// Unwrap returns the value of the panic if it is an error.
func (e *PrepareError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Dice are random numbers that begin anew without taking memory.
type dice struct {
	source *rand.ChaCha8
	rng    *rand.Rand
}

func newDice() dice {
	source := rand.NewChaCha8([32]byte{})
	return dice{source, rand.New(source)}
}

// reset makes the numbers those of a seed, an epoch, and what in that epoch
// they are for.
func (d *dice) reset(seed uint64, epoch, purpose int) {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[0:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(epoch))
	binary.LittleEndian.PutUint64(key[16:], uint64(purpose))
	d.source.Seed(key)
}
