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
	stages  map[stageKey]stage // of workflows of which enough is known
	numbers int                // that were given to stages
	follow  []following
	young   bool // some workflow has but few runs yet
}

// stage tells what follows it, which depends on how its run began: it has a number
// for each stage that a run may begin with.
type stage struct{ first, index, stages int }

// begins is the number of the stage as the first of a run.
func (s stage) begins() int { return s.first + s.index }

// after is its number in a run that began with another one.
func (s stage) after(entry stage) int { return s.first + (1+entry.index)*s.stages + s.index }

// following are the stages that a run reaches later which began with one of them.
type following struct {
	entry     stage
	lags      []workflow.Lag
	between   [][]workflow.Lag
	functions []string // by stage; "" for one that calls none
}

// learnPaths reads what recent runs say. A workflow whose runs cannot be read
// is left out.
func (p *Pool) learnPaths(ctx context.Context, seed int64) *paths {
	out := &paths{stages: map[stageKey]stage{}}
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
	n := len(g.Stages)
	functions := make([]string, n)
	for i, s := range g.Stages {
		functions[i] = s.Function
		ps.stages[stageKey{w.Name, s.Path}] = stage{ps.numbers, i, n}
	}
	between := c.LagsBetween(sampled())
	for entry, lags := range c.LagsFrom(sampled()) {
		ps.follow = append(ps.follow, following{stage{ps.numbers, entry, n}, lags, between, functions})
	}
	ps.numbers += n * (n + 1)
}

// successors is what a policy is told, which knows functions by index.
func (ps *paths) successors(index map[string]int, alone func(fn string) bool) map[int][]pool.Successor {
	out := make(map[int][]pool.Successor, len(ps.follow))
	for _, f := range ps.follow {
		for _, l := range f.lags {
			i, known := index[f.functions[l.Stage]]
			if !known || !comesLater(l) || alone(f.functions[l.Stage]) {
				continue
			}
			s := pool.Successor{Function: i, Lag: l}
			for a, lags := range f.between {
				if b := lags[l.Stage]; f.lags[a].Reached > 0 && comesLater(b) {
					by := stage{f.entry.first, a, f.entry.stages}
					s.Told = append(s.Told, pool.Told{By: by.after(f.entry), Reached: f.lags[a].Reached, Lag: b})
				}
			}
			out[f.entry.begins()] = append(out[f.entry.begins()], s)
		}
	}
	return out
}

func comesLater(l workflow.Lag) bool { return l.Reached > 0 && l.Quantile(1) > 0 }
