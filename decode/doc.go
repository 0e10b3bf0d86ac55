// Package decode chooses what a network writes: the next token from its scores,
// or a whole text by beam search.
//
//	next := decode.Sample(rng, logits, decode.Options{Temperature: 0.8, TopK: 40}).Item()
//
// [Sample] draws from the softmax of logits, [Greedy] takes the largest. Both
// take a tensor [rows, vocabulary] too, and return an id for each row.
//
// # Beam search
//
// [Beam] keeps the most probable beginnings of a text and continues them by a
// function that runs the network for one step:
//
//	found := decode.Beam(step, decode.BeamOptions{Width: 4, Start: 1, End: 2, MaxLength: 30})
//
// The function gets, for each text that is still going on, its last token and
// the row of the step before that it goes on from. It brings the network's
// state into that order, be it of an LSTM or a key–value cache, and returns a
// row of log-probabilities for each:
//
//	step := func(tokens, parents []int) autograd.Tensor {
//		states = pick(states, parents)
//		return advance(states, tokens) // [len(tokens), vocabulary]
//	}
//
// [BeamBatch] does so for several texts at once, such as the translations of
// several sentences, in fewer and larger steps.
//
// # Ties
//
// Of equal scores the lower id comes first, and of equal continuations the one
// whose beginning ranks first. The same numbers and the same seed give the same
// text.
package decode
