package trace

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// RowError is a bad row of a trace file.
type RowError struct {
	File   string
	Line   int // from 1, the header being line 1
	Column int // number of the column, from 1; 0 when the row as a whole is bad
	Name   string
	Err    error
}

// Error names the file, line and column, and what is wrong there.
func (e *RowError) Error() string {
	at := fmt.Sprintf("%s: line %d", e.File, e.Line)
	if e.Column > 0 {
		at += fmt.Sprintf(", column %d", e.Column)
	}
	if e.Name != "" {
		at += fmt.Sprintf(" (%s)", e.Name)
	}
	return at + ": " + e.Err.Error()
}

// Unwrap returns what is wrong.
func (e *RowError) Unwrap() error { return e.Err }

// table reads a CSV file with a header, one row at a time.
type table struct {
	file   string
	csv    *csv.Reader
	header []string
	row    []string
	line   int
}

func newTable(name string, r io.Reader) (*table, error) {
	c := csv.NewReader(r)
	c.ReuseRecord = true
	c.FieldsPerRecord = -1
	t := &table{file: name, csv: c}
	header, err := c.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: the file is empty", name)
		}
		return nil, t.bad(err)
	}
	for i, h := range header {
		h = strings.TrimSpace(h)
		if i == 0 {
			h = strings.TrimPrefix(h, "\ufeff")
		}
		t.header = append(t.header, strings.Clone(h))
	}
	return t, nil
}

// next reads a row and returns false at the end of the file.
func (t *table) next() (bool, error) {
	row, err := t.csv.Read()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, t.bad(err)
	}
	t.row = row
	t.line, _ = t.csv.FieldPos(0)
	if len(row) != len(t.header) {
		return false, &RowError{File: t.file, Line: t.line, Err: fmt.Errorf(
			"%d columns instead of the header's %d: the file is truncated or damaged here", len(row), len(t.header))}
	}
	return true, nil
}

// bad gives an error of the CSV reader, or of the stream below it, its place.
func (t *table) bad(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return &RowError{File: t.file, Line: p.Line, Err: p.Err}
	}
	return fmt.Errorf("reading %s after line %d: %w", t.file, t.line, err)
}

// at is the error of a field of the current row.
func (t *table) at(column int, err error) error {
	return &RowError{File: t.file, Line: t.line, Column: column + 1, Name: t.header[column], Err: err}
}

// column returns the position of the named column, -1 without one.
func (t *table) column(name string) int {
	for i, h := range t.header {
		if strings.EqualFold(h, name) {
			return i
		}
	}
	return -1
}

// columns returns the positions of columns that must be there.
func (t *table) columns(names ...string) ([]int, error) {
	at := make([]int, len(names))
	for i, n := range names {
		if at[i] = t.column(n); at[i] < 0 {
			return nil, fmt.Errorf("%s: no column %s in the header (%s, ...)", t.file, n, strings.Join(t.header[:min(4, len(t.header))], ", "))
		}
	}
	return at, nil
}

// count parses a number of invocations. Whole numbers may be written as
// floats ("3.0"), as some tools that rewrite the trace do.
func (t *table) count(column int) (int, error) {
	s := t.row[column]
	if s == "0" || s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		v, ferr := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if ferr != nil || math.IsNaN(v) || v != math.Trunc(v) || math.Abs(v) > math.MaxInt32 {
			return 0, t.at(column, fmt.Errorf("count %q is not a whole number", clip(s)))
		}
		n = int(v)
	}
	switch {
	case n < 0:
		return 0, t.at(column, fmt.Errorf("count %d is negative", n))
	case n > MaxCount:
		return 0, t.at(column, fmt.Errorf("count %d is more than the %d that any function can have in a minute", n, MaxCount))
	}
	return n, nil
}

// number parses a finite number that is not negative; empty fields are 0.
func (t *table) number(column int) (float64, error) {
	s := strings.TrimSpace(t.row[column])
	if s == "" {
		return 0, nil
	}
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || math.IsNaN(v) || math.IsInf(v, 0):
		return 0, t.at(column, fmt.Errorf("%q is not a number", clip(s)))
	case v < 0:
		return 0, t.at(column, fmt.Errorf("%v is negative", v))
	}
	return v, nil
}

func clip(s string) string {
	if len(s) > 20 {
		return s[:20] + "..."
	}
	return s
}
