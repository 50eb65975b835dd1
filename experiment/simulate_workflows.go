package experiment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aquatope/aquatope/forecast/prior"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/sim/fleet"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/trace"
)

// SimulateWorkflowsConfig describes a cluster that runs workflows.
type SimulateWorkflowsConfig struct {
	Profiles []*profile.Model
	// Resources are those of functions, by name; others have the most that their
	// profile allows.
	Resources map[string]function.Resources
	// Trace gives the arrivals of runs: of as many functions as there are
	// workflows in their order, of others a choice (see seriesRule). Without one
	// each workflow is run Rate times a minute on average, at random, for Days.
	Trace *trace.Trace
	Rate  float64
	Days  int

	Policies []PolicyChoice
	Nodes    []fleet.Node // none is room for everything
	Scenario Scenario
	Price    function.Price
	Seed     uint64
	// Progress, unless nil, is told of every minute that was simulated.
	Progress func(done, total int, note string)
}

// Scenario is how the world differs from what was measured. The zero value is no
// difference.
type Scenario struct {
	// Interference is by how much busy neighbours slow an invocation (flow.Slowdown).
	Interference float64
	Outliers     flow.Outliers
	// Drift is the factor on service times that is reached, evenly, at the end; 0
	// means 1.
	Drift float64
	// InputSpread is the deviation of the logarithm of input sizes, by which
	// service times are multiplied; their mean is 1.
	InputSpread float64
	Losses      []flow.Loss // at times since the beginning
}

// WorkflowSimulationReport is what a cluster did with workflows under several
// policies.
type WorkflowSimulationReport struct {
	Minutes int    `json:"minutes"`
	Nodes   int    `json:"nodes"` // 0 for room for everything
	Seed    uint64 `json:"seed"`
	Price   string `json:"price"`

	Results  []WorkflowSimulation `json:"results"`
	Policies []PolicySimulation   `json:"policies"`
	Notes    []string             `json:"notes"`
}

// WorkflowSimulation is what happened to one workflow under one policy.
type WorkflowSimulation struct {
	Workflow string `json:"workflow"`
	Policy   string `json:"policy"`
	Runs     int64  `json:"runs"`
	// Ended counts the runs by how they ended: completed, rejected, too-large,
	// lost, out-of-memory.
	Ended map[string]int64 `json:"ended"`
	// Violations are runs that failed or took longer than QoSMillis, which is 0
	// where nothing was promised. QoSMet says that they are within ErrorBudget, of
	// which no promise leaves all.
	Violations    int64   `json:"violations"`
	ViolationRate float64 `json:"violationRate"`
	ErrorBudget   float64 `json:"errorBudget"`
	QoSMillis     float64 `json:"qosMillis"`
	QoSMet        bool    `json:"qosMet"`
	// The latency is that of the runs that completed.
	P50Millis float64 `json:"p50Millis"`
	P95Millis float64 `json:"p95Millis"`
	P99Millis float64 `json:"p99Millis"`
	// Stages are invocations, ColdStarts starts of instances that one waited for,
	// ColdRuns runs that waited for any. Queued waited for room or for an instance
	// that served others, Retried lost their node once.
	Stages     int64   `json:"stages"`
	ColdStarts int64   `json:"coldStarts"`
	ColdRuns   int64   `json:"coldRuns"`
	Queued     int64   `json:"queued"`
	Retried    int64   `json:"retried"`
	BusyCost   float64 `json:"busyCost"`
	IdleCost   float64 `json:"idleCost"`
	TotalCost  float64 `json:"totalCost"`
}

// PolicySimulation is what one policy did with the instances of all workflows.
type PolicySimulation struct {
	Policy       string `json:"policy"`
	StartedAhead int64  `json:"startedAhead"`
	Evicted      int64  `json:"evicted"`
	Lost         int64  `json:"lost"` // with their node
	// Process is what the simulation took, which differs from run to run; its
	// invocations are the stages.
	Process ProcessUse `json:"process"`
}

// SimulateWorkflows runs workflows on a cluster under every policy. All but Process
// is the same for equal arguments, and every policy faces the same runs and luck.
// When ctx ends early, what there is of the policies that were simulated comes with
// the error.
func SimulateWorkflows(ctx context.Context, c SimulateWorkflowsConfig) (*WorkflowSimulationReport, error) {
	if len(c.Profiles) == 0 || len(c.Policies) == 0 {
		return nil, errors.New("a simulation needs a workflow and a policy")
	}
	workflows, err := c.workflows()
	if err != nil {
		return nil, err
	}
	out := &WorkflowSimulationReport{Nodes: len(c.Nodes), Seed: c.Seed, Price: c.Price.Name}
	for i, p := range c.Policies {
		if p.Name == oraclePolicy {
			return nil, errors.New("the oracle has no place in this simulation, which makes runs as it goes: leave it out")
		}
		source, err := c.arrivals()
		if err != nil {
			return nil, err
		}
		progress := func(minute int) {
			if n := source.span.Len(); c.Progress != nil {
				c.Progress(i*n+minute, len(c.Policies)*n, fmt.Sprintf("%s: minute %d of %d", p, minute, n))
			}
		}
		switch err := c.under(ctx, p, workflows, source, progress, out); {
		case interrupted(ctx, err, i):
			out.Notes = append(out.Notes, interruptedNote(i, len(c.Policies), "policies"))
			return out, err
		case err != nil:
			return nil, fmt.Errorf("simulating %s: %w", p, err)
		}
		if i == 0 {
			out.Minutes, out.Notes = source.span.Len(), append(source.notes, c.notes()...)
		}
	}
	return out, nil
}

// workflows behave as the profiles do with the resources that were asked for.
func (c SimulateWorkflowsConfig) workflows() ([]flow.Workflow, error) {
	var out []flow.Workflow
	used := map[string]bool{}
	for _, m := range c.Profiles {
		m = withColdStarts(m, 0)
		resources := make([]function.Resources, len(m.Functions))
		for i, t := range m.Functions {
			resources[i] = t.Space.Largest()
			if r, ok := c.Resources[t.Name]; ok {
				resources[i], used[t.Name] = r, true
			}
		}
		out = append(out, flow.FromModel(m, resources))
	}
	for name := range c.Resources {
		if !used[name] {
			return nil, fmt.Errorf("resources are given for function %s, which no workflow here calls", name)
		}
	}
	return out, nil
}

// under simulates one policy.
func (c SimulateWorkflowsConfig) under(ctx context.Context, p PolicyChoice, workflows []flow.Workflow, source *runSource, progress func(int), out *WorkflowSimulationReport) error {
	begin, used := time.Now(), processorTime()
	model, err := prior.Load()
	if err != nil {
		return fmt.Errorf("loading the forecasting model: %w", err)
	}
	successors, err := flow.Successors(workflows, c.Seed)
	if err != nil {
		return err
	}
	from, until := instant(source.span.From), instant(source.span.To)
	cast, err := p.cast(stage{
		functions: flow.Functions(workflows), window: time.Minute, week: int64(source.week), from: from,
		forecaster: model.New(), successors: successors,
	})
	if err != nil {
		return err
	}
	clock := newClocked(cast.policy)
	s := flow.New(workflows, clock.asPolicy(), flow.Config{
		Window: cast.window, Lead: cast.lead, From: from, Until: until, Nodes: p.nodes(c.Nodes), Patience: patience,
		Interference: c.Scenario.Interference, Outliers: c.Scenario.Outliers, Losses: c.Scenario.losses(from),
		Drift: c.Scenario.drift(from, until), Price: c.Price, Seed: c.Seed,
	})
	for minute := source.span.From; minute < source.span.To; minute++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.Feed(source.next())
		s.Advance(instant(minute+1) - 1)
		progress(minute + 1 - source.span.From)
	}
	r := s.Finish()
	for i := range r.Workflows {
		out.Results = append(out.Results, simulated(&r.Workflows[i], c.Profiles[i], p))
	}
	out.Policies = append(out.Policies, PolicySimulation{
		Policy: p.String(), StartedAhead: r.Instances.StartedAhead, Evicted: r.Instances.Evicted, Lost: r.Instances.Lost,
		Process: clock.use(time.Since(begin), processorTime()-used, r.StageExecutions),
	})
	return nil
}

// simulated describes what was measured of a workflow.
func simulated(r *flow.WorkflowResult, m *profile.Model, p PolicyChoice) WorkflowSimulation {
	ms := func(p float64) float64 { return 1000 * r.Latency(p).Seconds() }
	out := WorkflowSimulation{
		Workflow: r.Name, Policy: p.String(), Runs: r.Runs, Ended: map[string]int64{}, Violations: r.Violations,
		ViolationRate: r.ViolationRate(), ErrorBudget: m.QoS.ErrorBudget(), QoSMillis: 1000 * m.QoS.Latency.Seconds(),
		QoSMet: m.QoS.Kept(int(r.Runs), int(r.Violations)), P50Millis: ms(0.50), P95Millis: ms(0.95), P99Millis: ms(0.99),
		Stages: r.Stages, ColdStarts: r.ColdStarts, ColdRuns: r.ColdRuns, Queued: r.Waited, Retried: r.Retried,
		BusyCost: r.Busy.Cost, IdleCost: r.Idle.Cost, TotalCost: r.Cost(),
	}
	for o, n := range r.Ended {
		if n > 0 {
			out.Ended[flow.Outcome(o).String()] = n
		}
	}
	return out
}

// losses are at times since the epoch.
func (s Scenario) losses(from time.Duration) []flow.Loss {
	out := slices.Clone(s.Losses)
	for i := range out {
		out[i].At, out[i].Back = out[i].At+from, out[i].Back+from // not after At if it was not
	}
	return out
}

// drift grows from 1 to the factor; nil without.
func (s Scenario) drift(from, until time.Duration) func(int, time.Duration) float64 {
	if s.Drift == 0 || s.Drift == 1 {
		return nil
	}
	return func(_ int, at time.Duration) float64 {
		share := float64(at-from) / float64(until-from)
		return 1 + (s.Drift-1)*min(max(share, 0), 1)
	}
}

func (c SimulateWorkflowsConfig) notes() []string {
	out := lackingColdStarts(c.Profiles)
	s := c.Scenario
	if s.Interference > 0 {
		out = append(out, fmt.Sprintf("Neighbours interfere: on a node whose CPUs are all busy an invocation takes %g times as long, and longer where they are too few.", 1+s.Interference))
	}
	if s.Outliers.Share > 0 {
		out = append(out, fmt.Sprintf("Of all invocations a share of %g takes %g times as long.", s.Outliers.Share, s.Outliers.Factor))
	}
	if s.Drift != 0 && s.Drift != 1 {
		out = append(out, fmt.Sprintf("Service times drift evenly to %g times what was measured.", s.Drift))
	}
	if s.InputSpread > 0 {
		out = append(out, fmt.Sprintf("Inputs differ in size: service times are multiplied by a log-normal factor of mean 1 and sigma %g, the same for all stages of a run.", s.InputSpread))
	}
	for _, l := range s.Losses {
		back := "for good"
		if l.Back > l.At {
			back = "for " + shortTime(l.Back-l.At)
		}
		out = append(out, fmt.Sprintf("Node %d is lost after %s, %s.", l.Node+1, shortTime(l.At), back))
	}
	return slices.Clip(out)
}
