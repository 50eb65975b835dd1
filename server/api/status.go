package api

import (
	"strconv"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/workflow"
)

// Function is a deployed function with the state of its revisions.
type Function struct {
	Name        string             `json:"name"`
	Revision    string             `json:"revision" doc:"The revision that most invocations go to."`
	Resources   function.Resources `json:"resources"`
	Concurrency int                `json:"concurrency" doc:"Requests that one instance serves at once."`
	Timeout     time.Duration      `json:"timeoutNanos"`
	Warm        int                `json:"warm" doc:"Instances kept ready, used or not."`
	Starting    int                `json:"starting"`
	Idle        int                `json:"idle"`
	Busy        int                `json:"busy"`
	Queued      int                `json:"queued" doc:"Requests that wait for an instance."`
	StartError  string             `json:"startError,omitempty" doc:"Why the last start of an instance did not succeed; absent once one did."`
	Pool        *Pool              `json:"pool,omitempty" doc:"What the pool scheduler planned last; absent before its first plan."`
}

// Pool is what the pool scheduler planned for a function.
type Pool struct {
	Mode      string        `json:"mode" enum:"off,recommend,apply"`
	Planned   time.Time     `json:"planned" doc:"Begin of the window that was planned."`
	Window    time.Duration `json:"windowNanos"`
	Target    int           `json:"target" doc:"Instances wanted warm; applied only in mode apply."`
	Part      time.Duration `json:"partNanos" doc:"For how long of the window one instance is wanted beside the target."`
	KeepAlive time.Duration `json:"keepAliveNanos" doc:"How long idle instances beyond the target stay."`
	Floor     int           `json:"floor" doc:"What is declared by min-scale and warm-schedule."`
	Reason    string        `json:"reason" doc:"What the target follows from."`
	Forecast  *Forecast     `json:"forecast,omitempty"`
	ColdStart time.Duration `json:"coldStartNanos" doc:"Measured; 0 before the first."`
	Service   time.Duration `json:"serviceNanos" doc:"Measured mean of an invocation; 0 before the first."`

	AheadUsed   int `json:"startedAheadUsed" doc:"Instances that were started ahead of any invocation and then served one, since the server started."`
	AheadUnused int `json:"startedAheadUnused" doc:"Instances that were started ahead of any invocation and ended without serving one."`
}

// Wanted is the target for people to read: "part" where an instance is wanted for a
// part of the window only.
func (p Pool) Wanted() string {
	if p.Target == 0 && p.Part > 0 {
		return "part"
	}
	return strconv.Itoa(p.Target)
}

// Forecast is what a window is expected to bring.
type Forecast struct {
	Levels    []float64 `json:"levels" doc:"Of the quantiles in arrivals and instances."`
	Arrivals  []float64 `json:"arrivals"`
	Instances []int     `json:"instances" doc:"At work at once with so many arrivals."`
	Coverage  float64   `json:"coverage" doc:"Share of recent windows in the nominal 90 % interval, randomised as is right for counts."`
	Scored    int       `json:"scored" doc:"Windows behind the coverage."`
	Trust     string    `json:"trust" enum:"unproven,full,widened,none,outdone" doc:"Whether the forecast is used, widened by recent windows, or not used."`
	Account   Account   `json:"account"`
	Foreseen  float64   `json:"foreseen" doc:"Share of recent invocations whose run had begun early enough to have an instance ready."`
	Followed  bool      `json:"followed" doc:"Whether that is relied on: nothing is kept warm between runs."`
}

// Account is what the recent invocations of a function would have met under the
// forecasts and under the fixed keep-alive, whichever is in force. Older windows
// count for less.
type Account struct {
	Windows             int           `json:"windows" doc:"Windows with invocations that were seen."`
	ColdStarts          float64       `json:"coldStarts"`
	Idle                time.Duration `json:"idleNanos"`
	KeepAliveColdStarts float64       `json:"keepAliveColdStarts"`
	KeepAliveIdle       time.Duration `json:"keepAliveIdleNanos"`
	Saved               float64       `json:"saved" doc:"By forecasts, in cold starts; further cold starts count fourfold."`
}

// FunctionList is all functions, in order of name.
type FunctionList struct {
	Items []Function `json:"items"`
}

// Workflow is a deployed workflow with what recent runs say of its promise.
type Workflow struct {
	Name    string       `json:"name"`
	Version string       `json:"version,omitempty"`
	Title   string       `json:"title,omitempty"`
	QoS     workflow.QoS `json:"qos"`
	Stages  []Stage      `json:"stages"`
	Recent  Recent       `json:"recent"`
	Joint   *JointPlan   `json:"joint,omitempty" doc:"What was decided last over its resources and warm pool together."`
}

// Stage is one stage of a workflow.
type Stage struct {
	Path     string `json:"path"`
	Name     string `json:"name"`
	Function string `json:"function,omitempty" doc:"Absent for an HTTP endpoint."`
}

// Recent is what runs that ended within a window say of a promise.
type Recent struct {
	Window     time.Duration `json:"windowNanos"`
	Runs       int           `json:"runs"`
	Running    int           `json:"running"`
	Failed     int           `json:"failed"`
	Violations int           `json:"violations" doc:"Runs that failed or were slower than promised."`
	P50        time.Duration `json:"p50Nanos"`
	P95        time.Duration `json:"p95Nanos"`
	P99        time.Duration `json:"p99Nanos"`
	QoSMet     *bool         `json:"qosMet,omitempty" doc:"Absent without runs and where nothing was promised."`
}

// WorkflowList is all workflows, in order of name.
type WorkflowList struct {
	Items []Workflow `json:"items"`
}

// Status is the state of a server at one moment.
type Status struct {
	Version   string             `json:"version"`
	Started   time.Time          `json:"started"`
	Time      time.Time          `json:"time"`
	Driver    string             `json:"driver" doc:"How instances are run on this machine."`
	Capacity  function.Resources `json:"capacity" doc:"What instances may use together."`
	Used      function.Resources `json:"used"`
	Functions []Function         `json:"functions"`
	Workflows []Workflow         `json:"workflows"`
	Runs      []Run              `json:"runs" doc:"The newest, without inputs and outputs."`
	// Warnings are what the server could not enforce or does not hold, in words.
	Warnings []string `json:"warnings,omitempty"`
}

// FunctionForecast is what is expected of a function's windows, and what came.
type FunctionForecast struct {
	Function string         `json:"function"`
	Window   time.Duration  `json:"windowNanos"`
	Past     []PastWindow   `json:"past" doc:"Oldest first; up to 240 windows, those before the last restart included."`
	Ahead    []ForecastBand `json:"ahead" doc:"The next windows, from what is known now."`
	Pool     *Pool          `json:"pool,omitempty"`
}

// ForecastBand is the forecast of one window, in invocations.
type ForecastBand struct {
	Begin  time.Time `json:"begin"`
	Low    float64   `json:"low" doc:"Quantile 0.05."`
	Median float64   `json:"median"`
	High   float64   `json:"high" doc:"Quantile 0.95."`
}

// PastWindow is a forecast with what came.
type PastWindow struct {
	ForecastBand
	Came int `json:"came"`
}
