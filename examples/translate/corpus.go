package main

import (
	"encoding/json"
	"os"

	"nabla/autograd"
	"nabla/data/text"
	"nabla/data/verses"
	"nabla/train"
)

// longest is how many tokens a row may have, with its start and its end.
const longest = 40

// A corpus is what the network learns from, and what it is tested on.
type corpus struct {
	english, spanish *text.Words
	training         train.Data    // Ids: English, Spanish so far; Labels: Spanish that comes
	test             autograd.Ints // English
	references       [][]string    // the words of the Spanish test verses
}

// newCorpus learns the words from the training verses: those that occur five
// times.
func newCorpus(training, test verses.Rows) (corpus, error) {
	var c corpus
	var err error
	if c.english, err = text.NewWordsWith(training.English(), 5, text.WordsOptions{Lower: true}); err != nil {
		return c, err
	}
	if c.spanish, err = text.NewWordsWith(training.Spanish(), 5, text.WordsOptions{Lower: true}); err != nil {
		return c, err
	}
	if c.training, err = c.pairs(training); err != nil {
		return c, err
	}
	if c.test, err = c.read(test.English()); err != nil {
		return c, err
	}
	c.references, err = wordsOf(test.Spanish())
	return c, err
}

// wordsOf returns all words of texts, also those that the network does not
// know: what it leaves unknown is not in them, and counts as wrong.
func wordsOf(texts []string) ([][]string, error) {
	known, err := text.NewWordsWith(texts, 1, text.WordsOptions{Lower: true})
	if err != nil {
		return nil, err
	}
	rows, err := text.EncodeAll(known, texts)
	return tokens(known, rows), err
}

// words returns those of Spanish ids.
func (c corpus) words(rows [][]int) [][]string { return tokens(c.spanish, rows) }

func tokens(t *text.Words, rows [][]int) [][]string {
	all := make([][]string, len(rows))
	for i, row := range rows {
		for _, id := range row {
			all[i] = append(all[i], t.Token(id))
		}
	}
	return all
}

// read returns the ids of English texts, with the end, as padded rows.
func (c corpus) read(texts []string) (autograd.Ints, error) {
	rows, err := text.EncodeAll(c.english, texts)
	if err != nil {
		return autograd.Ints{}, err
	}
	for i := range rows {
		rows[i] = append(rows[i], text.End)
	}
	// One step more than Spanish rows have, since what has as many steps is
	// cut together.
	ids, _ := text.PadWith(rows, text.PadOptions{Steps: longest + 1})
	return ids, nil
}

// pairs returns English rows, Spanish rows from the start on, and at each place
// of those what comes next, up to the end.
func (c corpus) pairs(rows verses.Rows) (train.Data, error) {
	english, err := c.read(rows.English())
	if err != nil {
		return train.Data{}, err
	}
	encoded, err := text.EncodeAll(c.spanish, rows.Spanish())
	if err != nil {
		return train.Data{}, err
	}
	begun, next := text.Following(encoded)
	spanish, _ := text.PadWith(begun, text.PadOptions{Steps: longest})
	labels, _ := text.PadWith(next, text.PadOptions{Steps: longest})
	return train.Data{Ids: []autograd.Ints{english, spanish}, Labels: labels}, nil
}

// write writes the ids of the training and test rows, and the words, to a file
// in JSON.
func (c corpus) write(file string) error {
	names := make([]string, c.spanish.Size())
	for id := range names {
		names[id] = c.spanish.Token(id)
	}
	data, err := json.Marshal(map[string]any{
		"english": c.training.Ids[0].Values(), "spanish": c.training.Ids[1].Values(), "next": c.training.Labels.Values(),
		"test": c.test.Values(), "references": c.references,
		"longest": longest, "english_words": c.english.Size(), "spanish_words": names,
	})
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}
