package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Table is a table. Cells that are numbers (any integer or float type, or a
// time.Duration) are formatted for reading and aligned to the right, a column
// of them with its header; other cells are printed with fmt. nil and NaN print
// as a dash. Units belong in the header.
type Table struct {
	Caption string
	Header  []string
	Rows    [][]any
}

type cell struct {
	Text   string
	Number bool
}

type tableView struct {
	Caption string
	Header  []cell
	Rows    [][]cell
}

func (t Table) view() (*tableView, error) {
	v := &tableView{Caption: t.Caption}
	for _, h := range t.Header {
		v.Header = append(v.Header, cell{Text: h, Number: len(t.Rows) > 0})
	}
	for i, row := range t.Rows {
		if len(row) != len(t.Header) {
			return nil, fmt.Errorf("row %d has %d cells, the header %d", i, len(row), len(t.Header))
		}
		cells := make([]cell, len(row))
		for j, x := range row {
			cells[j] = format(x)
			v.Header[j].Number = v.Header[j].Number && cells[j].Number
		}
		v.Rows = append(v.Rows, cells)
	}
	return v, nil
}

func format(x any) cell {
	switch x := x.(type) {
	case nil:
		return cell{Text: "–", Number: true}
	case float64:
		return cell{Text: Number(x), Number: true}
	case float32:
		return cell{Text: Number(float64(x)), Number: true}
	case time.Duration:
		return cell{Text: x.String(), Number: true}
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return cell{Text: group(fmt.Sprintf("%d", x)), Number: true}
	}
	return cell{Text: fmt.Sprint(x)}
}

// Number formats x for reading: four significant digits, thousands grouped by
// a thin space, no exponent between 0.0001 and 10 billion, a dash for NaN.
func Number(x float64) string {
	a := math.Abs(x)
	switch {
	case math.IsNaN(x):
		return "–"
	case math.IsInf(x, 1):
		return "∞"
	case math.IsInf(x, -1):
		return "−∞"
	case a == 0:
		return "0"
	case a < 1e-4 || a >= 1e10:
		return strconv.FormatFloat(x, 'g', 4, 64)
	case a >= 1000:
		return group(strconv.FormatFloat(x, 'f', 0, 64))
	}
	digits := max(0, 3-int(math.Floor(math.Log10(a))))
	s := strconv.FormatFloat(x, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// group puts a thin space between every three digits of a whole number.
func group(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "−", s[1:]
	}
	if len(s) < 5 {
		return sign + s
	}
	var b strings.Builder
	for i, d := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteRune('\u2009')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}
