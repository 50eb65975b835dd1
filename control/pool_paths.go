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

// stageKey is a stage of a workflow.
type stageKey struct{ workflow, path string }

// paths says what follows the stages of workflows.
type paths struct {
	workflows map[string]bool   // of which enough is known
	stages    map[stageKey]int  // their numbers
	follow    map[int]following // by number of a stage that a run may begin with
	young     bool              // some workflow has but few runs yet
}

// following are the stages that a run reaches later.
type following struct {
	lags      []workflow.Lag
	between   [][]workflow.Lag
	functions []string // by stage; "" for one that calls none
	first     int      // the number of stage 0
}

// learnPaths reads what recent runs say. A workflow whose runs cannot be read
// is left out.
func (p *Pool) learnPaths(ctx context.Context, seed int64) *paths {
	out := &paths{workflows: map[string]bool{}, stages: map[stageKey]int{}, follow: map[int]following{}}
	if p.c.Workflows == nil || p.c.Runs == nil {
		return out
	}
	for _, w := range p.c.Workflows() {
		runs, err := p.c.Runs(ctx, w.Name, pathRuns)
		if err != nil {
			p.c.Logger.Warn("reading the runs of a workflow: its stages are not started ahead", "workflow", w.Name, "error", err)
			continue
		}
		out.add(w, runs, uint64(seed))
	}
	return out
}

// add composes a workflow from its graph, the ways that its runs took and the
// time that each stage took, cold starts and waiting excluded.
func (ps *paths) add(w *workflow.Workflow, runs []TrialRecord, seed uint64) {
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
	// The same runs are drawn for both kinds of lags, which are compared.
	sampled := func() (stages, runs int, draw func(stage int) float64, r *rand.Rand) {
		r = rand.New(rand.NewPCG(seed, 0))
		return len(g.Stages), pathSamples, func(stage int) float64 {
			if t := took[g.Stages[stage].Path]; len(t) > 0 {
				return t[r.IntN(len(t))]
			}
			return 0 // no run reached it
		}, r
	}
	ps.workflows[w.Name] = true
	first := len(ps.stages)
	functions := make([]string, len(g.Stages))
	for i, s := range g.Stages {
		functions[i] = s.Function
		ps.stages[stageKey{w.Name, s.Path}] = first + i
	}
	between := c.LagsBetween(sampled())
	for entry, lags := range c.LagsFrom(sampled()) {
		ps.follow[first+entry] = following{lags, between, functions, first}
	}
}

// successors is what a policy is told, which knows functions by index.
func (ps *paths) successors(index map[string]int) map[int][]pool.Successor {
	out := make(map[int][]pool.Successor, len(ps.follow))
	for entry, f := range ps.follow {
		for _, l := range f.lags {
			i, known := index[f.functions[l.Stage]]
			if !known || !comesLater(l) {
				continue
			}
			s := pool.Successor{Function: i, Lag: l}
			for a, lags := range f.between {
				if b := lags[l.Stage]; f.lags[a].Reached > 0 && comesLater(b) {
					s.Told = append(s.Told, pool.Told{By: f.first + a, Reached: f.lags[a].Reached, Lag: b})
				}
			}
			out[entry] = append(out[entry], s)
		}
	}
	return out
}

func comesLater(l workflow.Lag) bool { return l.Reached > 0 && l.Quantile(1) > 0 }
