package layers

import "nabla/autograd"

// A Cache keeps the keys and values of the steps that a network of attention
// layers has read or written so far, for each of the layers, so that the next
// step costs no more than one step. It holds all state of a generation; the
// layers hold none, and the graph may be Reset after each step.
//
//	cache := layers.NewCache(256)
//	for range 100 {
//		g.Reset()
//		x := positions.From(embedding.Lookup(g, ids), cache.Len())
//		for _, block := range blocks {
//			x = block.Next(x, cache)
//		}
//		…
//	}
//
// A layer must not be used twice in one step.
type Cache struct {
	steps  int
	own    map[*MultiHeadAttention]*autograd.KeyValues
	memory map[*MultiHeadAttention]*autograd.KeyValues
}

// NewCache returns an empty cache for that many steps. It panics with an
// *[autograd.ArgumentError] if the number is not positive.
func NewCache(steps int) *Cache {
	if steps < 1 {
		panic(autograd.NewArgumentError("layers: NewCache", "room for %d steps", steps))
	}
	return &Cache{steps, map[*MultiHeadAttention]*autograd.KeyValues{}, map[*MultiHeadAttention]*autograd.KeyValues{}}
}

// Len returns the number of steps that all layers have kept: the position of
// the next.
func (c *Cache) Len() int {
	least := -1
	for _, kept := range c.own {
		if n := kept.Len(); least < 0 || n < least {
			least = n
		}
	}
	return max(0, least)
}

// Clear forgets everything, for another sequence.
func (c *Cache) Clear() {
	for _, kept := range c.own {
		kept.Clear()
	}
	for _, kept := range c.memory {
		kept.Clear()
	}
}

// Cut forgets all steps but the first, as many as steps says, and keeps the
// memory. It panics with an *[autograd.ArgumentError] if there are fewer.
func (c *Cache) Cut(steps int) {
	for _, kept := range c.own {
		kept.Cut(steps)
	}
}

// Take makes the samples at these rows, in that order, the batch. A beam search
// calls it with the rows of the sequences that it goes on with. It panics with
// an *[autograd.IndexError] if a row is out of range.
func (c *Cache) Take(rows ...int) {
	for _, kept := range c.own {
		kept.Take(rows...)
	}
	for _, kept := range c.memory {
		kept.Take(rows...)
	}
}

// of returns what is kept for a layer's own steps.
func (c *Cache) of(a *MultiHeadAttention) *autograd.KeyValues {
	if c == nil {
		panic(autograd.NewArgumentError(a.op(), "there is no Cache"))
	}
	kept, ok := c.own[a]
	if !ok {
		kept = autograd.NewKeyValues(c.steps)
		c.own[a] = kept
	}
	return kept
}

// memoryOf returns what is kept of the sequence that a layer looks at.
func (c *Cache) memoryOf(a *MultiHeadAttention, memory autograd.Value) *autograd.KeyValues {
	if c == nil {
		panic(autograd.NewArgumentError(a.op(), "there is no Cache"))
	}
	kept, ok := c.memory[a]
	if ok && kept.Len() > 0 {
		return kept
	}
	kept = autograd.NewKeyValues(max(1, memory.Dim(1)))
	c.memory[a] = kept
	return kept
}
