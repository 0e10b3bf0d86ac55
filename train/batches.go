package train

import (
	"context"
	"iter"
	"math/rand/v2"

	"nabla/data"
)

// batches cut Data into batches of rows. Their memory is reused: a batch is
// valid until the next one.
type batches struct {
	whole  Data
	rows   iter.Seq[[]int] // the row numbers of each batch
	size   int             // rows of a batch
	holder *holder         // nil when the whole is the only batch
	order  uint64          // a sum of all rows so far, in their order
	check  func() error    // when the first ones of an epoch have been left out
}

// newBatches makes one batch of all data if size is 0. A single batch is not
// shuffled: its order makes no difference. With lengths, which take the place
// of rng, the rows ascend by length and a batch is as long as its longest.
func newBatches(rng *rand.Rand, whole Data, size int, l *lengths) *batches {
	rows := whole.Rows()
	if size == 0 || size > rows {
		size = rows
	}
	switch {
	case l != nil:
		return &batches{whole, l.ascending(rows, size), size, newHolder(whole, l), 0, nil}
	case size == rows:
		return &batches{whole, data.Batches(nil, rows, rows), size, nil, 0, nil}
	}
	return &batches{whole, data.Batches(rng, rows, size), size, newHolder(whole, nil), 0, nil}
}

// len returns the number of batches in an epoch.
func (b *batches) len() int { return (b.whole.Rows() + b.size - 1) / b.size }

// of returns the batch of those rows.
func (b *batches) of(rows []int) Data {
	if b.holder == nil {
		return b.whole
	}
	return b.holder.of(rows)
}

// from returns the batches of an epoch but for the first ones. Once the context
// is done, it ends with ctx.Err().
func (b *batches) from(ctx context.Context, first int) iter.Seq2[Data, error] {
	return func(yield func(Data, error) bool) {
		i := 0
		for rows := range b.rows {
			if err := ctx.Err(); err != nil {
				yield(Data{}, err)
				return
			}
			b.note(rows)
			i++
			if i == first && b.check != nil {
				if err := b.check(); err != nil {
					yield(Data{}, err)
					return
				}
			}
			if i > first && !yield(b.of(rows), nil) {
				return
			}
		}
	}
}

// skip goes through an epoch without making its batches.
func (b *batches) skip(ctx context.Context) error {
	for _, err := range b.from(ctx, b.len()) {
		if err != nil {
			return err
		}
	}
	return nil
}

// note adds rows to the sum, by FNV's rule.
func (b *batches) note(rows []int) {
	for _, row := range rows {
		b.order = (b.order ^ uint64(row)) * 0x100000001b3
	}
}
