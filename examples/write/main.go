// Command write learns to write English, one character after the other, from
// verses of the Bible.
//
//	go run ./examples/write [-network lstm|gpt] [-prompt TEXT] [-temperature T] [-epochs N] [-rows N] [-seed N] [-out DIR] [-results]
//
// The network, an LSTM or a small transformer, reads a verse from its start and
// says at each place how probable every character is as the next one. The loss
// is its surprise at the character that comes: the bits that it would take to
// send the text with the network's help. 10,497 verses are for training; on the
// others, 1,167, the bits per character, with that for the end of the verse,
// are counted once, at the end: 1.60 for the LSTM, 1.52 for the transformer,
// where 6-grams have 1.72. The verses are part of the program.
//
// Then it writes on from the prompt, and some verses of its own. Into the
// folder write (or -out) goes a page of test verses that shows how much each
// character surprised the network.
package main

import (
	"context"
	"flag"
	"math"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/data/text"
	"nabla/data/verses"
	"nabla/examples/internal/command"
	"nabla/losses"
	"nabla/optim"
	"nabla/train"
)

// ignored labels those places of a batch that are behind the end of a verse.
const ignored = -1

type settings struct {
	*command.Command
	network, prompt string
	temperature     float64
}

func main() {
	s := settings{Command: command.New("write", 6)}
	s.Embedded = true
	flag.StringVar(&s.network, "network", "lstm", "lstm or gpt")
	flag.StringVar(&s.prompt, "prompt", "And the king said", "the `text` to write on from")
	flag.Float64Var(&s.temperature, "temperature", 0.7, "below 1 to write what is probable, above to dare more")
	s.Main(func(ctx context.Context) error { return run(ctx, s, verses.Load()) })
}

func run(ctx context.Context, s settings, all verses.Rows) error {
	training := all.Train().English()
	training = training[:s.First(len(training))]
	characters, err := text.NewCharacters(training)
	if err != nil {
		return err
	}
	rows, err := pairs(characters, training)
	if err != nil {
		return err
	}
	test, err := pairs(characters, all.Test().English())
	if err != nil {
		return err
	}
	net, rate, err := newNetwork(s.network, rand.New(rand.NewPCG(s.Seed, 0)), characters.Size())
	if err != nil {
		return err
	}
	batch, optimizer := 32, optim.NewAdamW(rate)
	if s.network == "gpt" {
		s.Warmup, batch, optimizer.Beta2 = 0.05, 16, 0.99
	}
	config := train.Config{
		Forward:   func(g *autograd.Graph, batch train.Data) autograd.Value { return net.scores(g, batch.Ids[0]) },
		LabelLoss: surprise, IgnoreLabels: []int{ignored}, Optimizer: optimizer, BatchSize: batch,
		Graph:       autograd.Options{Precision: autograd.Float32, Seed: s.Seed},
		Loader:      &train.LoaderOptions{Seed: s.Seed, Padding: &train.Padding{ID: text.Padding, Label: ignored, Near: 16}},
		OnGradients: func(grads autograd.Gradients) { optim.ClipNorm(grads, 1) },
	}
	if err := s.Train(ctx, config, rows); err != nil {
		return err
	}
	report, err := train.Evaluate(ctx, config, test)
	if err != nil {
		return err
	}
	s.Result("network=%s rows=%d epochs=%d test_bits=%.3f", s.network, rows.Rows(), s.Epochs, report.Loss/math.Ln2)
	if err := s.writeVerses(net, characters); err != nil {
		return err
	}
	return s.show(net, characters, all.Test().English())
}

// surprise is the mean of −ln p over the characters that come, for scores
// [rows, steps, characters] and labels [rows, steps].
func surprise(scores autograd.Value, labels autograd.Ints) autograd.Value {
	return losses.CategoricalCrossEntropyLabelsWith(scores, labels, losses.Options{Logits: true, IgnoreIndex: []int{ignored}})
}

// pairs returns for each verse what is read, from the start on, and at each
// place what comes next, up to the end.
func pairs(t text.Tokenizer, lines []string) (train.Data, error) {
	encoded, err := text.EncodeAll(t, lines)
	if err != nil {
		return train.Data{}, err
	}
	read, next := text.Following(encoded)
	ids, _ := text.Pad(read)
	labels, _ := text.PadWith(next, text.PadOptions{Padding: ignored})
	return train.Data{Ids: []autograd.Ints{ids}, Labels: labels}, nil
}
