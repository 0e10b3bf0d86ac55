package graphviz_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"nabla/graphviz"
	"nabla/internal/recording/recordingtest"
)

// A drawing with more than 30 weights shows layers, unless the weights are
// asked for.
func TestManyWeightsFold(t *testing.T) {
	small, large := recordingtest.HotelTasks[3], recordingtest.HotelTasks[3] // 2-3-3
	large.Sizes = []int{2, 5, 10, 3}
	const smallWeights, largeWeights = 2*3 + 3 + 3*3 + 3, 2*5 + 5 + 5*10 + 10 + 10*3 + 3
	weight := regexp.MustCompile(`param</FONT>|<B>[wb](\[\d,\d\])?\d*</B>`)
	first := []graphviz.Selection{graphviz.Sample(0)}
	for _, c := range []struct {
		name string
		o    graphviz.Options
		big  bool
		want int // weights with a box of their own
	}{
		{"small", graphviz.Options{Select: first}, false, smallWeights},
		{"small, fewer allowed", graphviz.Options{Select: first, MaxWeights: smallWeights - 1}, false, 0},
		{"small, as many allowed", graphviz.Options{Select: first, MaxWeights: smallWeights}, false, smallWeights},
		{"large", graphviz.Options{Select: first}, true, 0},
		{"large, backward", graphviz.Options{View: graphviz.Backward, Select: first}, true, 0},
		{"large, combined", graphviz.Options{View: graphviz.Combined, Select: first}, true, 0},
		{"large, in tensors", graphviz.Options{}, true, 6},
		{"large, all asked for", graphviz.Options{Select: first, MaxWeights: -1}, true, largeWeights},
		{"small course", graphviz.Options{View: graphviz.Course, Select: first}, false, smallWeights},
		{"large course", graphviz.Options{View: graphviz.Course, Select: first, Title: "hotels"}, true, 0},
	} {
		task := small
		if c.big {
			task = large
		}
		loss, _ := task.Record()
		var text bytes.Buffer
		if err := graphviz.Write(&text, loss, loss.Backward(), c.o); err != nil {
			t.Fatal(err)
		}
		if c.want == 6 { // tensors
			if got := strings.Count(text.String(), ">param ["); got != c.want {
				t.Errorf("%s: %d parameters, want %d", c.name, got, c.want)
			}
			continue
		}
		if got := len(weight.FindAllString(text.String(), -1)); (got > 0) != (c.want > 0) || got < c.want {
			t.Errorf("%s: %d weights, want %d", c.name, got, c.want)
		}
		if got, want := strings.Contains(text.String(), "weights: a box for each layer"), c.want == 0; got != want {
			t.Errorf("%s: that it is folded is said: %v, want %v", c.name, got, want)
		}
	}
}

// The view Neurons leaves out neurons of large layers and says how many.
func TestManyNeuronsFold(t *testing.T) {
	task := recordingtest.HotelTasks[3]
	task.Sizes = []int{2, 5, 10, 3}
	loss, _ := task.Record()
	for _, want := range []struct {
		most, lines, more int
		says              string
	}{
		{0, 2*3 + 3*3 + 3*3, 2, "24 of 90 weights"},
		{36, 2*4 + 4*4 + 4*3, 2, "36 of 90 weights"},
		{35, 2*3 + 3*3 + 3*3, 2, "24 of 90 weights"},
		{90, 90, 0, ""},
		{-1, 90, 0, ""},
		{1, 3, 4, "3 of 90 weights"}, // the first of each
	} {
		var text bytes.Buffer
		if err := graphviz.Write(&text, loss, loss.Backward(), graphviz.Options{View: graphviz.Neurons, MaxWeights: want.most}); err != nil {
			t.Fatal(err)
		}
		lines, more := strings.Count(text.String(), `arrowhead="none"`), strings.Count(text.String(), " more</FONT>")
		if lines != want.lines || more != want.more || !strings.Contains(text.String(), want.says) {
			t.Errorf("%d weights and %d signs of more, want %+v", lines, more, want)
		}
	}
}
