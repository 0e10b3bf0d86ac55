package verses_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/data/verses"
)

func Example() {
	all := verses.Load()
	train, test := all.Train(), all.Test()
	first := train[0]
	fmt.Println(len(train), len(test))
	fmt.Println(verses.Book(first.Book), first.Group, first.English, first.Spanish)
	// Output:
	// 10497 1167
	// Genesis law And God said, Let there be light: and there was light. Y dijo Dios: Sea la luz: y fué la luz.
}

// Rows that anyone can look up, one of each group.
func TestKnownVerses(t *testing.T) {
	all := verses.Load()
	for _, want := range []struct {
		book    string
		group   verses.Group
		english string
	}{
		{"Genesis", verses.Law, "In the beginning God created the heaven and the earth."},
		{"1 Chronicles", verses.History, "Adam, Sheth, Enosh,"},
		{"Psalms", verses.Poetry, "The LORD is my shepherd; I shall not want."},
		{"Ecclesiastes", verses.Poetry, "Vanity of vanities, saith the Preacher, vanity of vanities; all is vanity."},
		{"Jonah", verses.Prophecy, "Now the word of the LORD came unto Jonah the son of Amittai, saying,"},
		{"John", verses.Gospels, "Jesus wept."},
		{"Philippians", verses.Letters, "Rejoice in the Lord alway: and again I say, Rejoice."},
		{"Revelation", verses.Letters, "The grace of our Lord Jesus Christ be with you all. Amen."},
	} {
		found := false
		for _, v := range all {
			if verses.Book(v.Book) == want.book && v.English == want.english {
				found = true
				if v.Group != want.group {
					t.Errorf("%q is %v, want %v", v.English, v.Group, want.group)
				}
			}
		}
		if !found {
			t.Errorf("%s lacks %q", want.book, want.english)
		}
	}
}

func TestSplitAndGroups(t *testing.T) {
	all := verses.Load()
	if len(all) != 11664 {
		t.Fatalf("%d verses", len(all))
	}
	for i, v := range all {
		if (v.Split == "test") != (i%10 == 0) {
			t.Fatalf("row %d is for %s", i, v.Split)
		}
		if !utf8.ValidString(v.English+v.Spanish) || v.English == "" || v.Spanish == "" {
			t.Errorf("row %d: %v", i, v)
		}
		if n := max(len(strings.Fields(v.English)), len(strings.Fields(v.Spanish))); n > 20 {
			t.Errorf("row %d has %d words", i, n)
		}
		if i > 0 && v.Book < all[i-1].Book {
			t.Errorf("row %d: book %d after %d", i, v.Book, all[i-1].Book)
		}
	}
	// As counted by a script over the file.
	for _, part := range []struct {
		rows verses.Rows
		want []int
	}{
		{all, []int{1717, 1784, 3718, 1081, 2040, 1324}},
		{all.Test(), []int{172, 179, 371, 108, 204, 133}},
	} {
		got := make([]int, 6)
		for _, label := range part.rows.Groups().Values() {
			got[label]++
		}
		if diff := cmp.Diff(part.want, got); diff != "" {
			t.Errorf("groups (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff([]string{"law", "history", "poetry", "prophecy", "gospels and Acts", "letters"}, verses.GroupNames()); diff != "" {
		t.Error(diff)
	}
	if e, s := all.English(), all.Spanish(); e[2] != all[2].English || s[2] != all[2].Spanish || len(e) != len(all) || len(s) != len(all) {
		t.Error("the texts are not those of the verses")
	}
	if got := verses.Group(6).String() + verses.Group(-1).String(); got != "unknownunknown" {
		t.Errorf("a group that is none: %s", got)
	}
}

func TestBook(t *testing.T) {
	if verses.Book(1) != "Genesis" || verses.Book(40) != "Matthew" || verses.Book(66) != "Revelation" {
		t.Error("the books are not in their order")
	}
	for _, number := range []int{0, 67, -1} {
		var index *autograd.IndexError
		if err := autograd.Try(func() { verses.Book(number) }); !errors.As(err, &index) {
			t.Errorf("book %d: %v", number, err)
		}
	}
}
