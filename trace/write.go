package trace

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// WriteCounts writes one day of the trace, counted from 0, as a file of
// per-minute counts in the 2019 format. Functions without invocations on that
// day are left out, as in the published files, unless all is true.
func (t *Trace) WriteCounts(w io.Writer, day int, all bool) error {
	b := bufio.NewWriter(w)
	b.WriteString("HashOwner,HashApp,HashFunction,Trigger")
	for m := 1; m <= MinutesPerDay; m++ {
		fmt.Fprintf(b, ",%d", m)
	}
	b.WriteByte('\n')
	s := Span{day * MinutesPerDay, (day + 1) * MinutesPerDay}
	for i := range t.Functions {
		f := &t.Functions[i]
		if !all && f.Counts.Sum(s) == 0 {
			continue
		}
		writeID(b, f)
		b.WriteString("," + field(f.Trigger))
		var row [MinutesPerDay]int
		for m, n := range f.Counts.In(s) {
			row[m-s.From] = n
		}
		for _, n := range row {
			b.WriteByte(',')
			b.WriteString(strconv.Itoa(n))
		}
		b.WriteByte('\n')
	}
	return flush(b, "counts")
}

// WriteDurations writes the durations of the functions whose durations are
// known in the 2019 format.
func (t *Trace) WriteDurations(w io.Writer) error {
	return t.writePercentiles(w, kindDurations, func(f *Function) Percentiles { return f.Duration })
}

// WriteMemory writes the memory of the functions whose memory is known, in the
// layout of the memory files of 2019 with a column more for the function.
func (t *Trace) WriteMemory(w io.Writer) error {
	return t.writePercentiles(w, kindFunctionMemory, func(f *Function) Percentiles { return f.Memory })
}

func (t *Trace) writePercentiles(w io.Writer, k kind, of func(*Function) Percentiles) error {
	b := bufio.NewWriter(w)
	c := percentileColumns[k]
	b.WriteString("HashOwner," + strings.Join(c.id, ","))
	if k == kindDurations {
		b.WriteString(",Average,Count,Minimum,Maximum")
	} else {
		b.WriteString(",SampleCount,AverageAllocatedMb")
	}
	for _, l := range c.levels {
		fmt.Fprintf(b, ",%s%d", c.prefix, l)
	}
	b.WriteByte('\n')
	for i := range t.Functions {
		f := &t.Functions[i]
		p := of(f)
		if !p.Known() {
			continue
		}
		writeID(b, f)
		if k == kindDurations {
			fmt.Fprintf(b, ",%s,%.0f,%s,%s", short(p.Mean), p.Weight, short(p.Quantile(0)), short(p.Quantile(1)))
		} else {
			fmt.Fprintf(b, ",%.0f,%s", p.Weight, short(p.Mean))
		}
		for _, l := range c.levels {
			b.WriteString("," + short(p.Quantile(float64(l)/100)))
		}
		b.WriteByte('\n')
	}
	return flush(b, "percentiles")
}

// WriteInvocations writes the invocations of the trace in the 2021 format,
// sorted by end. Starts are uniform within their minute and durations drawn
// from the function's distribution, which must be known. One minute is in memory
// at a time, plus what is still running.
func (t *Trace) WriteInvocations(w io.Writer, r *rand.Rand) error {
	b := bufio.NewWriter(w)
	b.WriteString("app,func,end_timestamp,duration\n")
	for i := range t.Functions {
		if f := &t.Functions[i]; f.Counts.Active() > 0 && !f.Duration.Known() {
			return fmt.Errorf("writing invocations: the duration of %s is unknown; draw it with Complete first", f.ID)
		}
	}
	next := make([]int, len(t.Functions)) // positions in the sparse counts
	var running []Invocation
	for minute := range t.Minutes {
		for i := range t.Functions {
			f := &t.Functions[i]
			if next[i] >= len(f.Counts.minutes) || int(f.Counts.minutes[next[i]]) != minute {
				continue
			}
			for range f.Counts.counts[next[i]] {
				start := 60 * (float64(minute) + r.Float64())
				d := f.Duration.Sample(r) / 1000
				running = append(running, Invocation{f.App, f.ID.Function, start + d, d})
			}
			next[i]++
		}
		slices.SortStableFunc(running, func(a, b Invocation) int {
			switch {
			case a.End < b.End:
				return -1
			case a.End > b.End:
				return 1
			}
			return 0
		})
		done := 0
		for done < len(running) && (running[done].End < 60*float64(minute+1) || minute == t.Minutes-1) {
			v := running[done]
			fmt.Fprintf(b, "%s,%s,%.6f,%.6f\n", field(v.App), field(v.Function), v.End, v.Duration)
			done++
		}
		running = append(running[:0], running[done:]...)
	}
	return flush(b, "invocations")
}

func writeID(b *bufio.Writer, f *Function) {
	b.WriteString(field(f.Owner) + "," + field(f.App) + "," + field(f.ID.Function))
}

// field quotes text for CSV where it must be.
func field(s string) string {
	if !strings.ContainsAny(s, ",\"\r\n") {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

func short(v float64) string { return strconv.FormatFloat(v, 'f', -1, 32) }

// flush reports the first error of all writes since b was made.
func flush(b *bufio.Writer, what string) error {
	if err := b.Flush(); err != nil {
		return fmt.Errorf("writing %s: %w", what, err)
	}
	return nil
}
