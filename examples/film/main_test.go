package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFilm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "film.html")
	if err := film(path); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"A hotel's price, by distance and rating", `"distance"`, `"miles"`} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if err := film(filepath.Join(path, "in a file")); err == nil {
		t.Error("a path that is none gave no error")
	}
}
