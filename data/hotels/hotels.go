package hotels

import (
	_ "embed"
	"strings"

	"nabla/data"
)

// Hotel is one row of the data.
type Hotel struct {
	DistanceMiles float64
	Rating        float64
	PriceUSD      float64
	Hot           bool   // the class of the binary task
	Category      string // the class of the multiclass task: "gold", "silver" or "bronze"
	Split         string // "train" or "test"
	LineSplit     string // "train" or "test" in the line task, empty if that does not use the row
}

// Rows is a list of hotels, in the order of the file.
type Rows []Hotel

//go:embed hotels.csv
var file string

// Load returns all 32 hotels. Each call returns a new slice.
func Load() Rows {
	rows, err := parse(Table())
	if err != nil {
		panic(err) // the file is embedded, and a test reads it
	}
	return rows
}

// Table returns the file as a table with the columns distance_mi, rating,
// price_usd, hot (yes or no), category, split and line_split.
func Table() *data.Table {
	table, err := data.ReadCSV(strings.NewReader(file))
	if err != nil {
		panic(err) // as in Load
	}
	return table
}

// Categories returns an encoder for the categories, from the lowest to the
// highest: bronze is 0, silver 1, gold 2.
func Categories() *data.Labels { return data.NewLabels("bronze", "silver", "gold") }

func parse(table *data.Table) (Rows, error) {
	numbers, err := table.Matrix("distance_mi", "rating", "price_usd")
	if err != nil {
		return nil, err
	}
	var texts [4][]string
	for i, column := range []string{"hot", "category", "split", "line_split"} {
		if texts[i], err = table.Strings(column); err != nil {
			return nil, err
		}
	}
	rows := make(Rows, table.Rows())
	for i := range rows {
		rows[i] = Hotel{
			DistanceMiles: numbers.At(i, 0),
			Rating:        numbers.At(i, 1),
			PriceUSD:      numbers.At(i, 2),
			Hot:           texts[0][i] == "yes",
			Category:      texts[1][i],
			Split:         texts[2][i],
			LineSplit:     texts[3][i],
		}
	}
	return rows, nil
}

// Train returns the 24 rows to train on.
func (r Rows) Train() Rows { return r.where(func(h Hotel) bool { return h.Split == "train" }) }

// Test returns the 8 rows to test on.
func (r Rows) Test() Rows { return r.where(func(h Hotel) bool { return h.Split == "test" }) }

// LineTrain returns the 8 training rows of the line task.
func (r Rows) LineTrain() Rows { return r.where(func(h Hotel) bool { return h.LineSplit == "train" }) }

// LineTest returns the 4 test rows of the line task.
func (r Rows) LineTest() Rows { return r.where(func(h Hotel) bool { return h.LineSplit == "test" }) }

func (r Rows) where(keep func(Hotel) bool) Rows {
	var kept Rows
	for _, h := range r {
		if keep(h) {
			kept = append(kept, h)
		}
	}
	return kept
}

// Features returns distance in miles and rating: a matrix [rows, 2].
func (r Rows) Features() data.Matrix { return data.Beside(r.Distances(), r.Ratings()) }

// Distances returns the distances in miles: a matrix [rows, 1].
func (r Rows) Distances() data.Matrix {
	return r.column(func(h Hotel) float64 { return h.DistanceMiles })
}

// Ratings returns the ratings: a matrix [rows, 1].
func (r Rows) Ratings() data.Matrix { return r.column(func(h Hotel) float64 { return h.Rating }) }

// Prices returns the prices in dollars: a matrix [rows, 1].
func (r Rows) Prices() data.Matrix { return r.column(func(h Hotel) float64 { return h.PriceUSD }) }

// Hot returns 1 for each hot hotel and 0 for the others: a matrix [rows, 1].
func (r Rows) Hot() data.Matrix {
	return r.column(func(h Hotel) float64 {
		if h.Hot {
			return 1
		}
		return 0
	})
}

func (r Rows) column(number func(Hotel) float64) data.Matrix {
	column := data.NewMatrix(len(r), 1)
	for i, h := range r {
		column.Values[i] = number(h)
	}
	return column
}

// Categories returns the category of each hotel; the encoder returned by the
// function of the same name converts them to numbers or one-hot rows.
func (r Rows) Categories() []string {
	categories := make([]string, len(r))
	for i, h := range r {
		categories[i] = h.Category
	}
	return categories
}
