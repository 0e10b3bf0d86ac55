package losses_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gonum.org/v1/gonum/floats"

	"nabla/autograd"
	"nabla/losses"
)

// tensorJSON is a tensor of the reference vectors.
type tensorJSON struct {
	Shape []int
	Data  []float64
}

func (t *tensorJSON) tensor() autograd.Tensor { return autograd.NewTensor(t.Data, t.Shape...) }

// lossCase is a row of losses.json: see the README beside it.
type lossCase struct {
	Loss, Reduction, Note              string
	Prediction, Value, Cotangent, Grad tensorJSON
	Target, Weights                    *tensorJSON
	ClassWeights                       *tensorJSON `json:"class_weights"`
	Labels                             []int
	Floats                             []float64
	Tolerance                          float64
}

func readVectors(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile("../testdata/torch/" + name)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestAgainstPyTorch compares value and gradient of every vector.
func TestAgainstPyTorch(t *testing.T) {
	var vectors struct{ Cases []lossCase }
	readVectors(t, "losses.json", &vectors)
	seen := map[string]bool{}
	for i, c := range vectors.Cases {
		t.Run(fmt.Sprint(i, " ", c.Loss, " ", c.Reduction, " ", c.Note), func(t *testing.T) { c.check(t) })
		seen[c.Loss] = true
	}
	if len(seen) != 7 {
		t.Errorf("the vectors hold the losses %v", seen)
	}
}

func (c *lossCase) check(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	prediction := g.Variable(c.Prediction.tensor())
	loss := c.compute(t, g, prediction)
	if diff := c.diff(loss.Tensor(), c.Value); diff != "" {
		t.Errorf("value: %s", diff)
	}
	if diff := c.diff(loss.BackwardFrom(c.Cotangent.tensor()).Of(prediction), c.Grad); diff != "" {
		t.Errorf("gradient: %s", diff)
	}
}

func (c *lossCase) diff(got autograd.Tensor, want tensorJSON) string {
	tolerance := max(c.Tolerance, 1e-12)
	largest := floats.Norm(want.Data, math.Inf(1))
	return cmp.Diff(want.Shape, got.Shape()) +
		cmp.Diff(want.Data, got.Float64s(), cmpopts.EquateApprox(tolerance, 1e-12*largest))
}

// options returns the case's. The mean over labels with class weights, alone,
// divides by the weights in PyTorch.
func (c *lossCase) options(g *autograd.Graph) losses.Options {
	s := losses.Options{Logits: c.Loss == "bce_logits" || c.Loss == "cross_entropy_logits"}
	s.Reduction = map[string]losses.Reduction{
		"mean": losses.Mean, "weighted_mean": losses.WeightedMean, "sum": losses.Sum, "none": losses.None,
	}[c.Reduction]
	if c.Weights != nil {
		s.Weights = g.Constant(c.Weights.tensor())
	}
	if c.ClassWeights != nil {
		s.ClassWeights = g.Constant(c.ClassWeights.tensor())
		if c.Labels != nil && s.Reduction == losses.Mean {
			s.Reduction = losses.WeightedMean
		}
	}
	return s
}

func (c *lossCase) compute(t *testing.T, g *autograd.Graph, p autograd.Value) autograd.Value {
	s := c.options(g)
	if c.Labels != nil {
		return losses.CategoricalCrossEntropyLabelsWith(p, autograd.NewInts(c.Labels), s)
	}
	target := g.Constant(c.Target.tensor())
	switch c.Loss {
	case "mse":
		return losses.MSEWith(p, target, s)
	case "mae":
		return losses.MAEWith(p, target, s)
	case "huber":
		return losses.HuberWith(p, target, c.Floats[0], s)
	case "bce", "bce_logits":
		return losses.BinaryCrossEntropyWith(p, target, s)
	case "cross_entropy", "cross_entropy_logits":
		return losses.CategoricalCrossEntropyWith(p, target, s)
	}
	t.Fatalf("an unknown loss %q", c.Loss)
	return p
}
