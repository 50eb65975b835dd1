package control

import (
	"maps"
	"slices"
	"strings"

	"github.com/aquatope/aquatope/workflow"
)

// BranchingOf estimates from trials which ways the runs of a workflow take. An
// inner loop or condition is taken to depend on nothing but being reached.
func BranchingOf(w *workflow.Workflow, records []TrialRecord) workflow.Branching {
	b := workflow.Branching{
		Cases: map[string][]float64{}, Runs: map[string]float64{}, Iterations: map[string]float64{},
	}
	t := &ways{b: b}
	for _, r := range records {
		if r.Failed {
			continue // it went no further than it failed
		}
		seen := map[string]int{}
		for _, inv := range r.Invocations {
			seen[inv.Stage]++
		}
		t.runs = append(t.runs, seen)
	}
	if len(t.runs) > 0 {
		t.list(w.Do, float64(len(t.runs)))
	}
	return t.b
}

// BranchingByInput is BranchingOf for the runs with each of n inputs, which input
// tells, -1 if it is not known. What runs with an input did not come to is taken
// from all; and so is everything where most runs have an unknown input, since then
// the known ones are not what runs get.
func BranchingByInput(w *workflow.Workflow, records []TrialRecord, n int, input func(*TrialRecord) int) []workflow.Branching {
	by := make([][]TrialRecord, n)
	known := 0
	for i := range records {
		if k := input(&records[i]); k >= 0 {
			by[k] = append(by[k], records[i])
			known++
		}
	}
	all := BranchingOf(w, records)
	out := make([]workflow.Branching, n)
	for k := range out {
		out[k] = all
		if 2*known < len(records) {
			continue
		}
		own := BranchingOf(w, by[k])
		out[k].Cases = over(all.Cases, own.Cases)
		out[k].Runs = over(all.Runs, own.Runs)
		out[k].Iterations = over(all.Iterations, own.Iterations)
	}
	return out
}

// over returns the entries of base, replaced by those of own where it has some.
func over[V any](base, own map[string]V) map[string]V {
	out := maps.Clone(base)
	maps.Copy(out, own)
	return out
}

// ways counts, for each run, the invocations of every stage.
type ways struct {
	b    workflow.Branching
	runs []map[string]int
}

// reached counts the runs that invoked a stage at or below a task, and the most
// invocations that one stage there had, over all runs.
func (t *ways) reached(path string) (runs, most float64) {
	total := map[string]int{}
	for _, r := range t.runs {
		hit := false
		for stage, n := range r {
			if stage == path || strings.HasPrefix(stage, path+"/") {
				hit = true
				total[stage] += n
			}
		}
		if hit {
			runs++
		}
	}
	for _, n := range total {
		most = max(most, float64(n))
	}
	return runs, most
}

// list visits tasks, of which entered runs reach the first, and returns how many
// reach the end of the list.
func (t *ways) list(tasks []workflow.Task, entered float64) float64 {
	at := make([]float64, len(tasks)+1) // runs that reach each task
	at[0] = entered
	for i := range tasks {
		if at[i] <= 0 {
			continue
		}
		task := &tasks[i]
		leave := func(then string, runs float64) {
			switch next := slices.IndexFunc(tasks, func(o workflow.Task) bool { return o.Name == then }); {
			case next > i:
				at[next] += runs
			case then == "exit":
				at[len(tasks)] += runs
			case then != "end":
				at[i+1] += runs
			}
		}
		runs := t.task(task, at[i])
		at[i+1] += at[i] - runs // those that its if kept out
		switch {
		case len(task.Switch) > 0:
			weights := t.choice(task, tasks, runs)
			for k, w := range weights {
				then := ""
				if k < len(task.Switch) {
					then = task.Switch[k].Then
				}
				leave(then, w)
			}
		case task.Do != nil:
			leave(task.Then, t.list(task.Do, runs))
		default:
			leave(task.Then, runs)
		}
	}
	return at[len(tasks)]
}

// task visits a task that entered runs reach, and returns how many its if lets in.
func (t *ways) task(task *workflow.Task, entered float64) float64 {
	within := entered
	runs, most := t.reached(task.Path)
	if task.If != "" && hasStage(task) {
		within = min(entered, runs)
		t.b.Runs[task.Path] = within / entered
	}
	if task.For != nil && hasStage(task) && within > 0 {
		t.b.Iterations[task.Path] = most / within
	}
	if runs > 0 && task.Do == nil {
		for _, inner := range task.Lists() {
			t.list(inner, runs)
		}
	}
	return within
}

// choice weighs the cases of a switch by the runs that reach where they lead, and
// returns the weights.
func (t *ways) choice(task *workflow.Task, siblings []workflow.Task, entered float64) []float64 {
	weights := make([]float64, len(task.Switch)+1)
	rest := entered
	var open, quiet []int // cases of which runs do not tell, and need not tell, that they were taken
	fallback := false
	for i, c := range task.Switch {
		fallback = fallback || c.When == ""
		known := false
		for j := range siblings {
			if siblings[j].Name == c.Then && hasStage(&siblings[j]) {
				weights[i], _ = t.reached(siblings[j].Path)
				rest -= weights[i]
				known = true
				if siblings[j].If != "" || siblings[j].For != nil {
					quiet = append(quiet, i)
				}
			}
		}
		if !known {
			open = append(open, i)
		}
	}
	if !fallback {
		open = append(open, len(task.Switch))
	} else {
		weights = weights[:len(task.Switch)]
	}
	if len(open) == 0 {
		open = quiet
	}
	for _, i := range open {
		weights[i] += max(rest, 0) / float64(len(open))
	}
	t.b.Cases[task.Path] = weights
	return weights
}

// hasStage reports whether a task invokes functions, so that runs show whether
// it was reached.
func hasStage(task *workflow.Task) bool {
	if task.Call != nil {
		return task.Call.Function != ""
	}
	for _, inner := range task.Lists() {
		for i := range inner {
			if hasStage(&inner[i]) {
				return true
			}
		}
	}
	return false
}
