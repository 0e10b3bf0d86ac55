package plot

import (
	"math"
	"strings"

	"nabla/train"
)

// sparkWidth is how many columns a line of blocks has at most.
const sparkWidth = 60

// Spark returns a training's loss by epoch in one line for a terminal: that of
// the validation, or of the training if there is none. Of more epochs than
// columns, each column is the mean of several.
//
//	loss 0.6931 ▇▆▄▃▂▂▁▁ 0.0412
func Spark(history train.History) string {
	name, losses := "loss", make([]float64, len(history))
	for i, e := range history {
		losses[i] = e.Train.Loss
		if e.Validation != nil {
			name, losses[i] = "validation loss", e.Validation.Loss
		}
	}
	if len(losses) == 0 {
		return "no epochs"
	}
	return name + " " + short(losses[0]) + " " + SparkLine(losses) + " " + short(losses[len(losses)-1])
}

// SparkLine returns numbers as blocks of eight heights, from the least to the
// greatest, at most 60 columns wide. A column whose numbers are NaN or infinite
// is an ×.
func SparkLine(values []float64) string {
	columns := min(len(values), sparkWidth)
	means := make([]float64, columns)
	lo, hi := math.Inf(1), math.Inf(-1)
	for i := range means {
		part := values[i*len(values)/columns : (i+1)*len(values)/columns]
		for _, v := range part {
			means[i] += v / float64(len(part))
		}
		if isFinite(means[i]) {
			lo, hi = math.Min(lo, means[i]), math.Max(hi, means[i])
		}
	}
	blocks := []rune("▁▂▃▄▅▆▇█")
	var text strings.Builder
	for _, v := range means {
		switch {
		case !isFinite(v):
			text.WriteRune('×')
		case hi == lo:
			text.WriteRune(blocks[0])
		default:
			part := (v/2 - lo/2) / (hi/2 - lo/2) // halves, whose difference is finite
			text.WriteRune(blocks[int(math.Round(part*float64(len(blocks)-1)))])
		}
	}
	return text.String()
}
