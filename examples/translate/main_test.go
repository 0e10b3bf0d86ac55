package main

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"encoding/json"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/data/text"
	"nabla/data/verses"
	"nabla/examples/internal/command"
	"nabla/metrics"
)

func few(t *testing.T) corpus {
	t.Helper()
	all := verses.Load()
	c, err := newCorpus(all.Train()[:64], all.Test()[:6])
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRun(t *testing.T) {
	for _, network := range []string{"gru", "transformer"} {
		var out strings.Builder
		s := settings{Command: command.New("translate", 1).To(&out), network: network, sentence: "And God said"}
		s.Out, s.Rows, s.Results = filepath.Join(t.TempDir(), "pages"), 64, true
		if err := s.run(t.Context(), verses.Load().Test()[:6]); err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^result network=` + network + ` rows=64 epochs=1 test_bleu=\d+\.\d\d seed=1 seconds=\d+\n$`).MatchString(out.String()) {
			t.Errorf("printed %q", out.String())
		}
		page, err := os.ReadFile(filepath.Join(s.Out, "attention.svg"))
		if err != nil || !strings.Contains(string(page), ">god") {
			t.Errorf("the picture, %v:\n%s", err, page)
		}
	}
}

func TestAnUnknownNetworkIsAnError(t *testing.T) {
	s := settings{Command: command.New("translate", 1).To(&strings.Builder{}), network: "lstm"}
	s.Rows = 64
	if err := s.run(t.Context(), verses.Load().Test()[:6]); err == nil || !strings.Contains(err.Error(), `"lstm"`) {
		t.Errorf("the error is %v", err)
	}
}

// The words that a search is told step by step, with rows that change places,
// are as probable as those of the whole rows at once: padding, caches and
// states that are carried on change nothing.
func TestWriterSaysWhatScoresDo(t *testing.T) {
	c := few(t)
	english, spanish := c.training.Ids[0].Take(3, 8), c.training.Ids[1].Take(3, 8)
	for _, name := range []string{"gru", "transformer"} {
		net, err := newNetwork(name, rand.New(rand.NewPCG(1, 0)), c.english.Size(), c.spanish.Size())
		if err != nil {
			t.Fatal(err)
		}
		whole := net.scores(reading(), english, spanish).LogSoftmax(-1).Tensor()
		step, parents := net.writer(english), []int{1, 0} // row 0 writes text 1
		for at := range 4 {
			got := step([]int{spanish.Take(1).Values()[at], spanish.Take(0).Values()[at]}, parents)
			parents = []int{0, 1}
			for row, text := range []int{1, 0} {
				want := whole.Take(text).Reshape(longest, c.spanish.Size()).Take(at).Float64s()
				for id, v := range got.Take(row).Float64s() {
					if math.Abs(v-want[id]) > 1e-4 {
						t.Fatalf("%s: text %d, step %d, word %d: ln p is %v, and at once %v", name, text, at, id, v, want[id])
					}
				}
			}
		}
	}
}

// All that the network looks at is English words, not what fills the row.
func TestLooksAddUpOverWords(t *testing.T) {
	c := few(t)
	english, spanish := c.training.Ids[0].Take(3), c.training.Ids[1].Take(3)
	english, spanish = english.Reshape(1, longest+1), spanish.Reshape(1, longest)
	n := text.Lengths(english).Item()
	for _, name := range []string{"gru", "transformer"} {
		net, err := newNetwork(name, rand.New(rand.NewPCG(1, 0)), c.english.Size(), c.spanish.Size())
		if err != nil {
			t.Fatal(err)
		}
		looks := net.looks(english, spanish)
		for at := range longest {
			sum := 0.0
			for _, weight := range looks.Take(at).Float64s()[:n] {
				sum += weight
			}
			if math.Abs(sum-1) > 1e-5 {
				t.Errorf("%s: step %d looks at its words by %v in all", name, at, sum)
			}
		}
	}
}

// A verse that a network writes as it stands has BLEU 100 only if it knows all
// its words: an unknown one is wrong.
func TestUnknownWordsCountAsWrong(t *testing.T) {
	c, err := newCorpus(verses.Load().Train()[:64], verses.Load().Train()[:64])
	if err != nil {
		t.Fatal(err)
	}
	var written [][]int
	known, all := 0, 0
	for i := range 64 {
		row := c.training.Ids[1].Take(i).Values()[1:]
		row = row[:text.Lengths(autograd.NewInts(row, 1, len(row))).Item()]
		for _, id := range row {
			if all++; id != text.Unknown {
				known++
			}
		}
		written = append(written, row)
	}
	words := [][]string{nil, nil}
	for i, row := range c.words(written) {
		words[0], words[1] = append(words[0], row...), append(words[1], c.references[i]...)
	}
	same := 0
	for i, word := range words[0] {
		if words[1][i] == word {
			same++
		}
	}
	if len(words[0]) != all || len(words[1]) != all || same != known || known == all {
		t.Errorf("%d words of %d are the reference's %d, and %d of %d known", same, len(words[0]), len(words[1]), known, all)
	}
	if bleu := metrics.BLEU(c.words(written), c.references); !(bleu > 0 && bleu < 100) {
		t.Errorf("BLEU is %v", bleu)
	}
}

func TestTokensAreWritten(t *testing.T) {
	c, file := few(t), filepath.Join(t.TempDir(), "tokens.json")
	if err := c.write(file); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Spanish, Next, Test []int
		References          [][]string
		SpanishWords        []string `json:"spanish_words"`
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Spanish) != 64*longest || got.Spanish[0] != text.Start || got.Spanish[1] != got.Next[0] ||
		len(got.Test) != 6*(longest+1) || len(got.References) != 6 || got.SpanishWords[got.Next[0]] != c.spanish.Token(got.Next[0]) {
		t.Errorf("the file is %.300s", data)
	}
}
