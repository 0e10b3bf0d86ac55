package text

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"nabla/internal/file"
)

// A file of a tokeniser has lines: the kind, the number of entries, an entry on
// each line, and "end".
//
//	nabla text 1: words
//	2
//	"the"
//	"and"
//	end
const (
	magic    = "nabla text 1: "
	lastLine = "end"
	maxLine  = 1 << 20
)

// The kinds, as a file names them.
const (
	charactersKind = "characters"
	wordsKind      = "words"
	lowerKind      = "words, lower case"
	bytePairsKind  = "byte pairs"
)

// A FileError says what is wrong with a tokeniser's file and where.
type FileError struct {
	File   string // empty when it was read from an unnamed reader
	Line   int    // from 1; 0 if no line is at fault
	Reason string
	Err    error // the cause, if any
}

// Error returns file, line and reason, such as
//
//	words.txt:7: the word "the" was there before
func (e *FileError) Error() string {
	name := e.File
	if name == "" {
		name = "text"
	}
	if e.Line > 0 {
		name += ":" + strconv.Itoa(e.Line)
	}
	return name + ": " + e.Reason
}

// Unwrap returns the cause, or nil.
func (e *FileError) Unwrap() error { return e.Err }

// Save writes a tokeniser to the file of that name, completely or not at all.
// It panics with an *[autograd.ArgumentError] for a tokeniser of another
// package, and returns the error of the file system.
func Save(name string, t Tokenizer) error {
	return file.Replace(name, content("Save", t))
}

// Write writes a tokeniser as [Save] does. The error is w's.
func Write(w io.Writer, t Tokenizer) error {
	_, err := w.Write(content("Write", t))
	return err
}

func content(op string, t Tokenizer) []byte {
	var kind string
	var entries []string
	switch t := t.(type) {
	case *Characters:
		kind = charactersKind
		for _, r := range t.runes {
			entries = append(entries, strconv.Quote(string(r)))
		}
	case *Words:
		kind = wordsKind
		if t.lower {
			kind = lowerKind
		}
		for _, piece := range t.pieces {
			entries = append(entries, strconv.Quote(piece))
		}
	case *BytePairs:
		kind = bytePairsKind
		for _, p := range t.merges {
			entries = append(entries, p.String())
		}
	default:
		misuse(op, "a %T is no tokeniser of this package", t)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s%s\n%d\n", magic, kind, len(entries))
	for _, entry := range entries {
		b.WriteString(entry + "\n")
	}
	b.WriteString(lastLine + "\n")
	return b.Bytes()
}

func (p pair) String() string { return fmt.Sprintf("%d %d", p.left, p.right) }

// Load reads a tokeniser from the file of that name: a *[Characters], *[Words]
// or *[BytePairs]. The error is that of the file system, or a *[FileError] for
// a file that is not as [Save] writes it.
func Load(name string) (Tokenizer, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return read(name, f)
}

// Read reads a tokeniser as [Load] does, up to the end of r. What it keeps in
// memory is in proportion to what r has, whatever r says.
func Read(r io.Reader) (Tokenizer, error) { return read("", r) }

func read(name string, r io.Reader) (Tokenizer, error) {
	in := &lines{name: name, scanner: bufio.NewScanner(r)}
	in.scanner.Buffer(nil, maxLine)
	in.scanner.Split(wholeLines)
	t, err := in.tokenizer()
	if err != nil {
		return nil, err
	}
	return t, nil
}

// wholeLines is bufio.ScanLines, but keeps the end of each line.
func wholeLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// lines are those of a file that is read.
type lines struct {
	name    string
	scanner *bufio.Scanner
	number  int // of the line read last
}

func (l *lines) fail(format string, args ...any) error {
	return &FileError{File: l.name, Line: l.number, Reason: fmt.Sprintf(format, args...)}
}

// next returns a line without its end.
func (l *lines) next() (string, error) {
	l.number++
	if !l.scanner.Scan() {
		err := l.scanner.Err()
		switch {
		case err == nil:
			return "", l.fail("the file ends here, before the line %q", lastLine)
		case errors.Is(err, bufio.ErrTooLong):
			return "", l.fail("the line is longer than %d bytes", maxLine)
		}
		return "", &FileError{l.name, l.number, err.Error(), err}
	}
	line, ok := strings.CutSuffix(l.scanner.Text(), "\n")
	if !ok {
		return "", l.fail("the line does not end")
	}
	return line, nil
}

// tokenizer reads a whole file.
func (l *lines) tokenizer() (Tokenizer, error) {
	first, err := l.next()
	if err != nil {
		return nil, err
	}
	kind, ok := strings.CutPrefix(first, magic)
	if !ok {
		return nil, l.fail("the file does not begin with %q", magic)
	}
	switch kind {
	case charactersKind:
		runes, err := entries(l, l.character)
		return newCharacters(runes), err
	case wordsKind, lowerKind:
		w := &Words{lower: kind == lowerKind}
		pieces, err := entries(l, w.entry(l))
		w.setPieces(pieces)
		return w, err
	case bytePairsKind:
		sizes := make([]int, specials, firstMerge) // of each token
		for range 256 {
			sizes = append(sizes, 1)
		}
		merges, err := entries(l, func(line string) (pair, error) { return l.pair(line, &sizes) })
		if err != nil {
			return nil, err
		}
		return newBytePairs(merges), nil
	}
	return nil, l.fail("there is no kind %q", kind)
}

// entries reads the lines behind the first. An entry occurs once.
func entries[T comparable](l *lines, parse func(line string) (T, error)) ([]T, error) {
	line, err := l.next()
	if err != nil {
		return nil, err
	}
	count, err := strconv.Atoi(line)
	if err != nil || count < 0 || strconv.Itoa(count) != line {
		return nil, l.fail("%.40q is no number of entries", line)
	}
	var all []T
	seen := map[T]bool{}
	for range count {
		if line, err = l.next(); err != nil {
			return nil, err
		}
		entry, err := parse(line)
		if err != nil {
			return nil, err
		}
		if seen[entry] {
			return nil, l.fail("the entry %.40s was there before", line)
		}
		seen[entry] = true
		all = append(all, entry)
	}
	if line, err = l.next(); err != nil {
		return nil, err
	}
	if line != lastLine {
		return nil, l.fail("the line after %d entries is %.40q, want %q", count, line, lastLine)
	}
	l.number++
	if l.scanner.Scan() {
		return nil, l.fail("there is more after %q", lastLine)
	}
	return all, nil
}

// quoted returns the text of a line, which must be quoted as content does.
func (l *lines) quoted(line string) (string, error) {
	s, err := strconv.Unquote(line)
	if err != nil || strconv.Quote(s) != line || !utf8.ValidString(s) {
		return "", l.fail("%.40s is no quoted text", line)
	}
	return s, nil
}

func (l *lines) character(line string) (rune, error) {
	s, err := l.quoted(line)
	if err != nil {
		return 0, err
	}
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 || size < len(s) {
		return 0, l.fail("%.40s is not one character", line)
	}
	return r, nil
}

// entry returns how to read a word: one that split would make.
func (w *Words) entry(l *lines) func(line string) (string, error) {
	return func(line string) (string, error) {
		s, err := l.quoted(line)
		if err != nil {
			return "", err
		}
		if s != join && pieceLength(s) != len(s) || w.lower && strings.ToLower(s) != s {
			return "", l.fail("%.40s is not one word", line)
		}
		return s, nil
	}
}

// pair reads a pair, and adds the size of its token to those of the others.
func (l *lines) pair(line string, sizes *[]int) (pair, error) {
	left, right, _ := strings.Cut(line, " ")
	a, errA := strconv.Atoi(left)
	b, errB := strconv.Atoi(right)
	p := pair{int32(a), int32(b)}
	if errA != nil || errB != nil || p.String() != line {
		return pair{}, l.fail("%.40q is no pair of ids", line)
	}
	for _, id := range []int{a, b} {
		if id < specials || id >= len(*sizes) {
			return pair{}, l.fail("there is no token %d yet, only %d to %d", id, specials, len(*sizes)-1)
		}
	}
	size := (*sizes)[a] + (*sizes)[b]
	if size > maxPiece {
		return pair{}, l.fail("the token has %d bytes, more than %d", size, maxPiece)
	}
	*sizes = append(*sizes, size)
	return p, nil
}
