package control

import (
	"context"
	"math/rand/v2"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/workflow"
)

const (
	// pathRuns is how many of a workflow's last runs say which ways runs take
	// and how long its stages do, and fewestPaths how many are needed.
	pathRuns    = 60
	fewestPaths = 2
	// pathSamples is how many runs are drawn from what they say.
	pathSamples = 300
	// youngPaths is how many runs are so few that every further one matters.
	youngPaths = 15
	// pathWindows is how many windows what they say is valid for, once there are many.
	pathWindows = 5
)

// entryStage is a stage of a workflow.
type entryStage struct{ workflow, path string }

// paths says what follows the ways to begin a run.
type paths struct {
	workflows map[string]bool    // of which enough is known
	entries   map[entryStage]int // their numbers
	follow    []following        // by number of the entry
	young     bool               // some workflow has but few runs yet
}

// following are the stages that a run reaches later, with their functions.
type following struct {
	lags      []workflow.Lag
	functions []string // by stage; "" for one that calls none
}

// learnPaths reads what recent runs say. A workflow whose runs cannot be read
// is left out.
func (p *Pool) learnPaths(ctx context.Context, seed int64) *paths {
	out := &paths{workflows: map[string]bool{}, entries: map[entryStage]int{}}
	if p.c.Workflows == nil || p.c.Runs == nil {
		return out
	}
	for _, w := range p.c.Workflows() {
		runs, err := p.c.Runs(ctx, w.Name, pathRuns)
		if err != nil {
			p.c.Logger.Warn("reading the runs of a workflow: its stages are not started ahead", "workflow", w.Name, "error", err)
			continue
		}
		out.add(w, runs, rand.New(rand.NewPCG(uint64(seed), 0)))
	}
	return out
}

// add composes a workflow from its graph, the ways that its runs took and the
// time that each stage took, cold starts and waiting excluded.
func (ps *paths) add(w *workflow.Workflow, runs []TrialRecord, r *rand.Rand) {
	took := map[string][]float64{}
	complete := 0
	for _, run := range runs {
		if run.Failed {
			continue
		}
		complete++
		for _, x := range run.Invocations {
			if x.Outcome == function.OutcomeOK {
				took[x.Stage] = append(took[x.Stage], x.Seconds)
			}
		}
	}
	ps.young = ps.young || complete < youngPaths
	if complete < fewestPaths {
		return
	}
	g, err := workflow.NewGraph(w, BranchingOf(w, runs))
	if err != nil {
		return // too branched to compose: forecasts serve it
	}
	c, err := workflow.NewComposition(g)
	if err != nil {
		return
	}
	draw := func(stage int) float64 {
		if t := took[g.Stages[stage].Path]; len(t) > 0 {
			return t[r.IntN(len(t))]
		}
		return 0 // no run reached it
	}
	functions := make([]string, len(g.Stages))
	for i, s := range g.Stages {
		functions[i] = s.Function
	}
	ps.workflows[w.Name] = true
	for entry, lags := range c.LagsFrom(len(g.Stages), pathSamples, draw, r) {
		ps.entries[entryStage{w.Name, g.Stages[entry].Path}] = len(ps.follow)
		ps.follow = append(ps.follow, following{lags, functions})
	}
}

// successors is what a policy is told, which knows functions by index.
func (ps *paths) successors(index map[string]int) map[int][]pool.Successor {
	out := make(map[int][]pool.Successor, len(ps.follow))
	for entry, f := range ps.follow {
		for _, l := range f.lags {
			i, known := index[f.functions[l.Stage]]
			if known && l.Reached > 0 && l.Quantile(1) > 0 {
				out[entry] = append(out[entry], pool.Successor{Function: i, Lag: l})
			}
		}
	}
	return out
}
