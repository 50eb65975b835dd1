package experiment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aquatope/aquatope/sim"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/trace"
)

// runSource starts the runs of workflows, minute by minute.
type runSource struct {
	span  trace.Span
	week  int // minute of the week at the epoch
	notes []string

	minute int
	traced *sim.Arrivals   // of one function for each workflow, or
	at     []time.Duration // the next run of each workflow, and
	gap    float64         // the mean time between two in seconds
	random *rand.Rand
	spread float64
	sizes  *rand.Rand
	batch  []flow.Arrival
}

// arrivals begins from the start; two of the same configuration are the same.
func (c SimulateWorkflowsConfig) arrivals() (*runSource, error) {
	s := &runSource{spread: c.Scenario.InputSpread, sizes: stats.Stream(c.Seed, "experiment/simulate/sizes")}
	n := len(c.Profiles)
	if c.Trace == nil {
		s.span, s.gap = trace.Span{To: c.Days * trace.MinutesPerDay}, time.Minute.Seconds()/c.Rate
		s.random = stats.Stream(c.Seed, "experiment/simulate/runs")
		for range n {
			s.at = append(s.at, nanos(s.gap*s.random.ExpFloat64()))
		}
		s.notes = []string{fmt.Sprintf("Each workflow is run %g times a minute on average, at random (Poisson).", c.Rate)}
		return s, nil
	}
	t := *c.Trace
	if len(t.Functions) != n {
		chosen, err := chooseSeries(c.Trace, n, c.Seed)
		if err != nil {
			return nil, fmt.Errorf("%w: use a trace with as many functions as there are workflows, which are taken in order, or a rate instead", err)
		}
		t.Functions = nil
		for _, f := range chosen {
			t.Functions = append(t.Functions, *f)
		}
	}
	s.span, s.week, s.minute = t.Covered, t.Start, t.Covered.From
	s.notes = slices.Clone(t.Notes)
	t.Functions = slices.Clone(t.Functions)
	for i := range t.Functions {
		f := &t.Functions[i]
		f.Duration = trace.Percentiles{Mean: 1, Levels: []float64{0, 1}, Values: []float64{1, 1}} // not used
		s.notes = append(s.notes, fmt.Sprintf("Runs of %s come as invocations of %s: %.3g a minute.", c.Profiles[i].Name, f.ID, float64(f.Counts.Sum(t.Covered))/float64(t.Covered.Len())))
	}
	s.notes = append(s.notes, sim.Measured.Describe())
	s.traced = sim.NewArrivals(&t, t.Covered, sim.Measured, c.Seed)
	return s, nil
}

// next returns the runs of the next minute in order. The slice is reused.
func (s *runSource) next() []flow.Arrival {
	s.batch = s.batch[:0]
	if s.traced != nil {
		batch, _, _ := s.traced.Next()
		for _, a := range batch {
			s.batch = append(s.batch, flow.Arrival{At: a.At, Workflow: a.Function})
		}
	} else {
		for i := range s.at {
			for s.at[i] < instant(s.minute+1) {
				s.batch = append(s.batch, flow.Arrival{At: s.at[i], Workflow: i})
				s.at[i] += nanos(s.gap * s.random.ExpFloat64())
			}
		}
		slices.SortStableFunc(s.batch, func(a, b flow.Arrival) int { return int(a.At - b.At) })
	}
	s.minute++
	if s.spread > 0 {
		for i := range s.batch {
			s.batch[i].Scale = math.Exp(s.spread*s.sizes.NormFloat64() - s.spread*s.spread/2)
		}
	}
	return s.batch
}
