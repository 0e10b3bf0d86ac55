// Command genre learns to tell the genre of a verse of the Bible: law, history,
// poetry, prophecy, gospels and Acts, or letters.
//
//	go run ./examples/genre [-network gru|transformer] [-epochs N] [-rows N] [-seed N] [-out DIR] [-results]
//
// A network looks up numbers for each word, goes through them by a gated
// recurrent unit in both directions or by attention, and scores the six groups
// of books by the means and maxima of what it found. Beside this deep part it
// has a wide one (Cheng et al., Wide & Deep Learning, 2016): each word, and
// each pair of neighbours, has scores of its own, which are added up. 10,497
// verses are for training; accuracy and macro F1 on the others, 1,167, are
// measured once, at the end. The verses are part of the program.
//
// Into the folder genre (or -out) goes a page of test verses that shows which
// words mattered: the gradient of the score times the word's numbers.
package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/data/text"
	"nabla/data/verses"
	"nabla/examples/internal/command"
	"nabla/examples/internal/shade"
	"nabla/losses"
	"nabla/metrics"
	"nabla/optim"
	"nabla/train"
)

func main() {
	c := command.New("genre", 8)
	c.Embedded = true
	network := flag.String("network", "gru", "gru or transformer")
	c.Main(func(ctx context.Context) error { return run(ctx, c, *network, verses.Load()) })
}

func run(ctx context.Context, c *command.Command, name string, all verses.Rows) error {
	training, test := all.Train(), all.Test()
	training = training[:c.First(len(training))]
	known, err := newVocabulary(training)
	if err != nil {
		return err
	}
	rows, err := known.data(training)
	if err != nil {
		return err
	}
	unseen, err := known.data(test)
	if err != nil {
		return err
	}
	net, rate, err := newReader(name, rand.New(rand.NewPCG(c.Seed, 0)), known.words.Size(), 1+len(known.pairs))
	if err != nil {
		return err
	}
	if name == "transformer" {
		c.Warmup = 0.1
	}
	optimizer := optim.NewAdamW(rate)
	config := train.Config{
		Forward:   net.scores,
		LabelLoss: costOf(rows.Labels), Optimizer: optimizer, BatchSize: 64,
		Graph:       autograd.Options{Precision: autograd.Float32, Seed: c.Seed},
		Loader:      &train.LoaderOptions{Seed: c.Seed, Prepare: forget, Padding: &train.Padding{ID: text.Padding, Near: 4}},
		OnGradients: func(grads autograd.Gradients) { optim.ClipNorm(grads, 1) },
	}
	if err := c.Train(ctx, config, rows); err != nil {
		return err
	}
	scores, err := train.PredictData(ctx, config, unseen)
	if err != nil {
		return err
	}
	matrix := metrics.NewConfusionMatrix(scores.ArgMax(1), unseen.Labels, verses.GroupNames()...)
	c.Result("network=%s rows=%d epochs=%d test_accuracy=%.4f test_macro_f1=%.4f", name, rows.Rows(), c.Epochs, matrix.Accuracy(), matrix.Macro().F1)
	c.Print("%s", matrix.Report())
	return c.WritePage("words.html", net.page(known.words, test[:min(40, len(test))], unseen))
}

// costOf returns the loss: a cross entropy in which rare groups weigh more, by
// the root of how much rarer they are.
func costOf(groups autograd.Ints) func(scores autograd.Value, labels autograd.Ints) autograd.Value {
	weights := autograd.Zeros(len(verses.GroupNames()))
	for _, group := range groups.Values() {
		weights.Raw64()[group]++
	}
	for group, count := range weights.Raw64() {
		weights.Raw64()[group] = 1 / math.Sqrt(max(1, count))
	}
	return func(scores autograd.Value, labels autograd.Ints) autograd.Value {
		return losses.CategoricalCrossEntropyLabelsWith(scores, labels, losses.Options{
			Logits: true, LabelSmoothing: 0.05, ClassWeights: scores.Graph().Constant(weights), Reduction: losses.WeightedMean,
		})
	}
}

// page shows which words mattered for the group that the network chose.
func (r *reader) page(words *text.Words, rows verses.Rows, encoded train.Data) shade.Page {
	page := shade.Page{
		Title:       "Words that mattered",
		Explanation: "Orange speaks for the group that the network chose, blue against it: the gradient of its score times the numbers of the word and of the pair that it ends.",
	}
	for i, row := range rows {
		ids := encoded.Ids[0].Take(i)
		group, shares := r.shares(ids, encoded.Ids[1].Take(i))
		verdict := "rightly"
		if verses.Group(group) != row.Group {
			verdict = "in truth " + row.Group.String()
		}
		text := shade.Text{Heading: fmt.Sprintf("%s, %s", verses.Group(group), verdict)}
		for k, share := range shares {
			text.Words = append(text.Words, shade.Word{Word: words.Token(ids.Values()[k]), Weight: share})
		}
		page.Texts = append(page.Texts, text)
	}
	return page
}
