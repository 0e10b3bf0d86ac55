package losses_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gonum.org/v1/gonum/floats"

	"nabla/autograd"
	"nabla/losses"
)

// A newCase is a row of testdata/torch.json, which the script beside it wrote
// with the version of PyTorch that it names.
type newCase struct {
	Loss, Note string
	Inputs     []tensorJSON
	Labels     *struct{ Shape, Data []int }
	Floats     []float64
	Options    struct {
		Reduction    string
		ClassAxis    int `json:"class_axis"`
		Ignore       []int
		Smoothing    float64
		ClassWeights *tensorJSON `json:"class_weights"`
		PosWeight    *tensorJSON `json:"pos_weight"`
		Logits, Swap bool
		LogTarget    bool `json:"log_target"`
		Full         bool
	}
	Value, Cotangent tensorJSON
	Grads            []*tensorJSON
}

func (c *newCase) labels() autograd.Ints {
	return autograd.NewInts(c.Labels.Data, c.Labels.Shape...)
}

func (c *newCase) options(g *autograd.Graph) losses.Options {
	o := losses.Options{
		ClassAxis: c.Options.ClassAxis, IgnoreIndex: c.Options.Ignore, LabelSmoothing: c.Options.Smoothing,
		Logits: c.Options.Logits, LogTarget: c.Options.LogTarget, Swap: c.Options.Swap, Full: c.Options.Full,
		Reduction: map[string]losses.Reduction{"weighted_mean": losses.WeightedMean, "sum": losses.Sum, "none": losses.None}[c.Options.Reduction],
	}
	if c.Options.ClassWeights != nil {
		o.ClassWeights = g.Constant(c.Options.ClassWeights.tensor())
	}
	if c.Options.PosWeight != nil {
		o.PosWeight = g.Constant(c.Options.PosWeight.tensor())
	}
	return o
}

// ofCase are the losses by their names in the file.
var ofCase = map[string]func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value{
	"labels": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.CategoricalCrossEntropyLabelsWith(x[0], c.labels(), o)
	},
	"targets": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.CategoricalCrossEntropyWith(x[0], x[1], o)
	},
	"bce": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.BinaryCrossEntropyWith(x[0], x[1], o)
	},
	"binary_focal": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.BinaryFocalWith(x[0], x[1], c.Floats[0], o)
	},
	"focal_labels": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.CategoricalFocalLabelsWith(x[0], c.labels(), c.Floats[0], o)
	},
	"dice": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.DiceWith(x[0], x[1], c.Floats[0], o)
	},
	"dice_labels": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.DiceLabelsWith(x[0], c.labels(), c.Floats[0], o)
	},
	"kl": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.KLDivergenceWith(x[0], x[1], o)
	},
	"hinge": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.HingeWith(x[0], x[1], o)
	},
	"squared_hinge": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.SquaredHingeWith(x[0], x[1], o)
	},
	"log_cosh": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.LogCoshWith(x[0], x[1], o)
	},
	"margin_ranking": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.MarginRankingWith(x[0], x[1], x[2], c.Floats[0], o)
	},
	"triplet": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.TripletWith(x[0], x[1], x[2], c.Floats[0], o)
	},
	"contrastive": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.ContrastiveWith(x[0], x[1], x[2], c.Floats[0], o)
	},
	"cosine_embedding": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.CosineEmbeddingWith(x[0], x[1], x[2], c.Floats[0], o)
	},
	"gaussian": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.GaussianNLLWith(x[0], x[1], x[2], o)
	},
	"poisson": func(c *newCase, x []autograd.Value, o losses.Options) autograd.Value {
		return losses.PoissonNLLWith(x[0], x[1], o)
	},
}

func readCases(t *testing.T) []newCase {
	t.Helper()
	var file struct {
		Torch string
		Cases []newCase
	}
	text, err := os.ReadFile("testdata/torch.json")
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err != nil || len(file.Cases) < 50 {
		t.Fatal(len(file.Cases), err)
	}
	return file.Cases
}

// Value and gradient of the losses that PyTorch has in its newer version, or
// that their papers define.
func TestAgainstNewerPyTorch(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range readCases(t) {
		seen[c.Loss] = true
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			t.Run(fmt.Sprint(c.Loss, " ", c.Note, " ", precision), func(t *testing.T) { c.check(t, precision) })
		}
	}
	if len(seen) != len(ofCase) {
		t.Errorf("the vectors hold the losses %v", seen)
	}
}

func (c *newCase) check(t *testing.T, precision autograd.Precision) {
	g := autograd.NewGraph(autograd.Options{Precision: precision})
	var in []autograd.Value
	for i := range c.Inputs {
		if c.Grads[i] == nil {
			in = append(in, g.Constant(c.Inputs[i].tensor()))
		} else {
			in = append(in, g.Variable(c.Inputs[i].tensor()))
		}
	}
	loss := ofCase[c.Loss](c, in, c.options(g))
	c.compare(t, "value", c.Value, loss.Tensor())
	grads := loss.BackwardFrom(c.Cotangent.tensor().In(precision))
	for i, want := range c.Grads {
		if want != nil {
			c.compare(t, fmt.Sprint("gradient ", i), *want, grads.Of(in[i]))
		}
	}
}

func (c *newCase) compare(t *testing.T, what string, want tensorJSON, got autograd.Tensor) {
	t.Helper()
	tolerance := 1e-12
	if got.Precision() == autograd.Float32 {
		tolerance = 2e-5
	}
	near := cmpopts.EquateApprox(tolerance, tolerance*max(floats.Norm(want.Data, 1)/float64(len(want.Data)), 1e-3))
	if diff := cmp.Diff(want.Shape, got.Shape()) + cmp.Diff(want.Data, got.Float64s(), near); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}
