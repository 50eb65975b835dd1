package api

import (
	"encoding/json"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/workflow"
)

// TuneRequest asks for the cheapest resources that keep a workflow's promise.
type TuneRequest struct {
	Latency    time.Duration   `json:"latencyNanos,omitempty" minimum:"0" doc:"The promise to keep; by default the workflow's."`
	Percentile float64         `json:"percentile,omitempty" minimum:"0" doc:"Of runs that end within the latency; by default the workflow's."`
	Budget     int             `json:"budget,omitempty" minimum:"0" maximum:"1000" doc:"Runs in all, those of earlier sessions included; by default 25."`
	Strategy   string          `json:"strategy,omitempty" doc:"By default structured."`
	Inputs     []WeightedInput `json:"inputs,omitempty" doc:"What to run with; by default the payloads that the workflow's functions declare."`
	Fresh      bool            `json:"fresh,omitempty" doc:"Do not use the runs of earlier sessions."`
	Online     bool            `json:"online,omitempty" doc:"Try other resources on live runs instead of on runs made for it."`
	Share      float64         `json:"share,omitempty" minimum:"0" maximum:"0.5" doc:"Online: the largest share of live runs that are trials; by default 0.1."`
	Apply      bool            `json:"apply,omitempty" doc:"Deploy the recommendation if it keeps the promise."`
}

// WeightedInput is one input with its share.
type WeightedInput struct {
	Name   string          `json:"name,omitempty"`
	Weight float64         `json:"weight,omitempty" minimum:"0" doc:"Relative; by default 1."`
	Body   json.RawMessage `json:"body"`
}

// Phase is how far a session has come.
type Phase string

// The phases of a session.
const (
	PhaseRunning  Phase = "running"
	PhaseWatching Phase = "watching" // online: the recommendation serves and is watched for drift
	PhaseStopped  Phase = "stopped"  // somebody stopped it; what was learnt is kept
	PhaseDone     Phase = "done"
	PhaseFailed   Phase = "failed"
)

// Tuning is the state of a tuning session.
type Tuning struct {
	Workflow    string        `json:"workflow"`
	Phase       Phase         `json:"phase" enum:"running,watching,stopped,done,failed"`
	QoS         workflow.QoS  `json:"qos"`
	Strategy    string        `json:"strategy"`
	Budget      int           `json:"budget"`
	Runs        int           `json:"runs" doc:"So far, those of earlier sessions included."`
	Resumed     int           `json:"resumed" doc:"Runs of earlier sessions."`
	Warmups     int           `json:"warmups" doc:"Runs that only warmed instances and were not measured."`
	Repeated    int           `json:"repeated" doc:"Runs that were made again, since other work on the machine disturbed them."`
	Disturbed   int           `json:"disturbed" doc:"Of the runs, those that were disturbed each time."`
	Message     string        `json:"message,omitempty" doc:"What happens, or why it failed."`
	Disturbance string        `json:"disturbance,omitempty" doc:"What else uses the machine at the moment."`
	Applied     bool          `json:"applied"`
	Online      *OnlineCounts `json:"online,omitempty"`
	// Recommendation is the best so far.
	Recommendation *Recommendation `json:"recommendation,omitempty"`
}

// OnlineCounts is what an online session saw.
type OnlineCounts struct {
	Runs       int `json:"runs" doc:"Live runs since it began."`
	Trials     int `json:"trials" doc:"Of them with other resources than those that served."`
	Violations int `json:"violations" doc:"Of all of them."`
	Drifts     int `json:"drifts" doc:"How often what served was found to have changed."`
}

// Recommendation is a configuration with what is predicted of it.
type Recommendation struct {
	Verdict   string            `json:"verdict" enum:"feasible,infeasible,unknown" doc:"Whether it keeps the promise; unknown where too few runs were made to find one that does."`
	Reason    string            `json:"reason,omitempty"`
	Blocker   string            `json:"blocker,omitempty" doc:"The function that keeps the promise from being kept."`
	QoS       workflow.QoS      `json:"qos"`
	Runs      int               `json:"runs" doc:"That it rests on."`
	Functions []FunctionChoice  `json:"functions"`
	Promised  *Interval         `json:"promisedMillis,omitempty" doc:"The promised percentile of the latency, with the interval that holds 90 % of the belief."`
	Latency   []LatencyQuantile `json:"latency,omitempty" doc:"The predicted distribution."`
	Cost      *Interval         `json:"costPerRun,omitempty"`
	Current   float64           `json:"currentCostPerRun,omitempty" doc:"Mean cost of the measured runs with the resources that are deployed; absent without one."`
	Price     string            `json:"price"`
	Frontier  []FrontierPoint   `json:"frontier,omitempty" doc:"What other promises would cost."`
	Measured  []MeasuredTrial   `json:"measured,omitempty" doc:"The runs, in order."`
	Joint     *JointPlan        `json:"joint,omitempty" doc:"What was decided last over resources and warm pool together."`
}

// FunctionChoice is what is recommended for one function.
type FunctionChoice struct {
	Function     string             `json:"function"`
	From         function.Resources `json:"from" doc:"What is deployed."`
	To           function.Resources `json:"to"`
	LatencyShare float64            `json:"latencyShare" doc:"Of the time on the critical path."`
	CostShare    float64            `json:"costShare"`
}

// Interval is an estimate with the interval that holds 90 % of the belief.
type Interval struct {
	Low  float64 `json:"low"`
	Mean float64 `json:"mean"`
	High float64 `json:"high"`
}

// LatencyQuantile is one quantile of a predicted latency.
type LatencyQuantile struct {
	Percentile float64  `json:"percentile"`
	Millis     Interval `json:"millis"`
}

// FrontierPoint is what the promise of one latency would cost.
type FrontierPoint struct {
	LatencyMillis float64  `json:"latencyMillis"`
	Cost          Interval `json:"costPerRun"`
	Feasible      bool     `json:"feasible"`
}

// MeasuredTrial is one run of a session.
type MeasuredTrial struct {
	LatencyMillis float64 `json:"latencyMillis"`
	Cost          float64 `json:"cost"`
	Failed        bool    `json:"failed,omitempty"`
	Message       string  `json:"message,omitempty"`
}
