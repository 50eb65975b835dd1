package trace

import (
	"fmt"
	"iter"
	"maps"
	"slices"
)

// paddingRun is how many minutes without a single invocation of any function
// at an end of the trace are taken for padding rather than for idleness.
const paddingRun = 60

// Rows reads the counts of one day of the folder row by row, in the order of
// the files. The ID's Set is filled where the folder holds several.
func (f *Folder) Rows(day int) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		several := f.sets()
		for _, v := range f.files {
			if v.kind != kindInvocations || v.day != day {
				continue
			}
			r, err := OpenFile(f.fsys, v.path)
			if err != nil {
				yield(Row{}, err)
				return
			}
			for row, err := range ReadCounts(v.path, r) {
				if several {
					row.Set = v.set
				}
				if !yield(row, err) || err != nil {
					r.Close()
					return
				}
			}
			r.Close()
		}
	}
}

// Load reads the whole folder. Functions may be listed on some days only; on
// the others they had no invocations. A function that is listed twice on one
// day is an error. Memory of an app without memory of its functions is divided
// evenly over the app's functions in the trace.
func (f *Folder) Load() (*Trace, error) {
	t := &Trace{Minutes: f.Minutes(), WeekdayKnown: f.days[0] != UnknownDay}
	if t.WeekdayKnown {
		// Day 1 of the published trace is Monday, 15 July 2019.
		t.Start = (f.days[0] - 1) % 7 * MinutesPerDay
	}
	byID := map[ID]*Function{}
	for _, day := range f.days {
		today := make(map[ID]bool, len(byID))
		offset := (day - f.days[0]) * MinutesPerDay
		for row, err := range f.Rows(day) {
			if err != nil {
				return nil, err
			}
			if today[row.ID] {
				return nil, fmt.Errorf("function %s is listed twice on day %d", row.ID, day)
			}
			today[row.ID] = true
			fn := byID[row.ID]
			if fn == nil {
				fn = &Function{ID: row.ID, Trigger: row.Trigger}
				byID[row.ID] = fn
			}
			for i, n := range row.Counts {
				fn.Counts.Append(offset+row.Minute+i, n)
			}
		}
	}
	if len(byID) == 0 {
		return nil, fmt.Errorf("the trace lists no functions")
	}
	if err := f.percentiles(byID); err != nil {
		return nil, err
	}
	for _, fn := range byID {
		t.Functions = append(t.Functions, *fn)
	}
	t.sort()
	t.cover(f.days)
	return t, nil
}

// cover finds what part of the axis was recorded.
func (t *Trace) cover(days []int) {
	t.Covered = Span{0, t.Minutes}
	for i := 1; i < len(days); i++ {
		if gap := days[i] - days[i-1]; gap > 1 {
			s := Span{(days[i-1] - days[0] + 1) * MinutesPerDay, (days[i] - days[0]) * MinutesPerDay}
			t.Gaps = append(t.Gaps, s)
			t.Notes = append(t.Notes, fmt.Sprintf("Days %d to %d are missing; they count as idle.", days[i-1]+1, days[i]-1))
		}
	}
	hull := Span{t.Minutes, 0}
	for i := range t.Functions {
		if b, ok := t.Functions[i].Counts.Bounds(); ok {
			hull.From, hull.To = min(hull.From, b.From), max(hull.To, b.To)
		}
	}
	if hull.From >= hull.To {
		t.Notes = append(t.Notes, "The trace has no invocations.")
		return
	}
	if hull.From >= paddingRun {
		t.Covered.From = hull.From
	}
	if t.Minutes-hull.To >= paddingRun {
		t.Covered.To = hull.To
	}
	if t.Covered.Len() != t.Minutes {
		t.Notes = append(t.Notes, fmt.Sprintf(
			"Only minutes %d to %d of %d were taken as recorded: no function has an invocation outside of them, so the rest is padding.",
			t.Covered.From, t.Covered.To-1, t.Minutes))
	}
}

// percentiles reads the durations and memory of the functions in byID.
func (f *Folder) percentiles(byID map[ID]*Function) error {
	several := f.sets()
	apps := map[ID]Percentiles{}
	for _, v := range f.files {
		if v.kind == kindInvocations {
			continue
		}
		r, err := OpenFile(f.fsys, v.path)
		if err != nil {
			return err
		}
		for row, err := range readPercentiles(v.path, v.kind, r) {
			if err != nil {
				r.Close()
				return err
			}
			if several {
				row.Set = v.set
			}
			fn := byID[row.ID]
			switch {
			case v.kind == kindAppMemory:
				apps[row.ID] = apps[row.ID].pool(row.Percentiles)
			case fn == nil: // a function without a row of counts was never called
			case v.kind == kindDurations:
				fn.Duration = fn.Duration.pool(row.Percentiles)
			default:
				fn.Memory = fn.Memory.pool(row.Percentiles)
			}
		}
		r.Close()
	}
	shareAppMemory(byID, apps)
	return nil
}

func shareAppMemory(byID map[ID]*Function, apps map[ID]Percentiles) {
	members := map[ID]int{}
	appOf := func(id ID) ID { return ID{Set: id.Set, Owner: id.Owner, App: id.App} }
	for id := range byID {
		members[appOf(id)]++
	}
	for _, id := range slices.SortedFunc(maps.Keys(byID), ID.Compare) {
		fn, app := byID[id], apps[appOf(id)]
		if fn.Memory.Known() || !app.Known() {
			continue
		}
		n := float64(members[appOf(id)])
		share := Percentiles{Mean: app.Mean / n, Weight: app.Weight, Levels: app.Levels}
		for _, v := range app.Values {
			share.Values = append(share.Values, v/n)
		}
		fn.Memory = share
	}
}
