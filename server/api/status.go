package api

import (
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
