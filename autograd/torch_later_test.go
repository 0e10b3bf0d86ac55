package autograd_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"nabla/autograd"
)

// laterOperations stand for those of testdata/torch_ops.json.
var laterOperations = map[string]torchFunction{
	"sort": func(c torchCase, in []autograd.Value) autograd.Value {
		return in[0].Sort(c.Ints[0][0], c.Ints[1][0] == 1)
	},
	"argsort": func(c torchCase, in []autograd.Value) autograd.Value {
		return indices(in[0], in[0].ArgSort(c.Ints[0][0], c.Ints[1][0] == 1))
	},
	"top_k": func(c torchCase, in []autograd.Value) autograd.Value { return in[0].TopK(c.Ints[1][0], c.Ints[0][0]) },
	"arg_top_k": func(c torchCase, in []autograd.Value) autograd.Value {
		return indices(in[0], in[0].ArgTopK(c.Ints[1][0], c.Ints[0][0]))
	},
	"cummax": torchAxis(autograd.Value.CumMax), "arg_cummax": torchIndices(autograd.Value.ArgCumMax),
	"cummin": torchAxis(autograd.Value.CumMin), "arg_cummin": torchIndices(autograd.Value.ArgCumMin),
	"logcumsumexp": torchAxis(autograd.Value.LogCumSumExp),

	"fmod": torchTwo(autograd.Value.Fmod), "remainder": torchTwo(autograd.Value.Remainder),
	"lerp":   func(_ torchCase, in []autograd.Value) autograd.Value { return lerp(in...) },
	"erfinv": torchOne(autograd.Value.ErfInv), "logit": torchOne(autograd.Value.Logit), "sinc": torchOne(autograd.Value.Sinc),
	"glu": torchAxis(autograd.Value.GLU),

	"embedding": func(c torchCase, in []autograd.Value) autograd.Value {
		return in[0].EmbeddingWith(autograd.NewInts(c.Ints[1], c.Ints[0]...), padded(c.Ints[2]...))
	},
	"index_add": func(c torchCase, in []autograd.Value) autograd.Value {
		return in[0].IndexAdd(c.Ints[0][0], autograd.NewInts(c.Ints[1], len(c.Ints[1])), in[1])
	},
	"segment_sum": torchSegments(autograd.Value.SegmentSum), "segment_mean": torchSegments(autograd.Value.SegmentMean),
	"segment_max": torchSegments(autograd.Value.SegmentMax), "segment_softmax": torchSegments(autograd.Value.SegmentSoftmax),
}

func torchSegments(f func(x autograd.Value, segments autograd.Ints, n int) autograd.Value) torchFunction {
	return func(c torchCase, in []autograd.Value) autograd.Value {
		return f(in[0], autograd.NewInts(c.Ints[0], len(c.Ints[0])), c.Ints[1][0])
	}
}

func torchIndices(f func(x autograd.Value, axis int) autograd.Ints) torchFunction {
	return func(c torchCase, in []autograd.Value) autograd.Value { return indices(in[0], f(in[0], c.Ints[0][0])) }
}

// indices returns integers as numbers.
func indices(x autograd.Value, index autograd.Ints) autograd.Value {
	numbers := make([]float64, index.Size())
	for i, v := range index.Values() {
		numbers[i] = float64(v)
	}
	return x.Graph().Constant(autograd.NewTensor(numbers, index.Shape()...))
}

func init() {
	for name, f := range laterOperations {
		torchOperations[name] = f
	}
}

// TestLaterTorchVectors compares operations that PyTorch 1.13 did not give the
// numbers for with PyTorch 2.14.
func TestLaterTorchVectors(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "torch_ops.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []torchCase }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 100 {
		t.Fatalf("only %d cases were read", len(file.Cases))
	}
	for i, c := range file.Cases {
		t.Run(fmt.Sprintf("%03d_%s", i, c.Op), func(t *testing.T) { c.check(t) })
	}
}
