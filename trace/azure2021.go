package trace

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
)

// Invocation is one row of a trace in the 2021 format.
type Invocation struct {
	App, Function string
	// End is when the invocation ended, Duration how long it ran, in seconds
	// since the start of the trace. End - Duration may be slightly negative.
	End, Duration float64
}

// Start returns when the invocation began, not before the trace did.
func (i Invocation) Start() float64 { return math.Max(i.End-i.Duration, 0) }

// maxSeconds bounds times in the 2021 format: ten years.
const maxSeconds = 10 * 366 * 86400

// ReadInvocations reads a file in the 2021 format row by row: columns app, func,
// end_timestamp and duration, times in seconds. The iteration ends with the
// first error. Memory does not grow with the length of the file. name is for
// messages.
func ReadInvocations(name string, r io.Reader) iter.Seq2[Invocation, error] {
	return func(yield func(Invocation, error) bool) {
		t, err := newTable(name, r)
		if err != nil {
			yield(Invocation{}, err)
			return
		}
		at, err := t.columns("app", "func", "end_timestamp", "duration")
		if err != nil {
			yield(Invocation{}, err)
			return
		}
		for {
			ok, err := t.next()
			if err == nil && !ok {
				return
			}
			var v Invocation
			if err == nil {
				v.End, err = t.number(at[2])
			}
			if err == nil {
				v.Duration, err = t.number(at[3])
			}
			for i, x := range [2]float64{v.End, v.Duration} {
				if err == nil && x > maxSeconds {
					err = t.at(at[2+i], fmt.Errorf("%g seconds is more than ten years", x))
				}
			}
			if err != nil {
				yield(Invocation{}, err)
				return
			}
			v.App, v.Function = t.text(at[0]), t.text(at[1])
			if !yield(v, nil) {
				return
			}
		}
	}
}

// LoadInvocations reads a trace in the 2021 format into counts per minute of
// their start. Durations are summarised by the percentiles of the 2019 format,
// of the last thousand invocations of each function; memory is unknown. Rows need
// not be sorted.
func LoadInvocations(name string, r io.Reader) (*Trace, error) {
	type function struct {
		minutes map[int]int
		sample  []float64 // of durations in ms
		n       int
		sum     float64
	}
	byID := map[ID]*function{}
	end := 0.0
	for v, err := range ReadInvocations(name, r) {
		if err != nil {
			return nil, err
		}
		id := ID{App: v.App, Function: v.Function}
		f := byID[id]
		if f == nil {
			f = &function{minutes: map[int]int{}}
			byID[id] = f
		}
		minute := int(v.Start() / 60)
		if f.minutes[minute]++; f.minutes[minute] > MaxCount {
			return nil, fmt.Errorf("%s: more than %d invocations of %s in minute %d", name, MaxCount, id, minute)
		}
		// The last thousand durations of each function are kept.
		const kept = 1000
		if len(f.sample) < kept {
			f.sample = append(f.sample, v.Duration*1000)
		} else {
			f.sample[f.n%kept] = v.Duration * 1000
		}
		f.n++
		f.sum += v.Duration * 1000
		end = math.Max(end, v.Start())
	}
	if len(byID) == 0 {
		return nil, errors.New(name + ": the trace has no invocations")
	}
	days := int(end/60)/MinutesPerDay + 1
	t := &Trace{Minutes: days * MinutesPerDay}
	for id, f := range byID {
		fn := Function{ID: id, Duration: summarise(f.sample)}
		fn.Duration.Mean, fn.Duration.Weight = f.sum/float64(f.n), float64(f.n)
		minutes := make([]int, 0, len(f.minutes))
		for m := range f.minutes {
			minutes = append(minutes, m)
		}
		slices.Sort(minutes)
		for _, m := range minutes {
			fn.Counts.Append(m, f.minutes[m])
		}
		t.Functions = append(t.Functions, fn)
	}
	t.sort()
	t.cover(daysFrom(days))
	return t, nil
}

func daysFrom(n int) []int {
	d := make([]int, n)
	for i := range d {
		d[i] = i + 1
	}
	return d
}

// summarise returns the percentiles of the 2019 format of a sample.
func summarise(x []float64) Percentiles {
	slices.SortFunc(x, cmp.Compare)
	p := Percentiles{Levels: []float64{0, 0.01, 0.25, 0.5, 0.75, 0.99, 1}}
	for _, l := range p.Levels {
		p.Values = append(p.Values, x[int(l*float64(len(x)-1)+0.5)])
	}
	return p
}
