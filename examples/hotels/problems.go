package main

import (
	"fmt"

	"nabla/autograd"
	"nabla/data"
	"nabla/data/hotels"
	"nabla/metrics"
	"nabla/page"
	"nabla/train"
)

// A problem is what to learn, and how predictions are judged.
type problem struct {
	train, test train.Data
	space       space  // the data as the page shows it
	metric      string // the metric in the result line
	measure     func(prediction, target autograd.Tensor) measures
}

// measures are the metrics of predictions.
type measures struct {
	metric float64 // the problem's
	text   string  // all of them
	matrix *metrics.ConfusionMatrix
}

// A space is the training rows in the reader's units, and the conversion to the
// network's units and back.
type space struct {
	names    []string    // of the features
	features data.Matrix // not standardised
	targets  []float64
	scaler   data.Standard                         // of the features
	units    func(autograd.Tensor) autograd.Tensor // predictions in the reader's units
	answer   func(autograd.Tensor) float64         // a prediction for one row, in the reader's units: a price, a probability or a class
	columns  page.Columns                          // what the network's outputs are
	classes  []string                              // the names of the targets 0, 1, 2, if they are classes
	target   string                                // what the targets are
}

// split returns a problem with training and test rows, whose features are
// standardised with the training rows' mean and standard deviation.
func split(trainX, trainY, testX, testY data.Matrix) problem {
	scaler := data.FitStandard(trainX)
	return problem{
		train: train.Data{Inputs: scaler.Transform(trainX).Tensor(), Targets: trainY.Tensor()},
		test:  train.Data{Inputs: scaler.Transform(testX).Tensor(), Targets: testY.Tensor()},
		space: space{
			names: []string{"distance", "rating"}[:trainX.Cols], features: trainX, targets: trainY.Values, scaler: scaler,
			units:   func(y autograd.Tensor) autograd.Tensor { return y },
			answer:  func(y autograd.Tensor) float64 { return y.At(0, 0) },
			columns: page.Columns{Names: []string{"price"}, Units: []string{"$"}}, target: "price in $",
		},
	}
}

// line is the price by the distance alone.
func line() problem {
	rows, rest := hotels.Load().LineTrain(), hotels.Load().LineTest()
	p := split(rows.Distances(), rows.Prices(), rest.Distances(), rest.Prices())
	p.metric, p.measure = "mse", dollars(func(y autograd.Tensor) autograd.Tensor { return y })
	return p
}

// prices is the price by distance and rating. The network learns standardised
// prices; they are reported in dollars.
func prices() problem {
	rows, rest := hotels.Load().Train(), hotels.Load().Test()
	scaler := data.FitStandard(rows.Prices())
	inDollars := func(y autograd.Tensor) autograd.Tensor { return scaler.Inverse(data.FromTensor(y)).Tensor() }
	p := split(rows.Features(), scaler.Transform(rows.Prices()), rest.Features(), scaler.Transform(rest.Prices()))
	p.metric, p.measure = "mse", dollars(inDollars)
	p.space.targets = rows.Prices().Values
	p.space.units = inDollars
	p.space.answer = func(y autograd.Tensor) float64 { return inDollars(y).At(0, 0) }
	p.space.columns.Scaler = scaler
	return p
}

// dollars returns a measure of prices, which inDollars converts from the
// network's units.
func dollars(inDollars func(autograd.Tensor) autograd.Tensor) func(prediction, target autograd.Tensor) measures {
	return func(prediction, target autograd.Tensor) measures {
		p, t := inDollars(prediction), inDollars(target)
		mse := metrics.MSE(p, t)
		return measures{mse, fmt.Sprintf("MSE %.4f  MAE %.4f  R² %.4f", mse, metrics.MAE(p, t), metrics.R2(p, t)), nil}
	}
}

// hot is whether a hotel is a hot deal, by distance and rating.
func hot() problem {
	rows, rest := hotels.Load().Train(), hotels.Load().Test()
	p := split(rows.Features(), rows.Hot(), rest.Features(), rest.Hot())
	p.space.columns, p.space.classes = page.Columns{Names: []string{"hot"}}, []string{"not hot", "hot"}
	p.metric, p.measure = "accuracy", func(prediction, target autograd.Tensor) measures {
		m := metrics.NewConfusionMatrix(metrics.Classes(prediction), metrics.Classes(target), "not hot", "hot")
		text := fmt.Sprintf("accuracy %.4f  ROC AUC %.4f", m.Accuracy(), metrics.ROCAUC(prediction, target))
		return measures{m.Accuracy(), text, m}
	}
	return p
}

// category is a hotel's category, by distance and rating.
func category() problem {
	rows, rest := hotels.Load().Train(), hotels.Load().Test()
	labels := hotels.Categories()
	p := split(rows.Features(), oneHot(labels, rows), rest.Features(), oneHot(labels, rest))
	p.metric, p.measure = "accuracy", func(prediction, target autograd.Tensor) measures {
		m := metrics.NewConfusionMatrix(metrics.Classes(prediction), metrics.Classes(target), labels.Classes()...)
		return measures{m.Accuracy(), fmt.Sprintf("accuracy %.4f  macro F1 %.4f", m.Accuracy(), m.Macro().F1), m}
	}
	p.space.targets = floats(metrics.Classes(p.train.Targets).Values())
	p.space.answer = func(y autograd.Tensor) float64 { return float64(metrics.Classes(y).Item()) }
	p.space.columns, p.space.classes = page.Columns{Names: labels.Classes()}, labels.Classes()
	return p
}

func oneHot(labels *data.Labels, rows hotels.Rows) data.Matrix {
	m, err := labels.OneHot(rows.Categories())
	if err != nil {
		panic(err) // cannot happen: the categories come from the embedded file
	}
	return m
}

func floats(classes []int) []float64 {
	all := make([]float64, len(classes))
	for i, class := range classes {
		all[i] = float64(class)
	}
	return all
}
