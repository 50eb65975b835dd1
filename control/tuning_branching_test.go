package control_test

import (
	"fmt"
	"testing"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/workflow"
	"github.com/google/go-cmp/cmp"
)

// branching is a workflow of a switch, a loop and a condition, each of which shows
// in the stages of its runs.
func branching() *workflow.Workflow {
	stage := func(name, path string) workflow.Task {
		return workflow.Task{Name: name, Path: path, Call: &workflow.Call{Function: name}}
	}
	read, extra := stage("read", "/do/1/read"), stage("extra", "/do/3/extra")
	read.Then, extra.If = "end", ".extra"
	return &workflow.Workflow{Name: "w", Do: []workflow.Task{
		{Name: "route", Path: "/do/0/route", Switch: []workflow.Case{{Name: "r", When: ".read", Then: "read"}, {Name: "else", Then: "parts"}}},
		read,
		{Name: "parts", Path: "/do/2/parts", For: &workflow.For{In: ".parts", Do: []workflow.Task{stage("part", "/do/2/parts/for/do/0/part")}}},
		extra,
	}}
}

// ran is the record of a run with an input: how often it invoked each stage.
func ran(input string, read, parts, extra int) control.TrialRecord {
	r := control.TrialRecord{Input: input}
	for path, n := range map[string]int{"/do/1/read": read, "/do/2/parts/for/do/0/part": parts, "/do/3/extra": extra} {
		for range n {
			r.Invocations = append(r.Invocations, control.TrialInvocation{Stage: path})
		}
	}
	return r
}

func TestBranchingByInput(t *testing.T) {
	index := map[string]int{"read": 0, "short": 1, "long": 2}
	input := func(r *control.TrialRecord) int {
		if k, ok := index[r.Input]; ok {
			return k
		}
		return -1
	}
	read, short, long := ran("read", 1, 0, 0), ran("short", 0, 2, 0), ran("long", 0, 5, 1)
	for name, test := range map[string]struct {
		records []control.TrialRecord
		// Mean invocations of read, part and extra: of the inputs, then of all.
		want [][]float64
	}{
		"told apart": {
			[]control.TrialRecord{read, read, short, long},
			[][]float64{{1, 0, 0}, {0, 2, 0}, {0, 5, 1}, {0.5, 0.25*2 + 0.25*5, 0.25}},
		},
		"a mean count": {
			[]control.TrialRecord{read, ran("short", 0, 1, 0), ran("short", 0, 4, 0), ran("short", 0, 0, 0), long},
			[][]float64{{1, 0, 0}, {0, 5. / 3, 0}, {0, 5, 1}, {0.5, 0.25*5/3 + 0.25*5, 0.25}},
		},
		// What all runs did stands for what is not known of an input.
		"one unseen": {
			[]control.TrialRecord{short, long},
			[][]float64{{0, 3.5, 0.5}, {0, 2, 0}, {0, 5, 1}, {0, 3.5, 0.5}},
		},
		"a failed run": {
			[]control.TrialRecord{read, short, long, {Input: "short", Failed: true}},
			[][]float64{{1, 0, 0}, {0, 2, 0}, {0, 5, 1}, {0.5, 0.25*2 + 0.25*5, 0.25}},
		},
		"mostly unknown": {
			[]control.TrialRecord{read, short, long, ran("", 1, 0, 0), ran("", 1, 0, 0), ran("", 1, 0, 0), ran("", 1, 0, 0)},
			[][]float64{{5. / 7, 1, 1. / 7}, {5. / 7, 1, 1. / 7}, {5. / 7, 1, 1. / 7}, {5. / 7, 1, 1. / 7}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := branching()
			by := control.BranchingByInput(w, test.records, 3, input)
			g, err := workflow.NewGraphOf(w, by, []float64{2, 1, 1})
			if err != nil {
				t.Fatal(err)
			}
			for k, want := range test.want {
				if k == 3 {
					k = -1
				}
				got := g.VisitRatiosOf(k)
				if d := cmp.Diff(fmt.Sprintf("%.6f", want), fmt.Sprintf("%.6f", got)); d != "" {
					t.Errorf("input %d: %s", k, d)
				}
			}
		})
	}
}
