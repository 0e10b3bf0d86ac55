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
		return &batches{whole, l.ascending(rows, size), size, newHolder(whole, l)}
	case size == rows:
		return &batches{whole, data.Batches(nil, rows, rows), size, nil}
	}
	return &batches{whole, data.Batches(rng, rows, size), size, newHolder(whole, nil)}
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

// all returns the batches of an epoch. Once the context is done, it ends with
// ctx.Err().
func (b *batches) all(ctx context.Context) iter.Seq2[Data, error] {
	return func(yield func(Data, error) bool) {
		for rows := range b.rows {
			if err := ctx.Err(); err != nil {
				yield(Data{}, err)
				return
			}
			if !yield(b.of(rows), nil) {
				return
			}
		}
	}
}
