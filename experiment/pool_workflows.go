package experiment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/sim"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/trace"
	"github.com/aquatope/aquatope/workflow"
)

// The trace's functions whose arrivals are laid on workflows: a number of them,
// drawn among those with so many runs in the covered part. Few runs need no
// pool, many keep every stage busy anyway.
const (
	workflowEntries  = 150
	fewestRuns       = 20
	mostRuns         = 20_000
	stageMedian      = 1.0 // s, of a function's median service time
	stageSigma       = 1.0 // of its logarithm, between functions
	stageWithinSigma = 0.3 // of its logarithm, between invocations
	lagSamples       = 400
)

// shapes are those of the paper's five workflows, with their numbers of stages.
func shapes() []*workflow.Graph {
	return []*workflow.Graph{
		shape("chain", 4, series(0, 1, 2, 3)),
		shape("fan-out", 6, series(0, parallel(1, 2, 3, 4), 5)),
		shape("ml-pipeline", 6, series(0, 1, parallel(2, 3, 4), 5)),
		shape("video", 6, series(0, parallel(1, 2), choice(series(3, 4), 5))),
		shape("social-network", 7, series(0, parallel(1, 2, 3), 4, choice(5, 6))),
	}
}

func shape(name string, stages int, root *workflow.Node) *workflow.Graph {
	g := &workflow.Graph{Root: root}
	for i := range stages {
		g.Stages = append(g.Stages, workflow.Stage{Name: fmt.Sprintf("%s-%d", name, i)})
	}
	return g
}

// nodes takes stages by number, and nodes.
func nodes(parts []any) []*workflow.Node {
	var out []*workflow.Node
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			out = append(out, &workflow.Node{Kind: workflow.KindStage, Stage: p})
		case *workflow.Node:
			out = append(out, p)
		}
	}
	return out
}

func series(parts ...any) *workflow.Node {
	return &workflow.Node{Kind: workflow.KindSeries, Children: nodes(parts)}
}

func parallel(parts ...any) *workflow.Node {
	return &workflow.Node{Kind: workflow.KindParallel, Children: nodes(parts)}
}

func choice(parts ...any) *workflow.Node {
	n := &workflow.Node{Kind: workflow.KindChoice, Children: nodes(parts)}
	for range n.Children {
		n.Probability = append(n.Probability, 1/float64(len(n.Children)))
	}
	return n
}

// runs lays the arrivals of chosen functions of a trace on workflows: every
// arrival starts a run, whose stages are invoked one after the other as the
// graph and the drawn service times say. Cold starts do not delay what follows,
// so that all policies see the same invocations.
type runs struct {
	entries   *sim.Arrivals
	workflows []laid // by entry
	random    *rand.Rand
	later     []sim.Arrival // of minutes to come
	batch     []sim.Arrival
}

// laid is one workflow: a graph over functions numbered from first on.
type laid struct {
	composition *workflow.Composition
	first       int
	medians     []float64 // s, by stage
	service     []float64
	uniform     []float64
	start       []float64
}

func (l *laid) draw(r *rand.Rand) func(int) float64 {
	return func(stage int) float64 { return l.medians[stage] * math.Exp(stageWithinSigma*r.NormFloat64()) }
}

// Next implements source.
func (w *runs) Next() ([]sim.Arrival, int, bool) {
	batch, minute, ok := w.entries.Next()
	if !ok {
		return nil, 0, false
	}
	for _, a := range batch {
		l := &w.workflows[a.Function]
		l.composition.Fill(l.service, l.uniform, l.draw(w.random), w.random)
		l.composition.Starts(l.service, l.uniform, l.start)
		for slot, stage := range l.composition.Slots() {
			if at := l.start[slot]; !math.IsNaN(at) {
				w.later = append(w.later, sim.Arrival{
					At: a.At + nanos(at), Service: max(time.Microsecond, nanos(l.service[slot])), Function: l.first + stage,
				})
			}
		}
	}
	end := instant(minute + 1)
	slices.SortStableFunc(w.later, func(a, b sim.Arrival) int { return int(a.At - b.At) })
	n, _ := slices.BinarySearchFunc(w.later, end, func(a sim.Arrival, t time.Duration) int { return int(a.At - t) })
	w.batch = append(w.batch[:0], w.later[:n]...)
	w.later = append(w.later[:0], w.later[n:]...)
	return w.batch, minute, true
}

func nanos(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// newWorkflowWorld chooses entries and lays workflows on them.
func newWorkflowWorld(c PoolConfig, seed uint64) (*world, error) {
	t := *c.Trace
	t.Functions = chooseEntries(c.Trace, seed)
	if len(t.Functions) == 0 {
		return nil, fmt.Errorf("comparing policies on workflows: no function of the trace has %d to %d invocations", fewestRuns, mostRuns)
	}
	t.Complete(stats.Stream(seed, "experiment/complete"))
	w := &world{PoolConfig: c, seed: seed, trace: &t, successors: map[int][]pool.Successor{}}
	r, told := stats.Stream(seed, "experiment/workflows"), stats.Stream(seed, "experiment/lags")
	all := shapes()
	var placed []laid
	for i := range t.Functions {
		g := all[i%len(all)]
		composition, err := workflow.NewComposition(g)
		if err != nil {
			return nil, fmt.Errorf("comparing policies on workflows: %w", err)
		}
		slots := len(composition.Slots())
		l := laid{
			composition: composition, first: len(w.functions), service: make([]float64, slots),
			start: make([]float64, slots), uniform: make([]float64, composition.Uniforms()),
		}
		var numbers []int
		for k, stage := range g.Stages {
			median := stageMedian * math.Exp(stageSigma*r.NormFloat64())
			l.medians = append(l.medians, median)
			numbers = append(numbers, len(w.functions))
			w.functions = append(w.functions, pool.Function{
				Name: fmt.Sprintf("%s/%d/%s", t.Functions[i].ID, k, stage.Name), App: t.Functions[i].ID.String(),
				Memory: function.Bytes(trace.DrawMemory(r) * 1e6), ColdStart: drawCold(r), Service: nanos(median), Concurrency: c.Concurrency,
			})
		}
		lags := composition.Lags(len(g.Stages), lagSamples, l.draw(r), r)
		between := composition.LagsBetween(len(g.Stages), lagSamples, l.draw(told), told)
		w.successors[l.first] = pool.Relayed(lags, between, numbers)
		placed = append(placed, l)
	}
	w.newSource = func() source {
		copies := slices.Clone(placed) // scratch is shared only within a run
		for i := range copies {
			l := &copies[i]
			l.service, l.uniform, l.start = slices.Clone(l.service), slices.Clone(l.uniform), slices.Clone(l.start)
		}
		return &runs{
			entries: sim.NewArrivals(&t, w.simulated(), c.Spread, seed), workflows: copies,
			random: stats.Stream(seed, "experiment/runs"),
		}
	}
	w.notes = []string{
		fmt.Sprintf("The arrivals of %d functions of the trace, drawn among those with %d to %d invocations, start runs of five shapes in turn (chain, fan-out, ML pipeline, video, social network), %d functions in all; the stages of a run are invoked as its graph and the drawn service times say, cold starts not counted.",
			len(t.Functions), fewestRuns, mostRuns, len(w.functions)),
		fmt.Sprintf("Service times: log-normal, median %g s and sigma %g between functions, sigma %g within; memory: Burr as fitted to Azure (Shahrad et al. 2020).", stageMedian, stageSigma, stageWithinSigma),
		c.Spread.Describe(), coldNote(), concurrencyNote(c.Concurrency),
	}
	return w, nil
}

func chooseEntries(t *trace.Trace, seed uint64) []trace.Function {
	var fit []trace.Function
	for _, f := range t.Functions {
		if n := f.Counts.Sum(t.Covered); n >= fewestRuns && n <= mostRuns {
			fit = append(fit, f)
		}
	}
	r := stats.Stream(seed, "experiment/entries")
	r.Shuffle(len(fit), func(i, j int) { fit[i], fit[j] = fit[j], fit[i] })
	return fit[:min(len(fit), workflowEntries)]
}
