package control

import (
	"context"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/workflow"
)

// Trial asks for one run of a workflow with given resources.
type Trial struct {
	ID        string
	Resources map[string]function.Resources // by function
	Input     int                           // index into TuningConfig.Inputs; -1 for none of them, of a live run
}

// Measurement is what one run showed.
type Measurement struct {
	Start, End time.Time
	// Failed says that the run did not complete. Its invocations tell why.
	Failed bool
	// Message says, for people, how a failed run ended.
	Message string
	// Invocations are all that the run made.
	Invocations []function.Observation
	// Disturbed says that other work on the machine was in the way.
	Disturbed bool
	// OtherCPUs is how many CPUs others used meanwhile, on average; 0 where the
	// machine does not tell.
	OtherCPUs float64
}

// TrialRunner runs trials, one at a time, so that they do not disturb one
// another.
type TrialRunner interface {
	// Run runs a trial on instances that are warm. An error means that nothing
	// could be measured; a run that fails is a measurement.
	Run(ctx context.Context, t Trial) (Measurement, error)
}

// TrialStore keeps trials, so that a session that ends early loses nothing.
type TrialStore interface {
	SaveTrial(ctx context.Context, r TrialRecord) error
}

// TuningJournal keeps decisions.
type TuningJournal interface {
	DecideTuning(ctx context.Context, d TuningDecision) error
}

// TuningDecision is one entry of the journal.
type TuningDecision struct {
	Time     time.Time
	Workflow string
	Kind     string // "trial", "recommendation", "apply"
	Reason   string // for people, one sentence
	Data     any    // what it rests on; marshals to JSON
}

// TrialRecord is one trial as it is kept. It names stages and functions, not
// their positions, so that it is understood after the workflow was edited.
type TrialRecord struct {
	ID       string    `json:"id"`
	Workflow string    `json:"workflow"`
	Time     time.Time `json:"time"`
	// Code identifies the workflow and the functions that were measured: a trial
	// of other code says nothing.
	Code           string                        `json:"code"`
	Input          string                        `json:"input"`
	Resources      map[string]function.Resources `json:"resources"`
	LatencySeconds float64                       `json:"latencySeconds"`
	Failed         bool                          `json:"failed,omitempty"`
	Message        string                        `json:"message,omitempty"`
	Disturbed      bool                          `json:"disturbed,omitempty"`
	OtherCPUs      float64                       `json:"otherCPUs,omitempty"`
	Online         bool                          `json:"online,omitempty"`
	Invocations    []TrialInvocation             `json:"invocations"`
}

// TrialInvocation is one invocation of a trial.
type TrialInvocation struct {
	Stage            string           `json:"stage"` // workflow.Stage.Path
	Seconds          float64          `json:"seconds"`
	ColdStartSeconds float64          `json:"coldStartSeconds,omitempty"`
	Outcome          function.Outcome `json:"outcome"`
	PeakMemory       function.Bytes   `json:"peakMemoryBytes,omitempty"`
}

// RecordOf makes the record of a measurement. Workflow, code and input are the
// caller's to fill in.
func RecordOf(t Trial, m Measurement) TrialRecord {
	r := TrialRecord{
		ID: t.ID, Time: m.Start, Resources: t.Resources, Failed: m.Failed, Message: m.Message, Disturbed: m.Disturbed,
		OtherCPUs: m.OtherCPUs, LatencySeconds: NetLatency(m).Seconds(),
	}
	for _, o := range m.Invocations {
		switch o.Outcome {
		case function.OutcomeCanceled, function.OutcomeRejected, function.OutcomeStart:
			continue // says nothing of the function
		}
		r.Invocations = append(r.Invocations, TrialInvocation{
			Stage: o.Stage, Seconds: o.Execution.Seconds(), ColdStartSeconds: o.ColdStart.Seconds(),
			Outcome: o.Outcome, PeakMemory: o.PeakMem,
		})
	}
	return r
}

// run is the record in terms of a problem, with the index of its input. The
// second result is false for one
// that does not fit it.
func (r *TrialRecord) run(p *tuner.Problem, input int) (tuner.Run, bool) {
	out := tuner.Run{Latency: r.LatencySeconds, Failed: r.Failed, Input: input + 1}
	for _, f := range p.Functions {
		res, ok := r.Resources[f.Name]
		if !ok {
			return out, false
		}
		out.Configuration = append(out.Configuration, res)
	}
	for _, inv := range r.Invocations {
		stage := stageOf(p.Graph, inv.Stage)
		if stage < 0 {
			return out, false
		}
		out.Invocations = append(out.Invocations, tuner.Invocation{
			Stage: stage, Seconds: inv.Seconds, Outcome: inv.Outcome, PeakMemory: inv.PeakMemory,
		})
	}
	return out, p.CheckHistory([]tuner.Run{out}) == nil
}

func stageOf(g *workflow.Graph, path string) int {
	for i, s := range g.Stages {
		if s.Path == path {
			return i
		}
	}
	return -1
}
