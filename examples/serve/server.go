package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"nabla/train"
)

// The limits of a request, and of all that are under way.
const (
	mostRows  = 64
	mostBytes = 16 << 10
	mostBusy  = 256
)

// A handler answers requests for predictions.
type handler struct {
	predictor *train.Predictor
	mux       *http.ServeMux
	busy      chan struct{} // a token for each request under way
	spare     sync.Pool     // of *request

	requests, refused atomic.Int64
}

// A request is the memory of one, which others use after it.
type request struct {
	body        bytes.Buffer
	flat        []float64 // the inputs
	predictions []float64
	answer      []byte
}

func newHandler(model train.Model) (*handler, error) {
	p, err := train.NewPredictor(model, []int{2}, train.PredictorOptions{MaxRows: mostRows})
	if err != nil {
		return nil, err
	}
	h := &handler{predictor: p, mux: http.NewServeMux(), busy: make(chan struct{}, mostBusy)}
	h.spare.New = func() any { return new(request) }
	h.mux.HandleFunc("POST /predict", h.predict)
	h.mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	return h, nil
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// predict answers {"inputs": [[distance, rating], …]}.
func (h *handler) predict(w http.ResponseWriter, r *http.Request) {
	h.requests.Add(1)
	select {
	case h.busy <- struct{}{}:
		defer func() { <-h.busy }()
	default:
		h.refuse(w, http.StatusServiceUnavailable, errors.New("too many requests at once"))
		return
	}
	q := h.spare.Get().(*request)
	defer h.spare.Put(q)
	if err := q.read(http.MaxBytesReader(w, r.Body, mostBytes), h.predictor.Inputs()); err != nil {
		status := http.StatusBadRequest
		if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
			status = http.StatusRequestEntityTooLarge
		}
		h.refuse(w, status, err)
		return
	}
	if err := q.predict(h.predictor); err != nil {
		status := http.StatusInternalServerError
		if bad := (*train.RequestError)(nil); errors.As(err, &bad) {
			status = http.StatusBadRequest
		}
		h.refuse(w, status, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(q.answer)
}

// refuse answers with what is wrong.
func (h *handler) refuse(w http.ResponseWriter, status int, err error) {
	h.refused.Add(1)
	text, _ := json.Marshal(map[string]string{"error": err.Error()}) // a string can be marshaled
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(text, '\n'))
}

// read decodes the body of a request, whose rows have so many numbers. What is
// decoded into is fresh: a null would leave what stood there before.
func (q *request) read(body io.Reader, width int) error {
	q.body.Reset()
	if _, err := q.body.ReadFrom(body); err != nil {
		return err
	}
	var asked struct {
		Inputs [][]*float64 `json:"inputs"`
	}
	decoder := json.NewDecoder(&q.body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("there is more behind the request")
	}
	q.flat = q.flat[:0]
	for i, row := range asked.Inputs {
		if len(row) != width {
			return fmt.Errorf("row %d has %d numbers, want %d", i, len(row), width)
		}
		for j, v := range row {
			if v == nil {
				return fmt.Errorf("number %d of row %d is null", j, i)
			}
			q.flat = append(q.flat, *v)
		}
	}
	return nil
}

// predict makes the answer.
func (q *request) predict(p *train.Predictor) error {
	rows := len(q.flat) / p.Inputs()
	q.predictions = slices.Grow(q.predictions[:0], rows*p.Outputs())[:rows*p.Outputs()]
	if err := p.Predict(q.predictions, q.flat); err != nil {
		return err
	}
	q.answer = append(q.answer[:0], `{"predictions":[`...)
	for i := range rows {
		if i > 0 {
			q.answer = append(q.answer, ',')
		}
		row, err := json.Marshal(q.predictions[i*p.Outputs() : (i+1)*p.Outputs()])
		if err != nil {
			return err
		}
		q.answer = append(q.answer, row...)
	}
	q.answer = append(q.answer, "]}\n"...)
	return nil
}
