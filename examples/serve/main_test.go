package main

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"nabla/autograd"
	"nabla/data"
	"nabla/data/hotels"
	"nabla/train"
)

func newServer(t *testing.T) (*handler, *httptest.Server, *network) {
	t.Helper()
	n, err := learn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h, err := newHandler(n)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return h, s, n
}

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	answer, err := http.Post(url+"/predict", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// The answers are the network's predictions, scaled by hand.
func TestAnswers(t *testing.T) {
	_, s, n := newServer(t)
	rows := hotels.Load().Train()
	features, price := data.FitStandard(rows.Features()), data.FitStandard(rows.Prices())
	scaled, err := train.Predict(t.Context(), n.Net, features.Transform(rows.Features()).Tensor())
	if err != nil {
		t.Fatal(err)
	}
	want := price.Inverse(data.FromTensor(scaled)).Values
	var asked struct {
		Inputs [][]float64 `json:"inputs"`
	}
	for _, r := range rows {
		asked.Inputs = append(asked.Inputs, []float64{r.DistanceMiles, r.Rating})
	}
	body, _ := json.Marshal(asked)
	status, text := post(t, s.URL, string(body))
	var got struct{ Predictions [][]float64 }
	if err := json.Unmarshal([]byte(text), &got); err != nil || status != 200 || len(got.Predictions) != len(rows) {
		t.Fatalf("%d %s: %v", status, text, err)
	}
	sum := 0.0
	for i, w := range want {
		if math.Abs(got.Predictions[i][0]-w) > 1e-9 {
			t.Errorf("row %d: %v, want %v", i, got.Predictions[i], w)
		}
		sum += (w - rows[i].PriceUSD) * (w - rows[i].PriceUSD)
	}
	if mse := sum / float64(len(rows)); mse > 100 {
		t.Errorf("the network has not learned: its error is %v", mse)
	}
}

func TestRefuses(t *testing.T) {
	h, s, _ := newServer(t)
	for _, test := range []struct {
		body   string
		status int
		text   string
	}{
		{`{"inputs": [[1, 2]]}`, 200, `{"predictions":[[`},
		{`{"inputs": [[1, null]]}`, 400, "number 1 of row 0 is null"},
		{`{"inputs": [[1, 2], [1]]}`, 400, "row 1 has 1 numbers, want 2"},
		{`{"inputs": []}`, 400, "there are no inputs"},
		{`{}`, 400, "there are no inputs"},
		{`{"inputs": [[1e400, 2]]}`, 400, "cannot unmarshal number 1e400"},
		{`{"inputs": [[NaN, 2]]}`, 400, "invalid character"},
		{`{"input": [[1, 2]]}`, 400, "unknown field"},
		{`{"inputs": [[1, 2]]} {}`, 400, "more behind"},
		{`{"inputs": [[1, 2]`, 400, "unexpected EOF"},
		{`{"inputs": [[1, 2]` + strings.Repeat(",[1,2]", 64) + `]}`, 400, "65 rows, at most 64 are allowed"},
		{`{"inputs": [[1, 2]` + strings.Repeat(",[1,2]", 5000) + `]}`, 413, "too large"},
		{`{"inputs": [[1e308, 1e308]]}`, 500, "prediction"},
	} {
		if status, text := post(t, s.URL, test.body); status != test.status || !strings.Contains(text, test.text) {
			t.Errorf("%.40s: %d %s, want %d %s", test.body, status, text, test.status, test.text)
		}
	}
	if n := h.refused.Load(); n != 12 {
		t.Errorf("%d refused", n)
	}
	for path, want := range map[string]int{"/predict": 405, "/other": 404, "/health": 200} {
		answer, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, answer.StatusCode, want)
		}
	}
	for range mostBusy {
		h.busy <- struct{}{}
	}
	if status, _ := post(t, s.URL, `{"inputs": [[1, 2]]}`); status != 503 {
		t.Errorf("of too many requests one got %d", status)
	}
}

// A request that is under way when the server is told to end is answered, and
// nothing is left behind.
func TestEndsGracefully(t *testing.T) {
	h, _, _ := newServer(t)
	before := runtime.NumGoroutine()
	entered, leave := make(chan struct{}), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-leave
		h.ServeHTTP(w, r)
	})
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- answer(ctx, listener, slow) }()
	status := make(chan int, 1)
	go func() {
		code, _ := post(t, "http://"+listener.Addr().String(), `{"inputs": [[1, 2]]}`)
		status <- code
	}()
	<-entered
	stop()
	select {
	case err := <-ended:
		t.Fatalf("ended with a request under way: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(leave)
	if code := <-status; code != 200 {
		t.Errorf("the request under way got %d", code)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		t.Error("it still listens")
	}
	settle(t, before)
}

// settle waits until there are as few goroutines as before.
func settle(t *testing.T, before int) {
	t.Helper()
	for range 200 {
		http.DefaultClient.CloseIdleConnections()
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, there were %d", runtime.NumGoroutine(), before)
}

// Many requests over several connections are all answered, and leave no
// goroutines.
func TestLoad(t *testing.T) {
	h, s, _ := newServer(t)
	before := runtime.NumGoroutine()
	var out strings.Builder
	for _, l := range []load{{100 * time.Millisecond, 4, 0, 3}, {100 * time.Millisecond, 2, 200, 1}} {
		if err := l.run(t.Context(), s.URL+"/predict", &out); err != nil {
			t.Fatal(err)
		}
	}
	if h.requests.Load() < 6 || h.refused.Load() != 0 || !strings.Contains(out.String(), "3 rows each\ntime to answer: half within ") {
		t.Errorf("%d requests, %d refused, printed\n%s", h.requests.Load(), h.refused.Load(), out.String())
	}
	s.CloseClientConnections()
	settle(t, before)
	if err := (load{50 * time.Millisecond, 1, 0, 65}).run(t.Context(), s.URL+"/predict", &out); err == nil || !strings.Contains(err.Error(), "65 rows, at most 64") {
		t.Errorf("of requests that are refused: %v", err)
	}
}

func TestServe(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, "localhost:0", "", w) }()
	line := make([]byte, 200)
	n, err := r.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	url := strings.TrimSuffix(strings.TrimPrefix(string(line[:n]), "listening at "), "/predict\n")
	if status, text := post(t, url, `{"inputs": [[1, 2]]}`); status != 200 {
		t.Errorf("%d %s", status, text)
	}
	stop()
	n, err = r.Read(line)
	if err != nil || !strings.HasPrefix(string(line[:n]), "1 requests, 0 refused, ") {
		t.Errorf("printed %q, %v", line[:n], err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := serve(t.Context(), "nowhere:-1", "", io.Discard); err == nil {
		t.Error("it serves nowhere")
	}
}

// The file has all that a prediction needs: it is written once, and read then.
func TestOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hotels.safetensors")
	written, err := open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	read, err := open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	x := autograd.NewTensor([]float64{1.5, 4.2, 20, 2.1}, 2, 2)
	want, err := train.Predict(t.Context(), written, x)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := train.Predict(t.Context(), read, x); err != nil || !got.Equal(want) {
		t.Errorf("got %v, want %v, error %v", got, want, err)
	}
	if err := os.WriteFile(file, []byte("no network"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t.Context(), file); err == nil {
		t.Error("a file that holds no network was taken")
	}
}
