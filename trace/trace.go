package trace

import (
	"cmp"
	"slices"
)

// MinutesPerDay is the number of minutes, and of count columns, of a day.
const MinutesPerDay = 1440

// Trace is a trace in memory. Minutes are numbered from 0 at the midnight that
// starts its first day. Readers return functions in order of ID.
type Trace struct {
	// Start is the minute of the week, Monday 00:00 being 0, at minute 0 of the
	// trace. It is 0 where the weekday is unknown (WeekdayKnown false).
	Start        int
	WeekdayKnown bool
	// Minutes is the length of the time axis, a multiple of MinutesPerDay
	// for traces read from files by day.
	Minutes int
	// Covered is the part of the axis that was recorded. Outside of it, and in
	// the Gaps inside of it, counts are zero because nothing is known.
	Covered Span
	Gaps    []Span

	Functions []Function
	// Notes say in whole sentences what a reader of results must know: what
	// was drawn, what was missing, what was taken for padding.
	Notes []string
}

// Span is the half-open interval of minutes [From, To).
type Span struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Len returns the number of minutes in s.
func (s Span) Len() int { return s.To - s.From }

// ID names a function of a trace.
type ID struct {
	// Set is the prefix of the files that the function was read from, where a
	// folder holds several sets of files for the same day; else empty.
	Set      string
	Owner    string
	App      string
	Function string
}

// String returns the shortest text that is unique in every published trace.
func (id ID) String() string {
	s := id.Owner + "/" + id.App + "/" + id.Function
	if id.Set != "" {
		s = id.Set + "/" + s
	}
	return s
}

// Compare orders IDs by set, owner, app and function.
func (id ID) Compare(o ID) int {
	return cmp.Or(
		cmp.Compare(id.Set, o.Set), cmp.Compare(id.Owner, o.Owner),
		cmp.Compare(id.App, o.App), cmp.Compare(id.Function, o.Function))
}

// Function is one function of a trace.
type Function struct {
	ID
	Trigger string // http, timer, queue, event, storage, orchestration, others; may be empty

	Counts Counts
	// Duration of one invocation in milliseconds, and memory of one instance
	// in MB (1e6 bytes as published); empty where the trace has none.
	Duration Percentiles
	Memory   Percentiles
	// DurationDrawn and MemoryDrawn tell that Complete drew them.
	DurationDrawn, MemoryDrawn bool
}

// Invocations returns the number of invocations in the span.
func (t *Trace) Invocations(s Span) int64 {
	var n int64
	for i := range t.Functions {
		n += t.Functions[i].Counts.Sum(s)
	}
	return n
}

// Halves splits the covered part in the middle: the first half is for learning
// and warming up, the second for judging.
func (t *Trace) Halves() (first, second Span) {
	m := t.Covered.From + t.Covered.Len()/2
	return Span{t.Covered.From, m}, Span{m, t.Covered.To}
}

func (t *Trace) sort() {
	slices.SortFunc(t.Functions, func(a, b Function) int { return a.Compare(b.ID) })
}
