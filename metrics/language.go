package metrics

import "math"

// Perplexity returns e to the power of a mean cross entropy: a network that
// draws the next token with it is as unsure as among that many equally probable
// tokens.
func Perplexity(crossEntropy float64) float64 { return math.Exp(crossEntropy) }

// Bits returns a mean cross entropy, which losses give in natural logarithms,
// in bits: what a token takes if the network's probabilities compress a text.
func Bits(crossEntropy float64) float64 { return crossEntropy / math.Ln2 }
