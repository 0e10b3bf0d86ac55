package text_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/data/text"
	"nabla/data/verses"
)

func Example() {
	if err := padded(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// [2 4] [4 2] the end
	// [1 4 5] [4 5 2]
}

func padded() error {
	sentences := []string{"the end, the", "the end"}
	words, err := text.NewWords(sentences, 2) // those that occur at least twice
	if err != nil {
		return err
	}
	rows, err := text.EncodeAll(words, sentences)
	if err != nil {
		return err
	}
	ids, lengths := text.Pad(rows) // [rows, steps] and [rows]
	fmt.Println(ids.Shape(), lengths.Values(), words.Decode(rows[1]))
	read, next := text.Following(rows)
	fmt.Println(read[1], next[1])
	return nil
}

func ExampleBytePairs() {
	pairs := text.NewBytePairs([]string{"the other father and the other mother"}, 8)
	ids, err := pairs.Encode("another brother")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, id := range ids {
		fmt.Printf("%q ", pairs.Token(id))
	}
	row := ids
	row = append(append([]int{text.Start}, row...), text.End)
	fmt.Println(pairs.Decode(row))
	// Output: "a" "n" "other" " " "b" "r" "other" another brother
}

// hard are texts on which a tokeniser may stumble.
var hard = []string{
	"", " ", "  ", "a", " a", "a ", "a  b", "a   b ", "\n", "a\nb", "a \n b", "\t\ta",
	"Now, then: (so be it) said he; “and” ‘not’ «this»—that.", "¿Qué? ¡No!", "¿ Qué ?¡No !",
	"son’s sons’ 'tis well-beloved - -- a-b-c a- -b don't ' ’", "12 3.14 1,000th x2",
	"( a )( b )", "((a))", "a(b)c", "e\u0301tude \u0301", "日本語のテキスト。", "\u00a0a\u00a0 b", "İstanbul ǅ ß",
	"\ufffd a\ufffd", "a\r\nb", "👩‍👩‍👧 family", "<end> <join>", "\x00\x7f", "…a… b …", "\u2028x",
	"a\\b \"c\" d", strings.Repeat("ab", 100), strings.Repeat(" ", 200) + "x", strings.Repeat("é", 99),
}

func corpus() []string {
	all := verses.Load()
	return append(append(all.English()[:3000:3000], all.Spanish()[:3000]...), hard...)
}

// roundTrip fails unless Decode gives back what was encoded, with all ids in
// range and none of the first four.
func roundTrip(t *testing.T, to text.Tokenizer, s string) {
	t.Helper()
	ids, err := to.Encode(s)
	if err != nil {
		t.Fatalf("%T: %q: %v", to, s, err)
	}
	for _, id := range ids {
		if id <= text.Unknown || id >= to.Size() {
			t.Fatalf("%T: %q has the id %d", to, s, id)
		}
	}
	if got := to.Decode(ids); got != s {
		t.Fatalf("%T: %q became %q", to, s, got)
	}
	around := append(append([]int{text.Start}, ids...), text.End, text.Padding, text.Padding)
	if got := to.Decode(around); got != s {
		t.Fatalf("%T: with ids around it, %q became %q", to, s, got)
	}
}

// tokenizers returns one of each kind, of texts.
func tokenizers(t testing.TB, texts []string) []text.Tokenizer {
	t.Helper()
	characters, err := text.NewCharacters(texts)
	if err != nil {
		t.Fatal(err)
	}
	words, err := text.NewWords(texts, 1)
	if err != nil {
		t.Fatal(err)
	}
	return []text.Tokenizer{characters, words, text.NewBytePairs(texts, 300)}
}

func TestRoundTrip(t *testing.T) {
	texts := corpus()
	for _, to := range tokenizers(t, texts) {
		for _, s := range texts {
			roundTrip(t, to, s)
		}
	}
}

// Any text is given back by tokenisers that have learned it, and any bytes by
// byte pairs.
func FuzzRoundTrip(f *testing.F) {
	for _, s := range hard {
		f.Add(s, "the theatre (then)")
	}
	f.Add("\xff\xc3(\xe2\x82", "\xff\xff\xff")
	f.Fuzz(func(t *testing.T, s, learned string) {
		roundTrip(t, text.NewBytePairs([]string{learned}, 20), s)
		if utf8.ValidString(s) {
			for _, to := range tokenizers(t, []string{s}) {
				roundTrip(t, to, s)
			}
			return
		}
		_, err := text.NewWords([]string{"a", s}, 1)
		var bad *text.UTF8Error
		if !errors.As(err, &bad) || bad.Row != 1 || !utf8.ValidString(s[:bad.Byte]) || utf8.ValidString(s) {
			t.Errorf("%q: %v", s, err)
		}
	})
}

func TestCharacters(t *testing.T) {
	c, err := text.NewCharacters([]string{"bañ", "ab"})
	if err != nil {
		t.Fatal(err)
	}
	ids, err := c.Encode("abñ¡")
	if diff := cmp.Diff([]int{4, 5, 6, text.Unknown}, ids); diff != "" || err != nil {
		t.Errorf("%v, (-want +got)\n%s", err, diff)
	}
	if got := c.Decode(ids); got != "abñ�" || c.Size() != 7 {
		t.Errorf("%q, %d ids", got, c.Size())
	}
	if got := []string{c.Token(0), c.Token(1), c.Token(2), c.Token(3), c.Token(6)}; !slices.Equal(got, []string{"<padding>", "<start>", "<end>", "<unknown>", "ñ"}) {
		t.Errorf("tokens %q", got)
	}
}

// pieces returns the tokens of a text.
func pieces(t *testing.T, to text.Tokenizer, s string) (tokens []string) {
	t.Helper()
	ids, err := to.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		tokens = append(tokens, to.Token(id))
	}
	return tokens
}

func TestWords(t *testing.T) {
	for s, want := range map[string][]string{
		"And God said, Let there be light: and": {"And", "God", "said", ",", "Let", "there", "be", "light", ":", "and"},
		"¿Qué es (esto)? ¡No!":                  {"¿", "Qué", "es", "(", "esto", ")", "?", "¡", "No", "!"},
		"his son’s sons’ well-beloved":          {"his", "son’s", "sons", "’", "well-beloved"},
		"a,b":                                   {"a", ",", "<join>", "b"},
		"a  b":                                  {"a", " ", " ", "b"},
		" a , b ":                               {" ", "a", " ", ",", "b", " "},
		"one\ntwo":                              {"one", "\n", "two"},
		"3.14":                                  {"3", ".", "<join>", "14"},
	} {
		w, err := text.NewWords([]string{s}, 1)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, pieces(t, w, s)); diff != "" {
			t.Errorf("%q (-want +got)\n%s", s, diff)
		}
	}
}

// Frequent words have low ids, rare ones none; what is unknown shows.
func TestWordsThreshold(t *testing.T) {
	texts := []string{"b a c, b", "a b d, b a. e", "e"}
	w, err := text.NewWords(texts, 2)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for id := 4; id < w.Size(); id++ {
		all = append(all, w.Token(id))
	}
	if diff := cmp.Diff([]string{"b", "a", ",", "e"}, all); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	ids, _ := w.Encode("a c, b")
	if diff := cmp.Diff([]int{5, text.Unknown, 6, 4}, ids) + cmp.Diff("a �, b", w.Decode(ids)); diff != "" {
		t.Error(diff)
	}
}

func TestWordsLower(t *testing.T) {
	w, err := text.NewWordsWith([]string{"The the THE Ñ"}, 1, text.WordsOptions{Lower: true})
	if err != nil {
		t.Fatal(err)
	}
	ids, _ := w.Encode("tHe ñ")
	if got := w.Decode(ids); got != "the ñ" || w.Size() != 6 {
		t.Errorf("%q of %d ids", got, w.Size())
	}
}

// slowPieces cuts a text by the rules of the comment.
func slowPieces(s string) (pieces []string) {
	class := func(r rune) int {
		switch {
		case strings.ContainsRune(" \t\n\v\f\r\u0085\u00a0\u2028\u2029", r):
			return 0
		case r >= '0' && r <= '9':
			return 1
		case r == utf8.RuneError || r < 0x80 && !(r|32 >= 'a' && r|32 <= 'z') || strings.ContainsRune("¿¡“”‘’«»—…👩👧。\u200d", r):
			return 2
		}
		return 3
	}
	runes := func(s string) (all []string) {
		for s != "" {
			_, n := utf8.DecodeRuneInString(s)
			all, s = append(all, s[:n]), s[n:]
		}
		return all
	}
	of := func(c string) int { r, _ := utf8.DecodeRuneInString(c); return class(r) }
	all := runes(s)
	for i := 0; i < len(all); {
		j := i + 1
		k := of(all[i])
		if all[i] == " " && j < len(all) && of(all[j]) != 0 {
			k = of(all[j])
			j++
		}
		for j < len(all) && of(all[j]) == k && len(strings.Join(all[i:j+1], "")) <= 64 {
			j++
		}
		if k == 0 && j < len(all) && of(all[j]) != 0 && j-i > 1 && all[j-1] == " " {
			j--
		}
		pieces = append(pieces, strings.Join(all[i:j], ""))
		i = j
	}
	return pieces
}

// learnSlowly is a twin of NewBytePairs that counts all pairs anew each time,
// on pieces that slowPieces cuts, and of Encode, which merges each pair in
// turn.
func learnSlowly(texts []string, merges int) (learned [][2]int, encode func(string) []int) {
	var words [][]int
	for _, s := range texts {
		for _, piece := range slowPieces(s) {
			var ids []int
			for i := range len(piece) {
				ids = append(ids, 4+int(piece[i]))
			}
			words = append(words, ids)
		}
	}
	apply := func(ids []int, p [2]int, id int) (out []int) {
		for i := 0; i < len(ids); i++ {
			if i+1 < len(ids) && ids[i] == p[0] && ids[i+1] == p[1] {
				out = append(out, id)
				i++
			} else {
				out = append(out, ids[i])
			}
		}
		return out
	}
	for len(learned) < merges {
		counts := map[[2]int]int{}
		for _, ids := range words {
			for i := 1; i < len(ids); i++ {
				counts[[2]int{ids[i-1], ids[i]}]++
			}
		}
		best := [2]int{}
		for p, n := range counts {
			if m := counts[best]; n > m || n == m && (p[0] < best[0] || p[0] == best[0] && p[1] < best[1]) {
				best = p
			}
		}
		if counts[best] < 2 {
			break
		}
		for i, ids := range words {
			words[i] = apply(ids, best, 260+len(learned))
		}
		learned = append(learned, best)
	}
	return learned, func(s string) (ids []int) {
		for _, piece := range slowPieces(s) {
			var one []int
			for i := range len(piece) {
				one = append(one, 4+int(piece[i]))
			}
			for k, p := range learned {
				one = apply(one, p, 260+k)
			}
			ids = append(ids, one...)
		}
		return ids
	}
}

func TestBytePairsAgainstTwin(t *testing.T) {
	all := verses.Load()
	for name, texts := range map[string][]string{
		"verses":  append(all.English()[:150:150], all.Spanish()[:150]...),
		"hard":    hard,
		"a few":   {"aaaa aaaa aaa", "abababab", "aa"},
		"bytes":   {"\xff\xff\xfe\xff\xff", "\xff\xff\xfe é\xc3"},
		"nothing": nil,
	} {
		learned, encode := learnSlowly(texts, 120)
		fast := text.NewBytePairs(texts, 120)
		if got, want := fast.Size(), 260+len(learned); got != want {
			t.Errorf("%s: %d ids, want %d", name, got, want)
		}
		for i, p := range learned {
			if got, want := fast.Token(260+i), fast.Token(p[0])+fast.Token(p[1]); got != want {
				t.Fatalf("%s: pair %d is %q, want %q", name, i, got, want)
			}
		}
		for _, s := range append(all.English()[200:230], texts...) {
			ids, _ := fast.Encode(s)
			if diff := cmp.Diff(encode(s), ids); diff != "" && len(s) > 0 {
				t.Fatalf("%s: %q (-twin +got)\n%s", name, s, diff)
			}
		}
	}
}

// The same texts in another order, or learned again, give the same pairs.
func TestBytePairsAreDeterministic(t *testing.T) {
	texts := verses.Load().Spanish()[:400]
	var want bytes.Buffer
	if err := text.Write(&want, text.NewBytePairs(texts, 200)); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 0))
	for range 3 {
		rng.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
		var got bytes.Buffer
		if err := text.Write(&got, text.NewBytePairs(texts, 200)); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("%v: other pairs", err)
		}
	}
}

func TestBadUTF8(t *testing.T) {
	known := tokenizers(t, []string{"abc"})
	for _, test := range []struct {
		s  string
		at int
	}{{"\xff", 0}, {"ab\xc3", 2}, {"é\xe2\x82", 2}, {"\ufffd\xed\xa0\x80", 3}} {
		for _, to := range known[:2] {
			_, err := to.Encode(test.s)
			var bad *text.UTF8Error
			if !errors.As(err, &bad) || bad.Row != -1 || bad.Byte != test.at || err.Error() != fmt.Sprintf("text: byte %d is not valid UTF-8", test.at) {
				t.Errorf("%T, %+q: %v", to, test.s, err)
			}
			_, err = text.EncodeAll(to, []string{"a", "b", test.s})
			if !errors.As(err, &bad) || bad.Row != 2 || bad.Byte != test.at || err.Error() != fmt.Sprintf("text: row 2: byte %d is not valid UTF-8", test.at) {
				t.Errorf("%T, rows, %+q: %v", to, test.s, err)
			}
		}
		if _, err := text.NewCharacters([]string{test.s}); err == nil {
			t.Errorf("characters of %+q", test.s)
		}
		roundTrip(t, known[2], test.s)
	}
}

// other is a tokeniser of another package.
type other struct{ text.Tokenizer }

func TestEncodeAllOfOthers(t *testing.T) {
	mine := errors.New("mine")
	if _, err := text.EncodeAll(failing{mine}, []string{"a"}); err != mine {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Encode(string) ([]int, error) { return nil, f.err }
func (failing) Decode([]int) string            { return "" }
func (failing) Token(int) string               { return "" }
func (failing) Size() int                      { return 0 }

func TestMisuse(t *testing.T) {
	all := tokenizers(t, []string{"abc abc"})
	for want, f := range map[string]func(){
		"text: Characters.Decode: ids[1] = 7 is out of range for 7": func() { c, _ := text.NewCharacters([]string{"abc"}); c.Decode([]int{4, 7}) },
		"text: Characters.Token: id -1 is ":                         func() { all[0].Token(-1) },
		"text: Words.Decode: ids[0] = -1 is out of range":           func() { all[1].Decode([]int{-1}) },
		"text: Words.Token: id 99 is ":                              func() { all[1].Token(99) },
		"text: BytePairs.Decode: ids[2] = 999 is out of range":      func() { all[2].Decode([]int{1, 2, 999}) },
		"text: BytePairs.Token: id 999 is ":                         func() { all[2].Token(999) },
		"text: NewWords: words that occur at least 0 times":         func() { text.NewWords(nil, 0) },
		"text: NewWordsWith: words that occur at least -1 times":    func() { text.NewWordsWith(nil, -1, text.WordsOptions{}) },
		"text: NewBytePairs: -1 pairs to learn":                     func() { text.NewBytePairs(nil, -1) },
		"text: Pad: there are no rows":                              func() { text.Pad(nil) },
		"text: Pad: row 1 is empty":                                 func() { text.Pad([][]int{{1}, {}}) },
		"text: PadWith: row 0 has 3 ids, more than 2 steps":         func() { text.PadWith([][]int{{1, 2, 3}}, text.PadOptions{Steps: 2}) },
		"text: PadWith: Steps is -1":                                func() { text.PadWith([][]int{{1}}, text.PadOptions{Steps: -1}) },
		"text: Lengths: rows of ids are [rows, steps]":              func() { text.Lengths(autograd.NewInts([]int{1})) },
		"text: Write: a text_test.other is no tokeniser":            func() { text.Write(&bytes.Buffer{}, other{}) },
		"text: Save: a text_test.other is no tokeniser":             func() { text.Save("none", other{}) },
	} {
		err := autograd.Try(f)
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "text_test.go:") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestPad(t *testing.T) {
	rows := [][]int{{4, 5}, {6}, {7, 8, 9}}
	ids, lengths := text.Pad(rows)
	if diff := cmp.Diff([]int{4, 5, 0, 6, 0, 0, 7, 8, 9}, ids.Values()) + cmp.Diff([]int{3, 3}, ids.Shape()) + cmp.Diff([]int{2, 1, 3}, lengths.Values()); diff != "" {
		t.Error(diff)
	}
	ids, lengths = text.PadWith(rows, text.PadOptions{Padding: -1, Steps: 4})
	if diff := cmp.Diff([]int{4, 5, -1, -1, 6, -1, -1, -1, 7, 8, 9, -1}, ids.Values()) + cmp.Diff([]int{3, 4}, ids.Shape()) + cmp.Diff([]int{3}, lengths.Shape()); diff != "" {
		t.Error(diff)
	}
}

// The lengths are those that Pad was told, whatever stands inside a row.
func TestLengths(t *testing.T) {
	rows := [][]int{{4, 5}, {6}, {7, text.Padding, 9}}
	ids, want := text.PadWith(rows, text.PadOptions{Steps: 5})
	if diff := cmp.Diff(want.Values(), text.Lengths(ids).Values()); diff != "" {
		t.Error(diff)
	}
	if got := text.Lengths(autograd.NewInts([]int{0, 0, 1, 0}, 2, 2)).Values(); got[0] != 0 || got[1] != 1 {
		t.Errorf("got the lengths %v, want 0 and 1", got)
	}
}

// What is read and what comes next share no memory with the rows.
func TestFollowing(t *testing.T) {
	rows := [][]int{make([]int, 2, 9), {}}
	copy(rows[0], []int{7, 8})
	read, next := text.Following(rows)
	if diff := cmp.Diff([][]int{{text.Start, 7, 8}, {text.Start}}, read) + cmp.Diff([][]int{{7, 8, text.End}, {text.End}}, next); diff != "" {
		t.Error(diff)
	}
	next[0][0] = 0
	if rows[0][0] != 7 || rows[0][:3][2] != 0 || read[0][1] != 7 {
		t.Error("the rows were written to")
	}
}

// What is saved is loaded as it was.
func TestSaveAndLoad(t *testing.T) {
	texts := corpus()
	lower, err := text.NewWordsWith(texts, 2, text.WordsOptions{Lower: true})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for i, to := range append(tokenizers(t, texts), lower, text.NewBytePairs(nil, 5)) {
		name := filepath.Join(folder, fmt.Sprint(i))
		if err := text.Save(name, to); err != nil {
			t.Fatal(err)
		}
		back, err := text.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprintf("%T", back) != fmt.Sprintf("%T", to) || back.Size() != to.Size() {
			t.Errorf("a %T of %d became a %T of %d", to, to.Size(), back, back.Size())
		}
		for _, s := range texts[2900:3100] {
			want, _ := to.Encode(s)
			got, err := back.Encode(s)
			if diff := cmp.Diff(want, got); diff != "" || err != nil || back.Decode(got) != to.Decode(got) {
				t.Fatalf("%T: %q: %v\n%s", to, s, err, diff)
			}
		}
	}
	if _, err := text.Load(filepath.Join(folder, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := text.Save(filepath.Join(folder, "no", "folder"), lower); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	full := errors.New("full")
	if err := text.Write(writer{full}, lower); !errors.Is(err, full) {
		t.Errorf("a writer that fails: %v", err)
	}
	bad := filepath.Join(folder, "bad")
	os.WriteFile(bad, []byte("nabla text 1: words\n1\n\"a b\"\nend\n"), 0o666)
	var where *text.FileError
	if _, err := text.Load(bad); !errors.As(err, &where) || where.File != bad || where.Line != 3 || !strings.HasPrefix(err.Error(), bad+":3: ") {
		t.Errorf("got %v", err)
	}
}

type writer struct{ err error }

func (w writer) Write([]byte) (int, error) { return 0, w.err }

type reader struct{ err error }

func (r reader) Read([]byte) (int, error) { return 0, r.err }

// A file that is not as it was saved is refused, with the line.
func TestReadRefuses(t *testing.T) {
	const words, pairs, characters = "nabla text 1: words\n", "nabla text 1: byte pairs\n", "nabla text 1: characters\n"
	for content, want := range map[string]string{
		"":                                                 `text:1: the file ends here, before the line "end"`,
		"nabla text 2: words\n":                            "text:1: the file does not begin with",
		"nabla text 1: sentences\n":                        `text:1: there is no kind "sentences"`,
		words:                                              "text:2: the file ends here",
		words + "x\nend\n":                                 `text:2: "x" is no number of entries`,
		words + "-1\nend\n":                                `text:2: "-1" is no number`,
		words + "01\n\"a\"\nend\n":                         `text:2: "01" is no number`,
		words + "999999999999\n\"a\"\nend\n":               `text:4: end is no quoted text`,
		words + "2\n\"a\"\nend\n":                          "text:4: end is no quoted text",
		words + "1\n\"a\"\n":                               "text:4: the file ends here",
		words + "1\n\"a\"\nend":                            "text:4: the line does not end",
		words + "1\n\"a\"\n\"b\"\nend\n":                   `text:4: the line after 1 entries is "\"b\""`,
		words + "1\n\"a\"\nend\nmore":                      `text:5: there is more after "end"`,
		words + "2\n\"a\"\n\"a\"\nend\n":                   `text:4: the entry "a" was there before`,
		words + "1\na\nend\n":                              "text:3: a is no quoted text",
		words + "1\n`a`\nend\n":                            "text:3: `a` is no quoted text",
		words + "1\n\"\\xff\"\nend\n":                      "text:3: \"\\xff\" is no quoted text",
		words + "1\n\"a b\"\nend\n":                        "text:3: \"a b\" is not one word",
		words + "1\n\",,\"\nend\n":                         "text:3: \",,\" is not one word",
		"nabla text 1: words, lower case\n1\n\"A\"\nend\n": "text:3: \"A\" is not one word",
		characters + "1\n\"ab\"\nend\n":                    "text:3: \"ab\" is not one character",
		characters + "1\n\"\"\nend\n":                      "text:3: \"\" is not one character",
		pairs + "1\n4 260\nend\n":                          "text:3: there is no token 260 yet, only 4 to 259",
		pairs + "1\n3 4\nend\n":                            "text:3: there is no token 3 yet",
		pairs + "1\n-4 5\nend\n":                           "text:3: there is no token -4 yet",
		pairs + "1\n4294967300 5\nend\n":                   `text:3: "4294967300 5" is no pair`,
		pairs + "1\n4  5\nend\n":                           `text:3: "4  5" is no pair`,
		pairs + "1\n4\nend\n":                              `text:3: "4" is no pair`,
		pairs + "7\n4 4\n260 260\n261 261\n262 262\n263 263\n264 264\n265 265\nend\n": "text:9: the token has 128 bytes, more than 64",
		words + "1\n" + strings.Repeat("x", 2<<20) + "\nend\n":                        "text:3: the line is longer than 1048576 bytes",
	} {
		_, err := text.Read(strings.NewReader(content))
		var where *text.FileError
		if !errors.As(err, &where) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.60q: got %v, want %s", content, err, want)
		}
	}
	broken := errors.New("broken")
	if _, err := text.Read(reader{broken}); !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
}

// Any bytes are read, or refused with a line. What was read is written as it
// was, and works.
func FuzzRead(f *testing.F) {
	for _, to := range tokenizers(f, []string{"the theatre, the other\n", "¿Qué?"}) {
		var b bytes.Buffer
		text.Write(&b, to)
		f.Add(b.Bytes())
	}
	f.Add([]byte("nabla text 1: words\n999999999\n"))
	f.Add([]byte("nabla text 1: words, lower case\n1\n\"\"\nend\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		to, err := text.Read(bytes.NewReader(content))
		var where *text.FileError
		if err != nil {
			if !errors.As(err, &where) || where.Line < 1 {
				t.Errorf("got %v", err)
			}
			return
		}
		var b bytes.Buffer
		if text.Write(&b, to); !bytes.Equal(b.Bytes(), content) {
			t.Errorf("read %q, wrote %q", content, b.Bytes())
		}
		all := make([]int, to.Size())
		for id := range all {
			all[id] = id
			to.Token(id)
		}
		to.Decode(all)
		if _, err := to.Encode("the theatre ¿Qué?"); err != nil {
			t.Error(err)
		}
	})
}

// One tokeniser serves many goroutines.
func TestAtOnce(t *testing.T) {
	texts := hard
	for _, to := range tokenizers(t, texts) {
		t.Run(fmt.Sprintf("%T", to), func(t *testing.T) {
			for range 4 {
				t.Run("", func(t *testing.T) {
					t.Parallel()
					for _, s := range texts {
						roundTrip(t, to, s)
					}
				})
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	all := strings.Join(verses.Load().English(), "\n")
	learned := verses.Load().English()
	for _, to := range []text.Tokenizer{tokenizers(b, learned)[0], tokenizers(b, learned)[1], text.NewBytePairs(learned, 2000)} {
		for name, s := range map[string]string{"verses": all, "one letter": strings.Repeat("a", 1<<20)} {
			b.Run(fmt.Sprintf("%T/%s", to, name), func(b *testing.B) {
				b.SetBytes(int64(len(s)))
				for b.Loop() {
					to.Encode(s)
				}
			})
		}
	}
}

func BenchmarkNewBytePairs(b *testing.B) {
	texts := verses.Load().English()
	for b.Loop() {
		text.NewBytePairs(texts, 2000)
	}
}
