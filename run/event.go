package run

import (
	"time"

	"github.com/aquatope/aquatope/workflow"
)

// Kind is the kind of an Event.
type Kind string

// The kinds of events. docs/reference/event-log.md describes what each holds
// and how a run is rebuilt from them.
const (
	RunAccepted    Kind = "run.accepted"    // first event: definition, input, promise
	RunResumed     Kind = "run.resumed"     // the server restarted and took the run up again
	RunCancelled   Kind = "run.cancelled"   // somebody asked to end it; run.ended follows
	RunEnded       Kind = "run.ended"       // last event: status, output or problem
	TaskStarted    Kind = "task.started"    // a stage, or a task with a timeout, began
	TaskCompleted  Kind = "task.completed"  // a stage answered: its output
	TaskFailed     Kind = "task.failed"     // a stage, or a task that decides for others, failed
	TaskSettled    Kind = "task.settled"    // which branch decided a fork
	WaitStarted    Kind = "wait.started"    // a wait began; Until says when it ends
	RetryScheduled Kind = "retry.scheduled" // an attempt failed, the next begins at Until
)

// Event is one entry of the durable log of a run. Seq grows from 1 within the
// run; a gap is an event that nobody waited for and that a crash took.
type Event struct {
	Run  string    `json:"run"`
	Seq  int64     `json:"seq"`
	Time time.Time `json:"time"`
	Kind Kind      `json:"kind"`

	// Task is the path of the task in its workflow; At is where in loops and
	// retries it was reached, outermost first: "i3" is the fourth iteration,
	// "r1" the second attempt, "i3.r1" both. Together they are unique in a run.
	Task string `json:"task,omitempty"`
	At   string `json:"at,omitempty"`

	Accepted *Accepted `json:"accepted,omitempty"`
	Status   Status    `json:"status,omitempty"`  // of RunEnded
	Until    time.Time `json:"until,omitzero"`    // of WaitStarted, RetryScheduled, and TaskStarted with a timeout
	Attempt  int       `json:"attempt,omitempty"` // of RetryScheduled: the one to begin, from 1
	Branch   int       `json:"branch,omitempty"`  // of TaskSettled
	Problem  *Problem  `json:"problem,omitempty"`
	Stage    *Stage    `json:"stage,omitempty"`
	Summary  *Run      `json:"summary,omitempty"` // of RunEnded

	// Body is the input of RunAccepted, the output of TaskCompleted and
	// RunEnded, as received; ContentType is its media type.
	ContentType string `json:"contentType,omitempty"`
	Body        []byte `json:"body,omitempty"`
}

// Accepted is what a run was accepted with.
type Accepted struct {
	Definition     string       `json:"definition"` // digest of the workflow's definition
	Workflow       string       `json:"workflow"`
	Version        string       `json:"version,omitempty"`
	Trial          string       `json:"trial,omitempty"`
	QoS            workflow.QoS `json:"qos,omitzero"`
	TraceParent    string       `json:"traceParent,omitempty"`
	TraceState     string       `json:"traceState,omitempty"`
	IdempotencyKey string       `json:"idempotencyKey,omitempty"`
	RequestDigest  string       `json:"requestDigest,omitempty"` // of what a repeated request must equal
}
