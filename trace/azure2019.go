package trace

import (
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
)

// Row is one row of a file of per-minute counts: one function on one day.
type Row struct {
	ID
	Trigger string
	// Counts of minutes Minute, Minute+1, ... of the day; valid until the next
	// row is read.
	Counts []int
	Minute int // minute of the day of Counts[0]
}

// ReadCounts reads a file of per-minute counts of one day in the 2019 format,
// row by row. The header names the columns HashOwner, HashApp, HashFunction and
// Trigger (HashOwner and Trigger may be missing) and then minutes of the day
// from 1 to 1440, consecutive; a file with fewer covers those only. The
// iteration ends with the first error. name is for messages.
func ReadCounts(name string, r io.Reader) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		t, err := newTable(name, r)
		if err != nil {
			yield(Row{}, err)
			return
		}
		first, minute, err := minuteColumns(t)
		if err != nil {
			yield(Row{}, err)
			return
		}
		id, err := t.columns("HashApp", "HashFunction")
		if err != nil {
			yield(Row{}, err)
			return
		}
		owner, trigger := t.column("HashOwner"), t.column("Trigger")
		row := Row{Counts: make([]int, len(t.header)-first), Minute: minute}
		for {
			ok, err := t.next()
			if err == nil && !ok {
				return
			}
			for i := first; err == nil && i < len(t.header); i++ {
				row.Counts[i-first], err = t.count(i)
			}
			if err != nil {
				yield(Row{}, err)
				return
			}
			row.ID = ID{Owner: t.text(owner), App: t.text(id[0]), Function: t.text(id[1])}
			row.Trigger = t.text(trigger)
			if !yield(row, nil) {
				return
			}
		}
	}
}

// minuteColumns finds the columns of minutes, which must be the last ones.
func minuteColumns(t *table) (first, minute int, err error) {
	for first < len(t.header) {
		if _, err := strconv.Atoi(t.header[first]); err == nil {
			break
		}
		first++
	}
	if first == len(t.header) {
		return 0, 0, fmt.Errorf("%s: no columns of minutes (1, 2, ...) in the header", t.file)
	}
	for i := first; i < len(t.header); i++ {
		n, err := strconv.Atoi(t.header[i])
		if err != nil || n < 1 || n > MinutesPerDay {
			return 0, 0, &RowError{File: t.file, Line: 1, Column: i + 1, Err: fmt.Errorf("%q is not a minute from 1 to %d", clip(t.header[i]), MinutesPerDay)}
		}
		if i == first {
			minute = n - 1
		} else if n-1 != minute+i-first {
			return 0, 0, &RowError{File: t.file, Line: 1, Column: i + 1, Err: fmt.Errorf("minute %d follows minute %s: columns are missing or shuffled", n, t.header[i-1])}
		}
	}
	return first, minute, nil
}

func (t *table) text(column int) string {
	if column < 0 {
		return ""
	}
	return strings.Clone(strings.TrimSpace(t.row[column]))
}

// percentileRow is a row of a file of percentiles.
type percentileRow struct {
	ID
	Percentiles
}

// percentileColumns names the columns of the three kinds of files.
var percentileColumns = map[kind]struct {
	id           []string
	mean, weight string
	prefix       string
	levels       []int
}{
	kindDurations:      {[]string{"HashApp", "HashFunction"}, "Average", "Count", "percentile_Average_", []int{0, 1, 25, 50, 75, 99, 100}},
	kindFunctionMemory: {[]string{"HashApp", "HashFunction"}, "AverageAllocatedMb", "SampleCount", "AverageAllocatedMb_pct", []int{1, 5, 25, 50, 75, 95, 99, 100}},
	kindAppMemory:      {[]string{"HashApp"}, "AverageAllocatedMb", "SampleCount", "AverageAllocatedMb_pct", []int{1, 5, 25, 50, 75, 95, 99, 100}},
}

// readPercentiles reads a file of duration or memory percentiles row by row.
// Percentiles that descend by rounding are lifted to the one before. Rows whose
// values are all zero are skipped: nothing takes no time and no memory.
func readPercentiles(name string, k kind, r io.Reader) iter.Seq2[percentileRow, error] {
	return func(yield func(percentileRow, error) bool) {
		c := percentileColumns[k]
		t, err := newTable(name, r)
		if err != nil {
			yield(percentileRow{}, err)
			return
		}
		wanted := append(append([]string{}, c.id...), c.mean, c.weight)
		var levels []float64
		for _, l := range c.levels {
			wanted = append(wanted, c.prefix+strconv.Itoa(l))
			levels = append(levels, float64(l)/100)
		}
		at, err := t.columns(wanted...)
		if err != nil {
			yield(percentileRow{}, err)
			return
		}
		owner := t.column("HashOwner")
		numbers := at[len(c.id):]
		for {
			ok, err := t.next()
			if err == nil && !ok {
				return
			}
			v := make([]float64, len(numbers))
			for i := 0; err == nil && i < len(numbers); i++ {
				v[i], err = t.number(numbers[i])
			}
			if err != nil {
				yield(percentileRow{}, err)
				return
			}
			row := percentileRow{ID{Owner: t.text(owner), App: t.text(at[0])}, Percentiles{Mean: v[0], Weight: v[1], Levels: levels, Values: v[2:]}}
			if len(c.id) > 1 {
				row.Function = t.text(at[1])
			}
			for i := 1; i < len(row.Values); i++ {
				row.Values[i] = max(row.Values[i], row.Values[i-1])
			}
			if row.Values[len(row.Values)-1] == 0 {
				continue
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}
