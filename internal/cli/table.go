package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aquatope/aquatope/function"
)

// Table is rows of values under named columns. A table on a terminal shows
// values as people read them ("12.3ms", "128Mi"); CSV has the same values in
// base units, with the unit in the column's name ("p50_seconds").
type Table struct {
	Title   string // printed above the table, not in CSV
	Columns []string
	Rows    [][]any
	Note    string // printed below the table, not in CSV
}

func writeTable(w io.Writer, t Table, color bool) error {
	var b strings.Builder
	if t.Title != "" {
		b.WriteString(bold(t.Title, color) + "\n")
	}
	cells := make([][]string, 0, len(t.Rows)+1)
	if len(t.Columns) > 0 {
		head := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			head[i] = strings.ToUpper(c)
		}
		cells = append(cells, head)
	}
	n := len(t.Columns)
	for _, row := range t.Rows {
		n = max(n, len(row))
	}
	right, width := make([]bool, n), make([]int, n)
	for _, row := range t.Rows {
		text := make([]string, len(row))
		for i, v := range row {
			text[i] = human(v)
			right[i] = right[i] || isNumber(v)
		}
		cells = append(cells, text)
	}
	for _, row := range cells {
		for i, c := range row {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	for r, row := range cells {
		var line strings.Builder
		for i, c := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
			if i > 0 {
				line.WriteString("  ")
			}
			if right[i] {
				line.WriteString(pad + c)
			} else {
				line.WriteString(c + pad)
			}
		}
		text := strings.TrimRight(line.String(), " ")
		if r == 0 && len(t.Columns) > 0 {
			text = bold(text, color)
		}
		b.WriteString(text + "\n")
	}
	if t.Note != "" {
		b.WriteString(t.Note + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func bold(s string, color bool) string {
	if !color {
		return s
	}
	return "\x1b[1m" + s + "\x1b[0m"
}

func isNumber(v any) bool {
	switch v.(type) {
	case int, int64, uint64, float64, time.Duration, function.Bytes, function.MilliCPU, money:
		return true
	}
	return false
}

// human formats a cell for people. NaN and nil mean "not known".
func human(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		if v == "" {
			return "-"
		}
		return v
	case time.Duration:
		return humanDuration(v)
	case time.Time:
		if v.IsZero() {
			return "-"
		}
		return v.Local().Format("2006-01-02 15:04:05")
	case float64:
		if math.IsNaN(v) {
			return "-"
		}
		return strconv.FormatFloat(v, 'g', 4, 64)
	case function.Bytes:
		if v > function.MiB { // exact limits are whole mebibytes, measurements need no more
			v -= v % function.MiB
		}
		return v.String()
	case bool:
		if v {
			return "yes"
		}
		return "no"
	}
	return fmt.Sprint(v)
}

// humanDuration rounds to three significant digits: "850µs", "12.3ms", "1.25s".
func humanDuration(d time.Duration) string {
	unit := time.Duration(1)
	for a := d.Abs(); a >= 1000*unit; {
		unit *= 10
	}
	return d.Round(unit).String()
}

func writeCSV(w io.Writer, t Table) error {
	out := csv.NewWriter(w)
	head := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		head[i] = strings.ReplaceAll(strings.ToLower(c), " ", "_") + csvUnit(t.Rows, i)
	}
	if err := out.Write(head); err != nil {
		return err
	}
	for _, row := range t.Rows {
		text := make([]string, len(row))
		for i, v := range row {
			text[i] = raw(v)
		}
		if err := out.Write(text); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// csvUnit is the suffix that names the base unit of column i.
func csvUnit(rows [][]any, i int) string {
	for _, row := range rows {
		switch row[i].(type) {
		case time.Duration:
			return "_seconds"
		case function.Bytes:
			return "_bytes"
		case function.MilliCPU:
			return "_cpus"
		}
	}
	return ""
}

// raw formats a cell for programs; what is not known is empty.
func raw(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case time.Duration:
		return strconv.FormatFloat(v.Seconds(), 'g', -1, 64)
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.UTC().Format(time.RFC3339Nano)
	case float64:
		if math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	case money:
		return strconv.FormatFloat(float64(v), 'g', -1, 64)
	case function.Bytes:
		return strconv.FormatInt(int64(v), 10)
	case function.MilliCPU:
		return strconv.FormatFloat(v.Cores(), 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return fmt.Sprint(v)
}
