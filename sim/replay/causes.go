package replay

import (
	"cmp"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/run"
)

// step is one invocation of a run, with what it waits for.
type step struct {
	stage    *run.Stage
	function int32 // -1 for what took its time without an instance
	next     []int32
	waits    int32 // steps that must end first and have not
	gap      int64 // ns from the end of the last of those, or of the run's start, until it begins
	service  int64 // ns that it keeps an instance busy
	after    int64 // ns that pass from then until the run goes on
}

// causes says which invocation of a run waited for which: an invocation waited
// for all that had ended when it began, other than those on other branches.
func (h *History) causes(r *run.Run, functions map[string]int32) []step {
	steps := make([]step, len(r.Stages))
	order := make([]int32, len(r.Stages))
	for i := range r.Stages {
		order[i] = int32(i)
		steps[i] = newStep(&r.Stages[i], functions)
	}
	slices.SortFunc(order, func(a, b int32) int { return r.Stages[a].Start.Compare(r.Stages[b].Start) })
	for n, i := range order {
		s := &steps[i]
		last := r.Start
		for _, j := range order[:n] {
			before := &r.Stages[j]
			end := ended(before)
			if before.Outcome == function.OutcomeCanceled || end.After(s.stage.Start) || h.concurrent(r.Workflow, before, s.stage) {
				continue
			}
			steps[j].next = append(steps[j].next, i)
			s.waits++
			if end.After(last) {
				last = end
			}
		}
		s.gap = max(0, int64(s.stage.Start.Sub(last)))
	}
	return steps
}

func ended(s *run.Stage) time.Time { return s.Start.Add(s.Duration) }

// newStep splits the recorded time of an invocation. What was not served by an
// instance, such as a call over HTTP or an invocation that was turned away,
// takes the time that it took.
func newStep(s *run.Stage, functions map[string]int32) step {
	f, ok := functions[s.Function]
	if !ok || s.Execution <= 0 {
		return step{stage: s, function: -1, after: int64(max(0, s.Duration))}
	}
	return step{
		stage: s, function: f, service: int64(s.Execution),
		after: int64(max(0, s.Duration-s.Queue-s.ColdStart-s.Execution)),
	}
}

// coldStarts are the recorded times of starts, by function: of every instance
// the longest wait of an invocation for it, since those that came later did not
// wait for all of it. A function without any is given those of all others.
func (h *History) coldStarts(functions map[string]int32) [][]time.Duration {
	type instance struct {
		function int32
		name     string
	}
	longest := map[instance]time.Duration{}
	for i := range h.Runs {
		for j := range h.Runs[i].Stages {
			s := &h.Runs[i].Stages[j]
			if f, ok := functions[s.Function]; ok && s.Cold && s.ColdStart > 0 {
				k := instance{f, s.Instance}
				longest[k] = max(longest[k], s.ColdStart)
			}
		}
	}
	out := make([][]time.Duration, len(functions))
	var all []time.Duration
	for k, d := range longest {
		out[k.function] = append(out[k.function], d)
		all = append(all, d)
	}
	for i := range out {
		if out[i] == nil {
			out[i] = slices.Clone(all)
		}
		slices.SortFunc(out[i], cmp.Compare)
	}
	return out
}

// Means are the mean times of a start and of an invocation of every function, of
// what was recorded; 0 where nothing was.
func (h *History) Means() (start, service []time.Duration) {
	index := h.index()
	start, service = make([]time.Duration, len(h.Functions)), make([]time.Duration, len(h.Functions))
	for i, all := range h.coldStarts(index) {
		for _, d := range all {
			start[i] += d / time.Duration(len(all))
		}
	}
	n := make([]time.Duration, len(h.Functions))
	for i := range h.Runs {
		for j := range h.Runs[i].Stages {
			s := &h.Runs[i].Stages[j]
			if f, ok := index[s.Function]; ok && s.Execution > 0 {
				service[f] += s.Execution
				n[f]++
			}
		}
	}
	for i := range service {
		service[i] /= max(1, n[i])
	}
	return start, service
}
