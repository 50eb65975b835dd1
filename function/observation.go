package function

import (
	"strings"
	"time"
)

// Outcome says how an invocation ended.
type Outcome string

// The outcomes of an invocation.
const (
	OutcomeOK       Outcome = "ok"       // the function answered below 400
	OutcomeError    Outcome = "error"    // the function answered 400 or more, or broke the protocol
	OutcomeTimeout  Outcome = "timeout"  // the function's timeout passed
	OutcomeOOM      Outcome = "oom"      // the instance was killed at its memory limit
	OutcomeCrash    Outcome = "crash"    // the instance ended for another reason
	OutcomeStart    Outcome = "start"    // no instance became ready
	OutcomeRejected Outcome = "rejected" // no capacity before the queue's deadline
	OutcomeCanceled Outcome = "canceled" // the caller went away
)

// Observation is what is known of one invocation after it ended. It is the
// only thing that forecasting and tuning learn from. Durations partition the
// latency that the caller saw: Queue + ColdStart + Execution, plus transport.
type Observation struct {
	Time     time.Time `json:"time"` // arrival at the platform
	RunID    string    `json:"runId,omitempty"`
	Workflow string    `json:"workflow,omitempty"`
	Stage    string    `json:"stage,omitempty"`
	Trial    string    `json:"trial,omitempty"` // set when the invocation belongs to a trial
	Attempt  int       `json:"attempt,omitempty"`

	Function  string    `json:"function"`
	Revision  string    `json:"revision"`
	Instance  string    `json:"instance,omitempty"`
	Resources Resources `json:"resources"`

	Queue     time.Duration `json:"queueNanos"`     // waiting for an instance, its cold start excluded
	Cold      bool          `json:"cold"`           // the invocation waited for an instance to start
	ColdStart time.Duration `json:"coldStartNanos"` // the part of the wait spent on start-up
	Execution time.Duration `json:"executionNanos"` // request sent until response received
	CPUTime   time.Duration `json:"cpuTimeNanos"`   // of the instance during Execution; 0 where it cannot be measured
	PeakMem   Bytes         `json:"peakMemoryBytes"`

	InputBytes  int64   `json:"inputBytes"`
	OutputBytes int64   `json:"outputBytes"`
	Outcome     Outcome `json:"outcome"`
	Status      int     `json:"status,omitempty"` // HTTP status of the function, 0 without one
	Message     string  `json:"message,omitempty"`
}

// LiveTrial ends the label of trials that users' runs make: unlike others, made
// only to measure, they are demand.
const LiveTrial = "-live"

// Demanded reports whether somebody other than the tuner wants the runs with this
// trial's label; an empty one is of no trial.
func Demanded(trial string) bool { return trial == "" || strings.HasSuffix(trial, LiveTrial) }
