package main

import (
	"fmt"

	"nabla/autograd"
	"nabla/data"
	"nabla/data/hotels"
	"nabla/metrics"
	"nabla/train"
)

// A problem is what is to be learned, and how predictions are judged.
type problem struct {
	train, test train.Data
	metric      string // that stands in the result line
	measure     func(prediction, target autograd.Tensor) measures
}

// measures are what is read of predictions.
type measures struct {
	metric float64 // the problem's
	text   string  // all of them
	matrix *metrics.ConfusionMatrix
}

// split returns features and targets of two sets of rows, the features
// standardised with the training rows' mean and standard deviation.
func split(trainX, trainY, testX, testY data.Matrix) (training, test train.Data) {
	scaler := data.FitStandard(trainX)
	training = train.Data{Inputs: scaler.Transform(trainX).Tensor(), Targets: trainY.Tensor()}
	test = train.Data{Inputs: scaler.Transform(testX).Tensor(), Targets: testY.Tensor()}
	return training, test
}

// line is the price by the distance alone.
func line() problem {
	rows, rest := hotels.Load().LineTrain(), hotels.Load().LineTest()
	p := problem{metric: "mse", measure: dollars(func(y autograd.Tensor) []float64 { return y.Float64s() })}
	p.train, p.test = split(rows.Distances(), rows.Prices(), rest.Distances(), rest.Prices())
	return p
}

// prices is the price by distance and rating. The network learns standardised
// prices; they are reported in dollars.
func prices() problem {
	rows, rest := hotels.Load().Train(), hotels.Load().Test()
	scaler := data.FitStandard(rows.Prices())
	p := problem{metric: "mse", measure: dollars(func(y autograd.Tensor) []float64 {
		return scaler.Inverse(data.FromTensor(y)).Values
	})}
	p.train, p.test = split(rows.Features(), scaler.Transform(rows.Prices()), rest.Features(), scaler.Transform(rest.Prices()))
	return p
}

// dollars measures prices, which inDollars gets from tensors.
func dollars(inDollars func(autograd.Tensor) []float64) func(prediction, target autograd.Tensor) measures {
	return func(prediction, target autograd.Tensor) measures {
		p, t := inDollars(prediction), inDollars(target)
		mse := metrics.MSE(p, t)
		return measures{mse, fmt.Sprintf("MSE %.4f  MAE %.4f  R² %.4f", mse, metrics.MAE(p, t), metrics.R2(p, t)), nil}
	}
}

// hot is whether a hotel is a hot deal, by distance and rating.
func hot() problem {
	rows, rest := hotels.Load().Train(), hotels.Load().Test()
	p := problem{metric: "accuracy", measure: func(prediction, target autograd.Tensor) measures {
		predicted, actual := prediction.Float64s(), target.Float64s()
		m := metrics.NewConfusionMatrix(metrics.Threshold(predicted, 0.5), metrics.Threshold(actual, 0.5), "not hot", "hot")
		text := fmt.Sprintf("accuracy %.4f  ROC AUC %.4f", m.Accuracy(), metrics.ROCAUC(predicted, actual))
		return measures{m.Accuracy(), text, m}
	}}
	p.train, p.test = split(rows.Features(), rows.Hot(), rest.Features(), rest.Hot())
	return p
}

// category is a hotel's category, by distance and rating.
func category() problem {
	rows, rest := hotels.Load().Train(), hotels.Load().Test()
	labels := hotels.Categories()
	p := problem{metric: "accuracy", measure: func(prediction, target autograd.Tensor) measures {
		m := metrics.NewConfusionMatrix(classes(prediction), classes(target), labels.Classes()...)
		return measures{m.Accuracy(), fmt.Sprintf("accuracy %.4f  macro F1 %.4f", m.Accuracy(), m.Macro().F1), m}
	}}
	p.train, p.test = split(rows.Features(), oneHot(labels, rows), rest.Features(), oneHot(labels, rest))
	return p
}

func oneHot(labels *data.Labels, rows hotels.Rows) data.Matrix {
	m, err := labels.OneHot(rows.Categories())
	if err != nil {
		panic(err) // the categories are those of the embedded file
	}
	return m
}

// classes returns the most probable class of each row.
func classes(probabilities autograd.Tensor) []int {
	g := autograd.NewGraph(autograd.Options{NoGrad: true})
	return g.Constant(probabilities).ArgMax(1).Values()
}
