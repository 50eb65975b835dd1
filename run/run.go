package run

import (
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/workflow"
)

// Status is the phase of a run, in the words of the Open Workflow Specification.
type Status string

// The phases of a run.
const (
	StatusRunning   Status = "running"
	StatusCompleted Status = "completed"
	StatusFaulted   Status = "faulted"
	StatusCancelled Status = "cancelled"
)

// Ended says whether s is final.
func (s Status) Ended() bool {
	return s == StatusCompleted || s == StatusFaulted || s == StatusCancelled
}

// Run is what is known of one run, input and output not included. The call of
// a single function is a run too: one with Function set and Workflow empty.
type Run struct {
	ID       string       `json:"id"`
	Workflow string       `json:"workflow,omitempty"`
	Version  string       `json:"version,omitempty"`
	Function string       `json:"function,omitempty"`
	Trial    string       `json:"trial,omitempty"`
	Async    bool         `json:"async,omitempty"`
	Status   Status       `json:"status"`
	Start    time.Time    `json:"start"` // when it was accepted
	End      time.Time    `json:"end,omitzero"`
	QoS      workflow.QoS `json:"qos,omitzero"`
	// Violated says that the promise was not kept: the run faulted, or took
	// longer than QoS.Latency. It is false for runs without a promise and for
	// runs that their caller cancelled.
	Violated bool     `json:"violated"`
	Problem  *Problem `json:"problem,omitempty"`
	TraceID  string   `json:"traceId,omitempty"`

	InputBytes  int64 `json:"inputBytes"`
	OutputBytes int64 `json:"outputBytes"`
	// Resumes counts the restarts of the server that the run went through.
	Resumes int     `json:"resumes,omitempty"`
	Stages  []Stage `json:"stages,omitempty"`
}

// Latency is the time from acceptance to end, 0 while the run is under way.
func (r *Run) Latency() time.Duration {
	if r.End.IsZero() {
		return 0
	}
	return r.End.Sub(r.Start)
}

// ColdStarts counts the stages that waited for an instance to start.
func (r *Run) ColdStarts() int {
	n := 0
	for i := range r.Stages {
		if r.Stages[i].Cold {
			n++
		}
	}
	return n
}

// Stage is one invocation that a run made: an attempt of a stage.
type Stage struct {
	Path     string `json:"path,omitempty"` // workflow.Task.Path
	Name     string `json:"name,omitempty"`
	At       string `json:"at,omitempty"` // position in loops and retries, see Event.At
	Function string `json:"function,omitempty"`
	Endpoint string `json:"endpoint,omitempty"` // of an HTTP call
	Revision string `json:"revision,omitempty"`
	Instance string `json:"instance,omitempty"`
	SpanID   string `json:"spanId,omitempty"`

	Start     time.Time     `json:"start"`
	Duration  time.Duration `json:"durationNanos"` // as the engine saw it
	Queue     time.Duration `json:"queueNanos"`
	Cold      bool          `json:"cold,omitempty"`
	ColdStart time.Duration `json:"coldStartNanos,omitempty"`
	Execution time.Duration `json:"executionNanos"`

	Outcome function.Outcome `json:"outcome"`
	Status  int              `json:"status,omitempty"`
	Message string           `json:"message,omitempty"`
}
