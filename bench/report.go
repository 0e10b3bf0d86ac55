package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
)

// reporter returns a function that prints a result immediately, as a JSON
// object or a line of columns; for Markdown it does nothing.
func (o *options) reporter(w io.Writer) func(result) error {
	switch {
	case o.json:
		encoder := json.NewEncoder(w)
		return func(r result) error { return encoder.Encode(r.object()) }
	case o.markdown:
		return func(result) error { return nil }
	}
	headed := false
	return func(r result) error {
		if !headed {
			headed = true
			if _, err := io.WriteString(w, columnHeads); err != nil {
				return err
			}
		}
		_, err := io.WriteString(w, r.columns())
		return err
	}
}

// An object is a result in JSON; missing numbers are null.
type object struct {
	Workload  string   `json:"workload"`
	Precision int      `json:"precision"`
	Threads   int      `json:"threads"`
	Nabla     float64  `json:"nabla_us"`
	Peer      string   `json:"peer"`
	Other     *float64 `json:"peer_us"`
	Ratio     *float64 `json:"ratio"`
	GFLOPS    *float64 `json:"gflops"`
	Allocs    int      `json:"allocs"`
}

func (r result) object() object {
	return object{
		r.workload, r.setting.bits(), r.setting.threads, rounded(r.nabla),
		r.peer, orNull(r.other), orNull(r.ratio), orNull(r.gflops), r.allocs,
	}
}

func orNull(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	v = rounded(v)
	return &v
}

// rounded rounds a number to four digits; more would be noise.
func rounded(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	if err != nil {
		return v
	}
	return r
}

const columnFormat = "%-22s %4v %7v %12s  %-16s %12s %8s %8s %7v\n"

var columnHeads = fmt.Sprintf(columnFormat, "workload", "bits", "threads", "Nabla µs", "peer", "peer µs", "ratio", "GFLOP/s", "allocs")

func (r result) columns() string {
	return fmt.Sprintf(columnFormat, r.workload, r.setting.bits(), r.setting.threads, digits(r.nabla), r.peer, digits(r.other), digits(r.ratio), digits(r.gflops), r.allocs)
}

// digits writes a number with at least three digits, and nothing for NaN.
func digits(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return ""
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	default:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
}
