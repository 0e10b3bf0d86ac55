package main

import (
	"math/rand/v2"

	"nabla/autograd"
	"nabla/data/text"
	"nabla/data/verses"
	"nabla/train"
)

// A vocabulary has ids for words, and for pairs of a word and the one before.
type vocabulary struct {
	words *text.Words
	pairs map[[2]int]int // from 1 on: text.Padding is a pair that it lacks
}

// newVocabulary learns all words and pairs of the rows.
func newVocabulary(rows verses.Rows) (*vocabulary, error) {
	words, err := text.NewWords(rows.English(), 1)
	if err != nil {
		return nil, err
	}
	ids, err := text.EncodeAll(words, rows.English())
	if err != nil {
		return nil, err
	}
	v := &vocabulary{words, map[[2]int]int{}}
	for _, row := range ids {
		for _, pair := range pairsOf(row) {
			if _, known := v.pairs[pair]; !known {
				v.pairs[pair] = 1 + len(v.pairs)
			}
		}
	}
	return v, nil
}

// pairsOf returns for each word that before, a start at first, and itself.
func pairsOf(row []int) [][2]int {
	pairs, before := make([][2]int, len(row)), text.Start
	for i, id := range row {
		pairs[i], before = [2]int{before, id}, id
	}
	return pairs
}

// data returns words, pairs and groups of verses.
func (v *vocabulary) data(rows verses.Rows) (train.Data, error) {
	ids, err := text.EncodeAll(v.words, rows.English())
	if err != nil {
		return train.Data{}, err
	}
	pairs := make([][]int, len(ids))
	for i, row := range ids {
		for _, pair := range pairsOf(row) {
			pairs[i] = append(pairs[i], v.pairs[pair])
		}
	}
	words, _ := text.Pad(ids)
	padded, _ := text.Pad(pairs)
	return train.Data{Ids: []autograd.Ints{words, padded}, Labels: rows.Groups()}, nil
}

// forget leaves out one word of five, and its pairs, but never the first of a
// verse, so that the network does not rely on single ones.
func forget(rng *rand.Rand, batch train.Data) {
	words, pairs, steps := batch.Ids[0].Values(), batch.Ids[1].Values(), batch.Ids[0].Dim(1)
	for i := range words {
		if i%steps == 0 || rng.IntN(5) > 0 {
			continue
		}
		words[i], pairs[i] = text.Padding, text.Padding
		if (i+1)%steps > 0 {
			pairs[i+1] = text.Padding
		}
	}
}
