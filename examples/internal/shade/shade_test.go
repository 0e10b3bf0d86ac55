package shade

import (
	"math"
	"strings"
	"testing"
)

func TestGround(t *testing.T) {
	for weight, want := range map[float64]string{
		0: "background:rgb(255,255,255)", 1: "background:rgb(230,159,0)", -1: "background:rgb(86,180,233)",
		0.5: "background:rgb(243,207,128)", 7: "background:rgb(230,159,0)",
	} {
		if got := string(ground(weight)); got != want {
			t.Errorf("ground(%v) = %s, want %s", weight, got, want)
		}
	}
	if got := string(ground(math.NaN())); got != "background:rgb(255,255,255)" {
		t.Errorf("NaN is %s", got)
	}
}

// Words come as they are, also those that look like HTML.
func TestWrite(t *testing.T) {
	var out strings.Builder
	err := Page{
		Title: "A & B",
		Texts: []Text{
			{Heading: "words", Words: []Word{{"<b>", 1, "so much"}, {"two", 0, ""}}},
			{Heading: "characters", Words: []Word{{"a", 0, ""}, {" ", -1, ""}}, Joined: true},
		},
	}.Write(&out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<h1>A &amp; B</h1>",
		`<span class="word" style="background:rgb(230,159,0)" title="so much">&lt;b&gt;</span> <span class="word" style="background:rgb(255,255,255)">two</span>`,
		`<p class="joined"><span class="word" style="background:rgb(255,255,255)">a</span><span class="word" style="background:rgb(86,180,233)"> </span></p>`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing in\n%s", want, out.String())
		}
	}
}
