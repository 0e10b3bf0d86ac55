package data

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// ReadFile reads the CSV file at path, as [ReadCSV] does. If the file cannot be
// opened, it returns the *fs.PathError of os.Open.
func ReadFile(path string) (*Table, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return ReadCSV(file)
}

// ReadCSV reads a table of comma-separated values whose first line names the
// columns.
//
// The format is that of encoding/csv (RFC 4180): fields may be quoted and then
// hold commas, line breaks and doubled quotes; lines end in LF or CRLF; blank
// lines are skipped. A UTF-8 byte order mark at the start is dropped. White
// space around column names is removed; cells are kept as they are, including
// empty ones. A file with names and no rows gives a table of 0 rows.
//
// It returns a *[CSVError] for an empty file, a column without a name, two
// columns with the same name, a row with more or fewer cells than there are
// names, broken quotes, UTF-16 text, and any error of r itself. The error names
// the file if r has a method Name() string, as *os.File does.
func ReadCSV(r io.Reader) (*Table, error) {
	p := csvParser{}
	if named, ok := r.(interface{ Name() string }); ok {
		p.file = named.Name()
	}
	buffered := bufio.NewReader(r)
	if err := p.skipByteOrderMark(buffered); err != nil {
		return nil, err
	}
	lines := &lineCounter{r: buffered}
	p.reader, p.lines = csv.NewReader(lines), lines
	p.reader.FieldsPerRecord = -1 // row checks it, and its error names both counts
	p.reader.ReuseRecord = true
	t, err := p.header()
	if err != nil {
		return nil, err
	}
	for {
		switch err := p.row(t); {
		case err == io.EOF:
			return t, nil
		case err != nil:
			return nil, err
		}
	}
}

// csvParser reads one file.
type csvParser struct {
	file   string
	reader *csv.Reader
	lines  *lineCounter
	line   int // the last line read
}

// A lineCounter counts the line breaks that are read through it.
type lineCounter struct {
	r      io.Reader
	breaks int
}

func (c *lineCounter) Read(p []byte) (n int, err error) {
	n, err = c.r.Read(p)
	c.breaks += bytes.Count(p[:n], []byte("\n"))
	return n, err
}

func (p *csvParser) skipByteOrderMark(r *bufio.Reader) error {
	start, err := r.Peek(3)
	if err != nil && err != io.EOF {
		return p.failure(err)
	}
	switch {
	case bytes.Equal(start, []byte("\xEF\xBB\xBF")):
		_, err := r.Discard(3)
		return err
	case bytes.HasPrefix(start, []byte("\xFF\xFE")), bytes.HasPrefix(start, []byte("\xFE\xFF")):
		return p.fault(1, "", "the text is UTF-16, save it as UTF-8")
	}
	return nil
}

// header reads the names of the columns.
func (p *csvParser) header() (*Table, error) {
	record, err := p.reader.Read()
	if err == io.EOF {
		return nil, p.fault(0, "", "the file is empty, want a line with the names of the columns")
	}
	if err != nil {
		return nil, p.failure(err)
	}
	line, _ := p.reader.FieldPos(0)
	names := make([]string, len(record))
	seen := make(map[string]int, len(record))
	for i, text := range record {
		name := strings.TrimSpace(text)
		if name == "" {
			return nil, p.fault(line, "", "column %d has no name", i+1)
		}
		if strings.ContainsRune(name, '\r') {
			return nil, p.fault(line, name, "a carriage return in the name, lines must end in LF or CRLF")
		}
		if first, ok := seen[name]; ok {
			return nil, p.fault(line, name, "columns %d and %d have the same name", first+1, i+1)
		}
		names[i], seen[name] = name, i
	}
	p.line = line + strings.Count(strings.Join(record, ""), "\n")
	return &Table{file: p.file, headerLine: line, names: names, index: seen, cells: make([][]string, len(names))}, nil
}

// row adds the next row to t; it returns io.EOF at the end of the file.
func (p *csvParser) row(t *Table) error {
	record, err := p.reader.Read()
	if err == io.EOF {
		p.blanks(t, p.lines.breaks+1)
		return io.EOF
	}
	if err != nil {
		return p.failure(err)
	}
	line, _ := p.reader.FieldPos(0)
	p.blanks(t, line)
	if len(record) != len(t.names) {
		return p.fault(line, "", "%d cells in the row, but the header names %d columns", len(record), len(t.names))
	}
	for i, text := range record {
		t.cells[i] = append(t.cells[i], text)
	}
	t.lines = append(t.lines, line)
	p.line = line + strings.Count(strings.Join(record, ""), "\n")
	return nil
}

// blanks adds a row to a single-column table for each blank line before the
// given one: there a blank line is an empty cell, but the reader skips it.
func (p *csvParser) blanks(t *Table, before int) {
	for p.line++; p.line < before && len(t.names) == 1; p.line++ {
		t.cells[0] = append(t.cells[0], "")
		t.lines = append(t.lines, p.line)
	}
}

func (p *csvParser) fault(line int, column, format string, args ...any) error {
	return &CSVError{File: p.file, Line: line, Column: column, Reason: fmt.Sprintf(format, args...)}
}

// failure turns an error of the csv reader, or of the underlying reader, into a
// CSVError.
func (p *csvParser) failure(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		reason := fmt.Sprintf("at byte %d of the line: %v", parse.Column, parse.Err)
		return &CSVError{File: p.file, Line: parse.Line, Reason: reason, Err: err}
	}
	return &CSVError{File: p.file, Reason: err.Error(), Err: err}
}
