package verses

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"strconv"
	"strings"

	"nabla/autograd"
)

// A Verse is one row of the data.
type Verse struct {
	Book    int // from 1
	Group   Group
	English string
	Spanish string
	Split   string // "train" or "test"
}

// Rows is a list of verses, in the order of the file.
type Rows []Verse

//go:embed verses.tsv.gz
var file []byte

// Load returns all 11,664 verses. Each call unpacks them anew.
func Load() Rows {
	rows, err := read(file)
	if err != nil {
		panic(err) // the file is embedded, and a test reads it
	}
	return rows
}

func read(packed []byte) (Rows, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(unpacked)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")[1:]
	rows := make(Rows, len(lines))
	for i, line := range lines {
		if rows[i], err = parse(line); err != nil {
			return nil, fmt.Errorf("verses: line %d: %w", i+2, err)
		}
		rows[i].Split = "train"
		if i%10 == 0 {
			rows[i].Split = "test"
		}
	}
	return rows, nil
}

func parse(line string) (Verse, error) {
	cells := strings.Split(line, "\t")
	if len(cells) != 3 {
		return Verse{}, fmt.Errorf("%d columns, want 3", len(cells))
	}
	book, err := strconv.Atoi(cells[0])
	if err != nil || book < 1 || book > len(books) {
		return Verse{}, fmt.Errorf("there is no book %q", cells[0])
	}
	return Verse{Book: book, Group: groupOf(book), English: cells[1], Spanish: cells[2]}, nil
}

// Train returns the 10,497 rows to train on.
func (r Rows) Train() Rows { return r.where(func(v Verse) bool { return v.Split == "train" }) }

// Test returns the 1,167 rows to test on.
func (r Rows) Test() Rows { return r.where(func(v Verse) bool { return v.Split == "test" }) }

func (r Rows) where(keep func(Verse) bool) Rows {
	var kept Rows
	for _, v := range r {
		if keep(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

// English returns the English text of each verse.
func (r Rows) English() []string { return r.texts(func(v Verse) string { return v.English }) }

// Spanish returns the Spanish text of each verse.
func (r Rows) Spanish() []string { return r.texts(func(v Verse) string { return v.Spanish }) }

func (r Rows) texts(text func(Verse) string) []string {
	texts := make([]string, len(r))
	for i, v := range r {
		texts[i] = text(v)
	}
	return texts
}

// Groups returns the group of each verse as class labels, which count from 0.
func (r Rows) Groups() autograd.Ints {
	labels := make([]int, len(r))
	for i, v := range r {
		labels[i] = int(v.Group)
	}
	return autograd.ViewInts(labels)
}
