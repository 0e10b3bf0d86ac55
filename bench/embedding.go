package main

import (
	"strconv"
	"strings"

	"nabla/autograd"
	"nabla/optim"
)

// W9 is a table of words, of which a step looks up 1,024 ids.
const (
	embeddingWidth = 256
	embeddingIDs   = 1024
	embeddingRate  = 0.001
)

func embeddings() []workload {
	list := []workload{}
	for _, name := range []string{"5000", "50000", "200000"} {
		list = append(list, embedding("W9-embedding-"+name, inPython[:1]))
	}
	for _, name := range []string{"5000-dense", "50000-dense"} {
		list = append(list, embedding("W9-embedding-"+name, inPython))
	}
	return list
}

func embedding(name string, peers []peer) workload {
	return workload{name: name, nabla: func(p autograd.Precision) func() { return newTable(name, p).step }, peers: peers}
}

// A table is W9 in Nabla: rows of a table, the gradient of which is given, and
// a step of Adam.
type table struct {
	g         *autograd.Graph
	words     *autograd.Param
	ids       autograd.Ints
	seed      autograd.Tensor
	optimizer *optim.Adam
}

// newTable returns a table of as many words as the name says.
func newTable(name string, p autograd.Precision) *table {
	size, _, _ := strings.Cut(strings.TrimPrefix(name, "W9-embedding-"), "-")
	words, err := strconv.Atoi(size)
	if err != nil {
		panic(err)
	}
	t := &table{
		g:         autograd.NewGraph(autograd.Options{Precision: p}),
		words:     autograd.NewParam("words", spread(p, 1, 1, words, embeddingWidth)),
		seed:      spread(p, 1, 2, embeddingIDs, embeddingWidth),
		optimizer: optim.NewAdam(embeddingRate),
	}
	t.optimizer.Epsilon = 1e-30 // PyTorch's SparseAdam has it in another place
	ids := make([]int, embeddingIDs)
	for i := range ids {
		ids[i] = (i - i%8/7) * 7919 % words // the last of eight is there twice
	}
	t.ids = autograd.NewInts(ids)
	return t
}

func (t *table) step() {
	t.g.Reset()
	t.optimizer.Step(t.g.Param(t.words).Embedding(t.ids).BackwardFrom(t.seed))
}

// check returns the sum of the squares of the rows.
func (t *table) check() float64 {
	sum := 0.0
	for _, v := range t.words.Tensor().Take(t.ids.Values()...).Float64s() {
		sum += v * v
	}
	return sum
}
