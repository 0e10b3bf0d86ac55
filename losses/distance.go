package losses

import "nabla/autograd"

// The losses of distances compare vectors, which lie along the last axis. There
// is one loss for each row.

// Triplet returns the mean loss of rows of which the anchor is to be nearer to
// the positive one than to the negative one, by the margin: with Euclidean
// distances d, the mean of
//
//	max(0, d(anchor, positive) − d(anchor, negative) + margin)
//
// PyTorch adds 1e-6 to each difference. Here equal vectors have the distance 0,
// and its gradient there is 0.
//
// It panics with an *[autograd.ShapeError] if the shapes differ or there is no
// axis, and with an *[autograd.ArgumentError] if the margin is negative or not
// finite. The mean of nothing is NaN.
func Triplet(anchor, positive, negative autograd.Value, margin float64) autograd.Value {
	return TripletWith(anchor, positive, negative, margin, Options{})
}

// TripletWith is [Triplet] with another reduction or weights. With Swap the
// negative one's distance is that to the anchor or to the positive one,
// whichever is less.
func TripletWith(anchor, positive, negative autograd.Value, margin float64, options Options) autograd.Value {
	const op = "Triplet"
	mustBeFrom0(op, "margin", margin)
	mustBePair(op, anchor, positive)
	mustBePair(op, anchor, negative)
	mustBeRows(op, anchor)
	g := options.begin(op, swap, anchor, none)
	defer g.Leave()
	far := distance(anchor, negative)
	if options.Swap {
		far = far.Minimum(distance(positive, negative))
	}
	return options.reduce(op, distance(anchor, positive).Sub(far).AddScalar(margin).ReLU(), none)
}

// Contrastive returns the mean loss of pairs of rows that are to be near to
// each other where the target t is 1, and at least the margin apart where it is
// 0: with the Euclidean distance d, the mean of
//
//	t·d² + (1−t)·max(0, margin − d)²
//
// The paper has half of it. Equal vectors that are to be apart have a gradient
// of 0: there is no direction to go.
//
// It panics with an *[autograd.ShapeError] if the shapes differ, there is no
// axis, or the targets are not one for each row, and with an
// *[autograd.ArgumentError] if one is neither 0 nor 1, or the margin is
// negative or not finite. The mean of nothing is NaN.
//
// Hadsell, Chopra and LeCun, Dimensionality Reduction by Learning an Invariant
// Mapping, 2006.
func Contrastive(first, second, target autograd.Value, margin float64) autograd.Value {
	return ContrastiveWith(first, second, target, margin, Options{})
}

// ContrastiveWith is [Contrastive] with another reduction or weights.
func ContrastiveWith(first, second, target autograd.Value, margin float64, options Options) autograd.Value {
	const op = "Contrastive"
	g := options.beginPairs(op, first, second, target, 0, margin)
	defer g.Leave()
	d := distance(first, second)
	near, far := d.Square(), d.Neg().AddScalar(margin).ReLU().Square()
	return options.reduce(op, target.Mul(near).Add(target.Neg().AddScalar(1).Mul(far)), none)
}

// CosineEmbedding returns the mean loss of pairs of rows that are to point in
// the same direction where the target is 1, and not to where it is −1: with
// cos = x·y / √((x·x + 1e-12)(y·y + 1e-12)), as PyTorch has it, the mean of
//
//	1 − cos                 where the target is 1
//	max(0, cos − margin)    where it is −1
//
// It panics as [Contrastive] does, but for targets that are neither −1 nor 1.
func CosineEmbedding(first, second, target autograd.Value, margin float64) autograd.Value {
	return CosineEmbeddingWith(first, second, target, margin, Options{})
}

// CosineEmbeddingWith is [CosineEmbedding] with another reduction or weights.
func CosineEmbeddingWith(first, second, target autograd.Value, margin float64, options Options) autograd.Value {
	const op = "CosineEmbedding"
	g := options.beginPairs(op, first, second, target, -1, margin)
	defer g.Leave()
	squares := func(x autograd.Value) autograd.Value { return x.Square().Sum(-1).AddScalar(1e-12) }
	cos := first.Mul(second).Sum(-1).Div(squares(first).Mul(squares(second)).Sqrt())
	alike, apart := cos.Neg().AddScalar(1), cos.AddScalar(-margin).ReLU()
	return options.reduce(op, autograd.Where(target.GreaterScalar(0), alike, apart), none)
}

// beginPairs checks pairs of rows with a target each, which is 1 or the other
// number, and opens the scope of their loss.
func (o *Options) beginPairs(op string, first, second, target autograd.Value, other, margin float64) *autograd.Graph {
	mustBeFrom0(op, "margin", margin)
	mustBePair(op, first, second)
	mustBeRows(op, first)
	mustBeGiven(op, "target", target)
	fits := target.Rank() == first.Rank()-1
	for axis := 0; fits && axis < target.Rank(); axis++ {
		fits = target.Dim(axis) == first.Dim(axis)
	}
	if !fits {
		panic(autograd.NewShapeError("losses: "+op, "the targets are not one for each row", first.Shape(), target.Shape()))
	}
	mustBeOneOf(op, target, other, 1)
	return o.begin(op, 0, first, target)
}

// mustBeRows panics for a scalar.
func mustBeRows(op string, x autograd.Value) {
	if x.Rank() == 0 {
		panic(autograd.NewShapeError("losses: "+op, "a scalar has no axis along which a vector lies", x.Shape()))
	}
}

// distance returns the Euclidean distance of each pair of rows.
func distance(x, y autograd.Value) autograd.Value { return x.Sub(y).Norm(2, -1) }
