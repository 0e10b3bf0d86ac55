package data_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/data"
)

func read(t testing.TB, text string) *data.Table {
	t.Helper()
	table, err := data.ReadCSV(strings.NewReader(text))
	if err != nil {
		t.Fatalf("ReadCSV(%q): %v", text, err)
	}
	return table
}

// contents returns the table's column names and cells.
func contents(t testing.TB, table *data.Table) (names []string, columns [][]string) {
	t.Helper()
	names = table.Columns()
	for _, name := range names {
		column, err := table.Strings(name)
		if err != nil {
			t.Fatal(err)
		}
		columns = append(columns, column)
	}
	return names, columns
}

// TestEmptyCellOfOneColumn checks that an empty cell in a single-column file is
// kept: dropping it would shift the line numbers in messages and the rows
// against those of other files.
func TestEmptyCellOfOneColumn(t *testing.T) {
	table := read(t, "price\n1\n\n3\n")
	_, err := table.Numbers("price")
	var fault *data.CSVError
	if table.Rows() != 3 || !errors.As(err, &fault) || fault.Line != 3 {
		t.Errorf("%d rows, %v", table.Rows(), err)
	}
}

func TestReadCSV(t *testing.T) {
	ab := []string{"a", "b"}
	tests := []struct {
		name, text string
		names      []string
		columns    [][]string
	}{
		{"plain", "a,b\n1,x\n2,y\n", ab, [][]string{{"1", "2"}, {"x", "y"}}},
		{"no line break at the end", "a,b\n1,x", ab, [][]string{{"1"}, {"x"}}},
		{"CRLF", "a,b\r\n1,x\r\n2,y\r\n", ab, [][]string{{"1", "2"}, {"x", "y"}}},
		{"byte order mark", "\xEF\xBB\xBFa,b\n1,x\n", ab, [][]string{{"1"}, {"x"}}},
		{"byte order mark before a quote", "\xEF\xBB\xBF\"a\",b\n1,x\n", ab, [][]string{{"1"}, {"x"}}},
		{"quotes", "a,b\n\"1,5\",\"say \"\"x\"\"\"\n", ab, [][]string{{"1,5"}, {`say "x"`}}},
		{"line break in quotes", "a,b\n1,\"x\ny\"\n", ab, [][]string{{"1"}, {"x\ny"}}},
		{"blank lines", "\na,b\n\n1,x\n\n", ab, [][]string{{"1"}, {"x"}}},
		{"blank lines of one column", "\na\n1\n\n3\n\n\n", ab[:1], [][]string{{"1", "", "3", "", ""}}},
		{"blank lines of one column first", "a\r\n\r\n2", ab[:1], [][]string{{"", "2"}}},
		{"blank lines after line breaks in quotes", "\"a\"\n\"x\r\n\r\ny\"\n\nz\n\"\"\n", ab[:1], [][]string{{"x\n\ny", "", "z", ""}}},
		{"one column without rows", "a", ab[:1], [][]string{nil}},
		{"one column of nothing", "a\n\n", ab[:1], [][]string{{""}}},
		{"white space", " a ,\tb\n 1 , x \n", ab, [][]string{{" 1 "}, {" x "}}},
		{"empty cells", "a,b\n,\n1,\n", ab, [][]string{{"", "1"}, {"", ""}}},
		{"no rows", "a,b\n", ab, [][]string{{}, {}}},
		{"one column", "a\n1\n", ab[:1], [][]string{{"1"}}},
		{"names that differ in case", "a,A\n1,2\n", []string{"a", "A"}, [][]string{{"1"}, {"2"}}},
		{"shorter than a byte order mark", "a", ab[:1], [][]string{{}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			table := read(t, test.text)
			names, columns := contents(t, table)
			if diff := cmp.Diff(test.names, names); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.columns, columns, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("columns (-want +got):\n%s", diff)
			}
			if got, want := table.Rows(), len(test.columns[0]); got != want {
				t.Errorf("Rows() = %d, want %d", got, want)
			}
		})
	}
}

func TestReadCSVErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "csv: the file is empty, want a line with the names of the columns"},
		{"only a byte order mark", "\xEF\xBB\xBF", "csv: the file is empty, want a line with the names of the columns"},
		{"only blank lines", "\n\r\n", "csv: the file is empty, want a line with the names of the columns"},
		{"UTF-16", "\xFF\xFEa\x00", "csv:1: the text is UTF-16, save it as UTF-8"},
		{"UTF-16, big end first", "\xFE\xFF\x00a", "csv:1: the text is UTF-16, save it as UTF-8"},
		{"empty name", "a,,b\n", "csv:1: column 2 has no name"},
		{"name of white space", "a,b, \n", "csv:1: column 3 has no name"},
		{"name twice", "\na,b, a\n", `csv:2: column "a": columns 1 and 3 have the same name`},
		{"old line ends", "a,b\r1,2\r", `csv:1: column "b\r1": a carriage return in the name, lines must end in LF or CRLF`},
		{"short row", "a,b\n1,2\n3\n", "csv:3: 1 cells in the row, but the header names 2 columns"},
		{"long row", "a,b\n1,2,3\n", "csv:2: 3 cells in the row, but the header names 2 columns"},
		{"short row after a cell of two lines", "a,b\n\"1\n1\",2\n3\n", "csv:4: 1 cells in the row, but the header names 2 columns"},
		{"quote within a cell", "a,b\n1,2\n3,x\"y\n", `csv:3: at byte 4 of the line: bare " in non-quoted-field`},
		{"quote never closed", "a,b\n1,\"2\n", `csv:2: at byte 6 of the line: extraneous or missing " in quoted-field`},
		{"broken header", "a,\"b\n", `csv:1: at byte 6 of the line: extraneous or missing " in quoted-field`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			table, err := data.ReadCSV(strings.NewReader(test.text))
			if table != nil {
				t.Error("a table beside the error")
			}
			wantCSVError(t, err, test.want)
		})
	}
}

func wantCSVError(t *testing.T, err error, want string) *data.CSVError {
	t.Helper()
	var fault *data.CSVError
	if !errors.As(err, &fault) {
		t.Fatalf("error %v of type %T, want a *data.CSVError", err, err)
	}
	if diff := cmp.Diff(want, fault.Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	return fault
}

func TestReadCSVReaderFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, read := range []string{"", "a", "a,b\n", "a,b\n1,2\n3,"} {
		r := io.MultiReader(strings.NewReader(read), iotest.ErrReader(broken))
		_, err := data.ReadCSV(r)
		fault := wantCSVError(t, err, "csv: the disk is gone")
		if !errors.Is(fault, broken) {
			t.Errorf("after %q: the reader's error is not wrapped", read)
		}
	}
}

// Byte order marks and quotes must be recognised however few bytes a read
// returns.
func TestReadCSVOneByteAtATime(t *testing.T) {
	text := "\xEF\xBB\xBFa,b\r\n\"1\n2\",x\r\n"
	table, err := data.ReadCSV(iotest.OneByteReader(strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	_, columns := contents(t, table)
	if diff := cmp.Diff([][]string{{"1\n2"}, {"x"}}, columns); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flats.csv")
	if err := os.WriteFile(path, []byte("rooms\n3\nmany\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	table, err := data.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = table.Numbers("rooms")
	got := wantCSVError(t, err, path+`:3: column "rooms": "many" is not a number`)
	want := &data.CSVError{File: path, Line: 3, Column: "rooms", Reason: `"many" is not a number`, Err: got.Err}
	if *got != *want {
		t.Errorf("fields %+v, want %+v", *got, *want)
	}
	if !errors.Is(err, strconv.ErrSyntax) {
		t.Errorf("the cause %v is not strconv's", got.Err)
	}
}

func TestReadFileErrors(t *testing.T) {
	dir := t.TempDir()
	_, err := data.ReadFile(filepath.Join(dir, "none.csv"))
	var missing *fs.PathError
	if !errors.As(err, &missing) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that does not exist: %v, want a *fs.PathError", err)
	}
	if _, err := data.ReadFile(dir); err == nil {
		t.Error("a folder was read as a file")
	}
}

func FuzzReadCSV(f *testing.F) {
	for _, seed := range []string{
		"", "a", "a,b\n1,2\n", "a,b\r\n1,x\r\n", "\xEF\xBB\xBFa\n\"1\n2\"\n", "\xFF\xFEa\x00", "a,a\n", "a,\n", "a,b\n1\n",
		"a\n\"", "a\nx\"y\n", "a\nNaN\n1e999\n-Inf\n0x1p-2\n", "a,b\n,\n", "a\r1\r", "\"a\"\"b\",c\n\"x,y\", 3 \n", "a\n\r\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		table, err := data.ReadCSV(bytes.NewReader(text))
		if err != nil {
			var fault *data.CSVError
			if !errors.As(err, &fault) {
				t.Fatalf("error %v of type %T, want a *data.CSVError", err, err)
			}
			return
		}
		checkTable(t, table)
		if !bytes.ContainsRune(text, '\r') { // encoding/csv turns CRLF within quotes to LF, so such cells may change
			checkRoundTrip(t, table)
		}
	})
}

// checkTable checks the properties that every table has.
func checkTable(t *testing.T, table *data.Table) {
	t.Helper()
	seen := map[string]bool{}
	for _, name := range table.Columns() {
		if name == "" || seen[name] {
			t.Fatalf("names %q", table.Columns())
		}
		seen[name] = true
		texts, err := table.Strings(name)
		if err != nil || len(texts) != table.Rows() {
			t.Fatalf("column %q: %d cells for %d rows, error %v", name, len(texts), table.Rows(), err)
		}
		numbers, err := table.Numbers(name)
		var fault *data.CSVError
		if err != nil && (!errors.As(err, &fault) || fault.Line < 2 || fault.Column != name) {
			t.Fatalf("column %q: error %v", name, err)
		}
		for _, number := range numbers {
			if math.IsNaN(number) || math.IsInf(number, 0) {
				t.Fatalf("column %q has the number %v", name, number)
			}
		}
	}
}

// checkRoundTrip writes the table, every cell in quotes, and reads it again.
func checkRoundTrip(t *testing.T, table *data.Table) {
	t.Helper()
	names, columns := contents(t, table)
	b := []byte("\xEF\xBB\xBF") // a name may itself start with one
	for row := range table.Rows() + 1 {
		for i, text := range names {
			if row > 0 {
				text = columns[i][row-1]
			}
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, `"`+strings.ReplaceAll(text, `"`, `""`)+`"`...)
		}
		b = append(b, '\n')
	}
	namesAgain, columnsAgain := contents(t, read(t, string(b)))
	if diff := cmp.Diff(names, namesAgain); diff != "" {
		t.Errorf("names written and read (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(columns, columnsAgain, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("cells written and read (-want +got):\n%s", diff)
	}
}
