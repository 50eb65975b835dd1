package server

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/stats"
)

// summarise says what the invocations from since on were like, by stage; of
// one workflow, or with an empty name of everything.
func (s *Server) summarise(ctx context.Context, workflow string, since time.Time) (api.ObservationSummary, error) {
	// What has been observed but waits to be written belongs to it.
	if err := s.store.Flush(ctx); err != nil {
		return api.ObservationSummary{}, err
	}
	out := api.ObservationSummary{Since: since, Until: time.Now(), Price: s.config.Price.Name, Stages: []api.StageSummary{}}
	groups := map[stageKey]*stageSamples{}
	for _, fn := range slices.Sorted(maps.Keys(s.catalog.Load().functions)) {
		for o, err := range s.store.Observations(ctx, fn, since, out.Until) {
			if err != nil {
				return out, err
			}
			if workflow != "" && o.Workflow != workflow {
				continue
			}
			key := stageKey{o.Workflow, o.Stage, o.Function}
			if groups[key] == nil {
				groups[key] = &stageSamples{}
			}
			groups[key].add(&o, s.config.Price)
		}
	}
	names := s.stageNames()
	for key, g := range groups {
		sum := g.summary()
		sum.Workflow, sum.Stage, sum.Function = key.workflow, names[key], key.function
		if sum.Stage == "" {
			sum.Stage = key.stage
		}
		out.Stages = append(out.Stages, sum)
	}
	order := s.stageOrder()
	slices.SortFunc(out.Stages, func(a, b api.StageSummary) int {
		return cmp.Or(
			cmp.Compare(a.Workflow, b.Workflow),
			cmp.Compare(order[[2]string{a.Workflow, a.Stage}], order[[2]string{b.Workflow, b.Stage}]),
			cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Function, b.Function))
	})
	out.Idle = s.idle.since(since)
	return out, nil
}

// stageKey tells stages apart by their path, as observations name them.
type stageKey struct{ workflow, stage, function string }

// stageNames are the names of stages that are deployed.
func (s *Server) stageNames() map[stageKey]string {
	names := map[stageKey]string{}
	for w, d := range s.catalog.Load().workflows {
		for _, st := range d.stages {
			names[stageKey{w, st.Path, st.Function}] = st.Name
		}
	}
	return names
}

// stageOrder is the place of each stage, by workflow and name, in its workflow.
func (s *Server) stageOrder() map[[2]string]int {
	order := map[[2]string]int{}
	for w, d := range s.catalog.Load().workflows {
		for i, st := range d.stages {
			order[[2]string{w, st.Name}] = i
		}
	}
	return order
}

// stageSamples collects the invocations of one stage.
type stageSamples struct {
	sum       api.StageSummary
	queue     []float64
	execution []float64
	cold, cpu time.Duration
	served    int
}

func (g *stageSamples) add(o *function.Observation, p function.Price) {
	g.sum.Invocations++
	g.queue = append(g.queue, float64(o.Queue))
	if o.Cold {
		g.sum.ColdStarts++
		g.cold += o.ColdStart
	}
	if o.Execution > 0 {
		g.sum.Cost += p.Invocation(o.Resources, o.Execution)
	}
	g.sum.PeakMem = max(g.sum.PeakMem, int64(o.PeakMem))
	if o.Outcome != function.OutcomeOK {
		g.sum.Failures++
		return
	}
	g.served++
	g.cpu += o.CPUTime
	g.execution = append(g.execution, float64(o.Execution))
}

func (g *stageSamples) summary() api.StageSummary {
	s := g.sum
	s.QueueP95 = time.Duration(stats.Quantiles(g.queue, 0.95)[0])
	if s.ColdStarts > 0 {
		s.ColdStart = g.cold / time.Duration(s.ColdStarts)
	}
	if g.served > 0 {
		s.CPUTime = g.cpu / time.Duration(g.served)
		q := stats.Quantiles(g.execution, 0.50, 0.95, 0.99)
		s.P50, s.P95, s.P99 = time.Duration(q[0]), time.Duration(q[1]), time.Duration(q[2])
	}
	return s
}
