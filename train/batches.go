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
	whole Data
	rows  iter.Seq[[]int] // the row numbers of each batch
	full  Data            // holds a batch; the whole itself when there is one batch only
	short Data            // holds the last batch, when it has fewer rows
}

// newBatches makes one batch of all data if size is 0. A single batch is not
// shuffled: its order makes no difference.
func newBatches(rng *rand.Rand, whole Data, size int) *batches {
	rows := whole.Rows()
	if size == 0 || size >= rows {
		return &batches{whole: whole, rows: data.Batches(nil, rows, rows), full: whole}
	}
	b := &batches{whole: whole, rows: data.Batches(rng, rows, size), full: whole.like(size)}
	if rest := rows % size; rest > 0 {
		b.short = whole.like(rest)
	}
	return b
}

// of returns the batch of those rows.
func (b *batches) of(rows []int) Data {
	if len(rows) == b.whole.Rows() {
		return b.whole
	}
	batch := b.full
	if len(rows) < batch.Rows() {
		batch = b.short
	}
	batch.gather(b.whole, rows)
	return batch
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
