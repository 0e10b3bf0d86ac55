package main

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/examples/internal/command"
)

// The club has 34 members and 78 friendships, each noted once, and half of the
// members went with the officer. The numbers of friends are Zachary's.
func TestTheClub(t *testing.T) {
	friends, pairs := make([]int, members), map[[2]int]bool{}
	for a, list := range friendships {
		for _, b := range list {
			if b <= a || b >= members || pairs[[2]int{a, b}] {
				t.Errorf("%d and %d", a, b)
			}
			pairs[[2]int{a, b}] = true
			friends[a]++
			friends[b]++
		}
	}
	want := []int{16, 9, 10, 6, 3, 4, 4, 4, 5, 2, 3, 1, 2, 5, 2, 2, 2, 2, 2, 3, 2, 2, 2, 5, 3, 3, 2, 4, 3, 4, 4, 6, 12, 17}
	if diff := cmp.Diff(want, friends); diff != "" {
		t.Error(diff)
	}
	if shape := edges().Shape(); len(pairs) != 78 || !slices.Equal(shape, []int{2, 156}) || len(officers) != 17 {
		t.Errorf("%d friendships, edges %v, %d officers", len(pairs), shape, len(officers))
	}
}

// From two sides the network finds those of at least 32 of the 34, from
// several seeds, and draws all members and friendships inside the picture.
func TestFindsTheSides(t *testing.T) {
	for seed := range uint64(3) {
		var out strings.Builder
		c := command.New("karate", 300).To(&out)
		c.Seed, c.Out, c.Results = seed+1, t.TempDir(), true
		if err := run(c); err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^result epochs=300 right=3[234] of=34 seed=\d seconds=\d+\n$`).MatchString(out.String()) {
			t.Errorf("printed %q", out.String())
		}
		checkDrawing(t, filepath.Join(c.Out, "karate.svg"))
	}
}

func checkDrawing(t *testing.T, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	count := map[string]int{}
	for d := xml.NewDecoder(file); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok {
			count[start.Name.Local]++
		}
	}
	want := map[string]int{"svg": 1, "line": 78, "circle": 34, "title": 34, "text": 34}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Error(diff)
	}
}

// Without training nothing is known but what chance gives.
func TestKnowsNothingAtFirst(t *testing.T) {
	var out strings.Builder
	c := command.New("karate", 1).To(&out)
	c.Out = ""
	if err := run(c); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "is given to the wrong side") < 5 {
		t.Errorf("after one epoch: %s", out.String())
	}
}
