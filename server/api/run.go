package api

import (
	"encoding/json"
	"time"
)

// RunStatus says how far a run is.
type RunStatus string

// The states of a run.
const (
	RunRunning   RunStatus = "running"
	RunSucceeded RunStatus = "succeeded"
	RunFailed    RunStatus = "failed"
	RunCanceled  RunStatus = "canceled"
)

// Ended says that a run in this state changes no more.
func (s RunStatus) Ended() bool { return s != RunRunning }

// Run is one execution of a workflow.
type Run struct {
	ID         string          `json:"id"`
	Workflow   string          `json:"workflow"`
	Status     RunStatus       `json:"status" enum:"running,succeeded,failed,canceled"`
	Started    time.Time       `json:"started"`
	Ended      *time.Time      `json:"ended,omitempty"`
	Duration   time.Duration   `json:"durationNanos" doc:"Until now, for a run that has not ended."`
	QoSMet     *bool           `json:"qosMet,omitempty" doc:"Absent while it runs and where nothing was promised."`
	Input      json.RawMessage `json:"input,omitempty"`
	Output     json.RawMessage `json:"output,omitempty"`
	Error      *Problem        `json:"error,omitempty"`
	Invocation []Invocation    `json:"invocations,omitempty" doc:"Of the run's stages, in order of time; only where one run was asked for."`
}

// Invocation is one invocation of a function by a run.
type Invocation struct {
	Stage     string        `json:"stage"`
	Function  string        `json:"function"`
	Revision  string        `json:"revision"`
	Attempt   int           `json:"attempt"`
	Start     time.Duration `json:"startNanos" doc:"Since the start of the run."`
	Queue     time.Duration `json:"queueNanos"`
	Cold      bool          `json:"cold"`
	ColdStart time.Duration `json:"coldStartNanos"`
	Execution time.Duration `json:"executionNanos"`
	CPUTime   time.Duration `json:"cpuTimeNanos"`
	PeakMem   int64         `json:"peakMemoryBytes"`
	Outcome   string        `json:"outcome"`
	Message   string        `json:"message,omitempty"`
}

// RunList is one page of runs, the newest first.
type RunList struct {
	Items []Run  `json:"items"`
	Next  string `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one."`
}
