// Command translate learns to translate verses of the Bible from English into
// Spanish.
//
//	go run ./examples/translate [-network gru|transformer] [-sentence TEXT] [-epochs N] [-rows N] [-seed N] [-out DIR] [-keep DIR] [-tokens FILE] [-results]
//
// The network reads an English verse, and then says at each place of the
// Spanish one how probable every word is as the next. For each word it looks
// back at the English words: attention says at which. 10,497 pairs are for
// training. The others, 1,167, are translated once, at the end, by a search
// that keeps the four most probable beginnings, and compared with the Spanish
// verses by BLEU, from 0 to 100. The verses are part of the program.
//
// Into the folder translate (or -out) goes a picture of the English words at
// which the network looked to write each Spanish one. With -tokens, the program
// only writes the words' ids, for the same networks in PyTorch: see
// bench/peers/translate.py.
//
// With -keep, an interrupt ends the training after the step, with everything
// kept in that folder, and the same command goes on with the same bits.
package main

import (
	"context"
	"flag"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/data/text"
	"nabla/data/verses"
	"nabla/decode"
	"nabla/examples/internal/command"
	"nabla/layers"
	"nabla/losses"
	"nabla/metrics"
	"nabla/optim"
	"nabla/plot"
	"nabla/train"
)

type settings struct {
	*command.Command
	network, sentence, tokens string
}

func main() {
	s := settings{Command: command.New("translate", 5)}
	s.Embedded, s.Warmup = true, 0.1
	flag.StringVar(&s.network, "network", "gru", "gru or transformer")
	flag.StringVar(&s.sentence, "sentence", "And the king said unto his servants, Go up to the house of the LORD.", "the `text` to translate and to draw")
	flag.StringVar(&s.tokens, "tokens", "", "the `file` to write the ids of words into, instead of all else")
	s.KeepFlag(flag.CommandLine)
	s.Main(func(ctx context.Context) error { return s.run(ctx, verses.Load().Test()) })
}

func (s settings) run(ctx context.Context, test verses.Rows) error {
	training := verses.Load().Train()
	c, err := newCorpus(training[:s.First(len(training))], test)
	if err != nil {
		return err
	}
	if s.tokens != "" {
		return c.write(s.tokens)
	}
	net, err := newNetwork(s.network, rand.New(rand.NewPCG(s.Seed, 0)), c.english.Size(), c.spanish.Size())
	if err != nil {
		return err
	}
	optimizer := optim.NewAdam(3e-3)
	config := train.Config{
		Forward: func(g *autograd.Graph, batch train.Data) autograd.Value {
			return net.scores(g, batch.Ids[0], batch.Ids[1])
		},
		Params:    layers.ParamsOf(net),
		LabelLoss: surprise, IgnoreLabels: []int{text.Padding}, Optimizer: optimizer, BatchSize: 64,
		Graph:       autograd.Options{Precision: autograd.Float32, Seed: s.Seed},
		Loader:      &train.LoaderOptions{Seed: s.Seed, Padding: &train.Padding{ID: text.Padding, Label: text.Padding, Near: 16}},
		OnGradients: func(grads autograd.Gradients) { optim.ClipNorm(grads, 1) },
	}
	if err := s.Train(ctx, config, c.training); err != nil {
		return err
	}
	written := translate(net, c.test)
	s.Result("network=%s rows=%d epochs=%d test_bleu=%.2f", s.network, c.training.Rows(), s.Epochs, metrics.BLEU(c.words(written), c.references))
	return s.show(net, c, test[:5], written)
}

// surprise is the mean of −ln p over the words that come, a tenth of it over
// all words alike, so that the network does not get too sure.
func surprise(scores autograd.Value, labels autograd.Ints) autograd.Value {
	return losses.CategoricalCrossEntropyLabelsWith(scores, labels, losses.Options{
		Logits: true, LabelSmoothing: 0.1, IgnoreIndex: []int{text.Padding},
	})
}

// translate returns the Spanish words of padded English rows.
func translate(net network, english autograd.Ints) [][]int {
	const together = 64
	var written [][]int
	for first := 0; first < english.Dim(0); first += together {
		rows := make([]int, min(together, english.Dim(0)-first))
		for i := range rows {
			rows[i] = first + i
		}
		found := decode.BeamBatch(len(rows), net.writer(english.Take(rows...)), decode.BeamOptions{
			Width: 4, Start: text.Start, End: text.End, MaxLength: longest, LengthPenalty: 1,
		})
		for _, best := range found {
			written = append(written, best[0].Tokens)
		}
	}
	return written
}

// show prints translations, and draws where the network looked for
// that of the sentence.
func (s settings) show(net network, c corpus, some verses.Rows, written [][]int) error {
	for i, verse := range some {
		s.Print("%s\n  network: %s\n  1909:    %s", verse.English, c.spanish.Decode(written[i]), verse.Spanish)
	}
	english, err := c.read([]string{s.sentence})
	if err != nil {
		return err
	}
	spanish := translate(net, english)[0]
	s.Print("%s\n  network: %s", s.sentence, c.spanish.Decode(spanish))
	length := text.Lengths(english).Item()
	var read, wrote []string
	for _, id := range english.Values()[:length] {
		read = append(read, c.english.Token(id))
	}
	for _, id := range append(spanish, text.End) {
		wrote = append(wrote, c.spanish.Token(id))
	}
	begun := append([]int{text.Start}, spanish...)
	looks := net.looks(english, autograd.NewInts(begun, 1, len(begun)))
	var weights []float64
	for i := range wrote {
		weights = append(weights, looks.Take(i).Float64s()[:length]...)
	}
	p := plot.Attention(autograd.NewTensor(weights, len(wrote), length), wrote, read)
	p.Title.Text = "Where the network looks"
	return s.Write("attention.svg", func(path string) error { return plot.Save(p, path) })
}
