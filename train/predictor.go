package train

import (
	"fmt"
	"math"
	"sync"

	"nabla/autograd"
)

// PredictorOptions are the settings of a [Predictor].
type PredictorOptions struct {
	Precision autograd.Precision // of the computation
	MaxRows   int                // of one request; 0: 64
}

// A Predictor predicts for services: any number of goroutines call it at once,
// it allocates nothing once it is warm, and what is wrong with a request is an
// error.
//
//	p, err := train.NewPredictor(model, []int{2}, train.PredictorOptions{})
//	if err != nil {
//		return err
//	}
//	…
//	err = p.Predict(prices, features) // one row after the other
//
// It holds a graph for each call that was under way at the same time as
// others, and memory for the rows that such calls had. Nothing may write the
// model's parameters while it predicts.
type Predictor struct {
	model   Model
	shape   []int // of a row
	in, out int   // numbers of a row
	options PredictorOptions

	lock sync.Mutex
	free []*seat
}

// A seat is what one call at a time uses.
type seat struct {
	graph  *autograd.Graph
	inputs map[int]autograd.Tensor // by the number of rows, a power of 2
	run    func()                  // records what is asked for: made once, so that a call allocates nothing
	rows   int
	result autograd.Value
}

// A RequestError says what is wrong with a request to a [Predictor].
type RequestError struct{ Reason string }

func (e *RequestError) Error() string { return "train: Predictor: " + e.Reason }

// NewPredictor returns a Predictor for rows of inputs of that shape, which is
// empty for one number: the model gets [rows, shape…]. It tries the model with
// zeros, and returns what fails. A model may have randomness of its own only if
// it may be called by several goroutines.
func NewPredictor(model Model, shape []int, options PredictorOptions) (*Predictor, error) {
	const op = "train: NewPredictor"
	p := &Predictor{model: model, shape: append([]int{}, shape...), in: 1, options: options}
	orElse(&p.options.MaxRows, 64)
	var s *seat
	err := autograd.Try(func() {
		if model == nil {
			panic(autograd.NewArgumentError(op, "there is no Model"))
		}
		if options.MaxRows < 0 {
			panic(autograd.NewArgumentError(op, "MaxRows is %d", options.MaxRows))
		}
		for _, n := range shape {
			if n < 1 {
				panic(autograd.NewShapeError(op, "a row has no numbers", shape))
			}
			p.in *= n
		}
		s = p.newSeat()
		s.rows = 1
		s.run()
		p.out = s.result.Size()
	})
	if err != nil {
		return nil, err
	}
	p.free = append(p.free, s)
	return p, nil
}

// Inputs returns how many numbers a row of inputs has.
func (p *Predictor) Inputs() int { return p.in }

// Outputs returns how many numbers the prediction for a row has.
func (p *Predictor) Outputs() int { return p.out }

// MaxRows returns the largest number of rows of a request.
func (p *Predictor) MaxRows() int { return p.options.MaxRows }

// Predict writes the predictions for rows of inputs, one after the other, to
// dst, which must have room for exactly them. On an error dst holds nothing of
// use. The error is
//
//   - a *[RequestError] if the inputs are no whole rows, none, more than
//     MaxRows, or not all finite, or if dst has another size;
//   - an *[autograd.NonFiniteError] if a prediction is NaN or infinite;
//   - another of autograd's typed errors if the model panics with one.
func (p *Predictor) Predict(dst, inputs []float64) error {
	if err := p.check(dst, inputs); err != nil {
		return err
	}
	s := p.seat()
	defer p.giveBack(s)
	for left := len(inputs) / p.in; left > 0; {
		rows := 1
		for 2*rows <= left {
			rows *= 2
		}
		if err := p.predict(s, dst[:rows*p.out], inputs[:rows*p.in], rows); err != nil {
			return err
		}
		dst, inputs, left = dst[rows*p.out:], inputs[rows*p.in:], left-rows
	}
	return nil
}

// check returns what is wrong with a request.
func (p *Predictor) check(dst, inputs []float64) error {
	rows := len(inputs) / p.in
	switch {
	case len(inputs) == 0:
		return &RequestError{"there are no inputs"}
	case len(inputs)%p.in != 0:
		return &RequestError{fmt.Sprintf("%d numbers are no whole rows of %d", len(inputs), p.in)}
	case rows > p.options.MaxRows:
		return &RequestError{fmt.Sprintf("%d rows, at most %d are allowed", rows, p.options.MaxRows)}
	case len(dst) != rows*p.out:
		return &RequestError{fmt.Sprintf("room for %d numbers, the predictions for %d rows are %d", len(dst), rows, rows*p.out)}
	}
	limit := math.MaxFloat64
	if p.options.Precision == autograd.Float32 {
		limit = math.MaxFloat32
	}
	for i, v := range inputs {
		if !(math.Abs(v) <= limit) {
			return &RequestError{fmt.Sprintf("number %d of row %d is %v", i%p.in, i/p.in, v)}
		}
	}
	return nil
}

// predict is Predict for a number of rows that is a power of 2.
func (p *Predictor) predict(s *seat, dst, inputs []float64, rows int) error {
	s.rows = rows
	x := s.input(p, rows)
	if p.options.Precision == autograd.Float32 {
		narrow(x.Raw32(), inputs)
	} else {
		copy(x.Raw64(), inputs)
	}
	if err := autograd.Try(s.run); err != nil {
		return err
	}
	if s.result.Size() != len(dst) {
		return autograd.NewShapeError("train: Predictor", "the model's predictions for one row and for several differ in width", s.result.Shape(), []int{rows, p.out})
	}
	y := s.result.View()
	if p.options.Precision == autograd.Float32 {
		for i, v := range y.Raw32() {
			dst[i] = float64(v)
		}
	} else {
		copy(dst, y.Raw64())
	}
	for i, v := range dst {
		if !isFinite(v) {
			return &autograd.NonFiniteError{
				Op: "Predictor", Name: "prediction", Value: v, Index: i, Shapes: [][]int{{rows, p.out}},
				Location: autograd.NewArgumentError("train", "").Location,
			}
		}
	}
	return nil
}

func narrow(dst []float32, src []float64) {
	for i, v := range src {
		dst[i] = float32(v)
	}
}

func (p *Predictor) newSeat() *seat {
	s := &seat{
		graph:  autograd.NewGraph(autograd.Options{Precision: p.options.Precision, NoGrad: true}),
		inputs: map[int]autograd.Tensor{},
	}
	s.run = func() {
		s.graph.Reset()
		s.result = p.model.Forward(s.graph.Constant(s.input(p, s.rows)))
		if s.result.Rank() == 0 || s.result.Dim(0) != s.rows {
			panic(autograd.NewShapeError("train: Model", "the prediction and the inputs differ in rows", s.result.Shape(), append([]int{s.rows}, p.shape...)))
		}
	}
	return s
}

// input returns the memory for rows of inputs.
func (s *seat) input(p *Predictor, rows int) autograd.Tensor {
	x, ok := s.inputs[rows]
	if !ok {
		x = autograd.Zeros(append([]int{rows}, p.shape...)...).In(p.options.Precision)
		s.inputs[rows] = x
	}
	return x
}

func (p *Predictor) seat() *seat {
	p.lock.Lock()
	defer p.lock.Unlock()
	n := len(p.free)
	if n == 0 {
		return p.newSeat()
	}
	s := p.free[n-1]
	p.free = p.free[:n-1]
	return s
}

func (p *Predictor) giveBack(s *seat) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.free = append(p.free, s)
}
