package hotels_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/data"
	"nabla/data/hotels"
)

func Example() {
	all := hotels.Load()
	train, test := all.Train(), all.Test()
	scaler := data.FitStandard(train.Features())
	features := scaler.Transform(train.Features()) // [24, 2]: distance and rating, standardised
	fmt.Println(features.Rows, features.Cols, test.Prices().Values[0])
	// Output: 24 2 156
}

func TestLoad(t *testing.T) {
	all := hotels.Load()
	sizes := map[string]int{
		"all": len(all), "train": len(all.Train()), "test": len(all.Test()),
		"line train": len(all.LineTrain()), "line test": len(all.LineTest()),
	}
	want := map[string]int{"all": 32, "train": 24, "test": 8, "line train": 8, "line test": 4}
	if diff := cmp.Diff(want, sizes); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	first := hotels.Hotel{DistanceMiles: 0.2, Rating: 3.5, PriceUSD: 157, Hot: true, Category: "silver", Split: "train"}
	if diff := cmp.Diff(first, all[0]); diff != "" {
		t.Errorf("first row (-want +got):\n%s", diff)
	}
	seventh := hotels.Hotel{DistanceMiles: 1.6, Rating: 2.6, PriceUSD: 140, Category: "bronze", Split: "train", LineSplit: "train"}
	if diff := cmp.Diff(seventh, all[6]); diff != "" {
		t.Errorf("seventh row (-want +got):\n%s", diff)
	}
}

// Every label in the file follows the rule in the package comment, except for
// the one named there.
func TestLabelsFollowTheRule(t *testing.T) {
	departures := 0
	for _, h := range hotels.Load() {
		hot := h.Rating >= 4.2 || h.DistanceMiles <= 2 && h.Rating >= 3.5
		if hot != h.Hot {
			departures++
			if h.DistanceMiles != 19.8 || h.Rating != 3.6 || !h.Hot {
				t.Errorf("%+v: the rule says hot is %t", h, hot)
			}
		}
		category := "bronze"
		switch {
		case h.Rating >= 3.8:
			category = "gold"
		case h.Rating >= 3.0:
			category = "silver"
		}
		if category != h.Category {
			t.Errorf("%+v: the rule says %s", h, category)
		}
		if h.Split != "train" && h.Split != "test" {
			t.Errorf("%+v: split", h)
		}
		if h.LineSplit != "train" && h.LineSplit != "test" && h.LineSplit != "" {
			t.Errorf("%+v: line split", h)
		}
	}
	if departures != 1 {
		t.Errorf("%d labels depart from the rule, want 1", departures)
	}
}

// Compares the typed fields with the table's cells; hot must be yes or no.
func TestColumns(t *testing.T) {
	all, table := hotels.Load(), hotels.Table()
	want, err := table.Matrix("distance_mi", "rating", "price_usd")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, data.Beside(all.Features(), all.Prices())); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
	answers, err := table.Strings("hot")
	if err != nil {
		t.Fatal(err)
	}
	hot, err := data.NewLabels("no", "yes").OneHot(answers)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(hot.Column(1), all.Hot().Values); diff != "" {
		t.Errorf("hot (-want +got):\n%s", diff)
	}
	if _, err := hotels.Categories().Encode(all.Categories()); err != nil {
		t.Error(err)
	}
	categories, err := table.Strings("category")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(categories, all.Categories()); diff != "" {
		t.Errorf("categories (-want +got):\n%s", diff)
	}
}

func TestLoadReturnsANewSlice(t *testing.T) {
	hotels.Load()[0].PriceUSD = -1
	if got := hotels.Load()[0].PriceUSD; got != 157 {
		t.Errorf("the price of the first hotel is %v after a change of another copy", got)
	}
}

// The course's first task, one neuron on the distance, in plain loops: this
// checks the rows, their order and the scaling independently of autograd.
func TestLineTask(t *testing.T) {
	all := hotels.Load()
	train, test := all.LineTrain(), all.LineTest()
	scaler := data.FitStandard(train.Distances())
	x, y := scaler.Transform(train.Distances()).Values, train.Prices().Values
	const epochs, rate = 100, 0.08
	w, b := 0.0, 0.0
	for range epochs {
		dw, db := 0.0, 0.0
		for i := range x {
			dz := 2 * (w*x[i] + b - y[i]) / float64(len(x))
			dw += x[i] * dz
			db += dz
		}
		w -= rate * dw
		b -= rate * db
	}
	testX := scaler.Transform(test.Distances()).Values
	for _, figure := range []struct {
		name      string
		got, want float64
	}{
		{"w", w, -20.99390026956422},
		{"b", b, 124.87499665493849},
		{"train MSE", lineMSE(w, b, x, y), 16.3655028589447},
		{"test MSE", lineMSE(w, b, testX, test.Prices().Values), 144.46627035641458},
	} {
		if math.Abs(figure.got-figure.want) > 1e-12*math.Abs(figure.want) {
			t.Errorf("%s = %v, want %v", figure.name, figure.got, figure.want)
		}
	}
}

func lineMSE(w, b float64, x, y []float64) float64 {
	sum := 0.0
	for i := range x {
		e := w*x[i] + b - y[i]
		sum += e * e
	}
	return sum / float64(len(x))
}
