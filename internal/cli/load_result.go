package cli

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/load"
	"github.com/aquatope/aquatope/server/api"
)

// loadResult is what a load run measured, as -o json prints it.
type loadResult struct {
	Started  time.Time          `json:"started"`
	Duration time.Duration      `json:"durationNanos"`
	Schedule string             `json:"schedule"`
	Targets  []loadTargetResult `json:"targets"`
	Stages   []api.StageSummary `json:"stages"`
	Idle     []api.IdleSummary  `json:"idle"`
	IdleCost float64            `json:"idleCost"` // of all functions, while the run lasted
	Price    string             `json:"price"`

	samples [][]load.Sample
}

// loadTargetResult is what a load run measured of one workflow.
type loadTargetResult struct {
	load.Summary
	ColdStarts int            `json:"coldStarts"`
	Cost       float64        `json:"cost"` // of serving; idle instances belong to functions
	Errors     map[string]int `json:"errors,omitempty"`
}

func newLoadResult(plan loadPlan, start time.Time, took time.Duration, samples [][]load.Sample) loadResult {
	r := loadResult{Started: start, Duration: took, Schedule: plan.what, samples: samples}
	for i, t := range plan.targets {
		errs := map[string]int{}
		for _, s := range samples[i] {
			if s.Error != "" {
				errs[s.Error]++
			}
		}
		r.Targets = append(r.Targets, loadTargetResult{Summary: load.Summarise(t.name, t.qos, samples[i]), Errors: commonest(errs, 5)})
	}
	return r
}

// commonest returns the n most frequent keys with their counts.
func commonest(count map[string]int, n int) map[string]int {
	keys := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	out := map[string]int{}
	for _, k := range keys[:min(n, len(keys))] {
		out[k] = count[k]
	}
	return out
}

// add joins what the server observed.
func (r *loadResult) add(s api.ObservationSummary) {
	r.Stages = []api.StageSummary{}
	r.Idle = s.Idle
	r.Price = s.Price
	for _, x := range s.Stages {
		i := slices.IndexFunc(r.Targets, func(t loadTargetResult) bool { return t.Target == x.Workflow })
		if i < 0 {
			continue
		}
		r.Targets[i].ColdStarts += x.ColdStarts
		r.Targets[i].Cost += x.Cost
		r.Stages = append(r.Stages, x)
	}
	for _, x := range s.Idle {
		r.IdleCost += x.Cost
	}
}

func (r *loadResult) runs() int {
	n := 0
	for _, t := range r.Targets {
		n += t.Runs
	}
	return n
}

func (r *loadResult) met() bool {
	return !slices.ContainsFunc(r.Targets, func(t loadTargetResult) bool { return !t.Met })
}

func (r *loadResult) tables() []Table {
	sum := Table{
		Title:   "Workflows",
		Columns: []string{"workflow", "runs", "failed", "violations", "p50", "p95", "p99", "target", "promise", "cold starts", "cost"},
	}
	for _, t := range r.Targets {
		sum.Rows = append(sum.Rows, []any{
			t.Target, t.Runs, t.Failed, fmt.Sprintf("%d (%.1f%%)", t.Violations, 100*t.ViolationRate()),
			t.P50, t.P95, t.P99, qosText(t.QoS), promise(t), t.ColdStarts, money(t.Cost),
		})
	}
	if r.Price != "" {
		sum.Note = fmt.Sprintf("Prices: %s. Instances that were warm and idle cost %s besides.", r.Price, money(r.IdleCost))
	}
	tables := []Table{sum}
	if len(r.Stages) > 0 {
		tables = append(tables, stagesTable(r.Stages))
	}
	failures := Table{Title: "Failures", Columns: []string{"workflow", "runs", "reason"}}
	for _, t := range r.Targets {
		for _, reason := range slices.Sorted(maps.Keys(t.Errors)) {
			failures.Rows = append(failures.Rows, []any{t.Target, t.Errors[reason], reason})
		}
	}
	if len(failures.Rows) > 0 {
		tables = append(tables, failures)
	}
	return tables
}

func stagesTable(stages []api.StageSummary) Table {
	t := Table{
		Title:   "Stages",
		Columns: []string{"workflow", "stage", "function", "invocations", "failed", "cold", "cold wait", "queue p95", "p50", "p95", "p99", "cpu mean", "memory max", "cost"},
	}
	for _, s := range stages {
		var wait any
		if s.ColdStarts > 0 {
			wait = s.ColdStart
		}
		t.Rows = append(t.Rows, []any{
			s.Workflow, s.Stage, s.Function, s.Invocations, s.Failures, s.ColdStarts, wait, s.QueueP95,
			s.P50, s.P95, s.P99, s.CPUTime, mebibytes(s.PeakMem), money(s.Cost),
		})
	}
	return t
}

func promise(t loadTargetResult) string {
	switch {
	case t.QoS.Latency == 0:
		return "none"
	case t.Met:
		return "met"
	}
	return "broken"
}

// mebibytes rounds up to whole mebibytes, as limits are given.
func mebibytes(n int64) function.Bytes {
	return function.Bytes(math.Ceil(float64(n)/float64(function.MiB))) * function.MiB
}

// money formats an amount of the price list's currency (US dollars).
type money float64

func (m money) String() string { return fmt.Sprintf("$%.6f", float64(m)) }
