package api

import (
	"encoding/json"
	"time"
)

// ProfileRequest asks for the service times of a workflow's functions over a grid
// of CPU and memory.
type ProfileRequest struct {
	CPUs     int             `json:"cpus,omitempty" minimum:"0" maximum:"50" doc:"Points on the axis of CPU; by default 5."`
	Memories int             `json:"memories,omitempty" minimum:"0" maximum:"50" doc:"Points on the axis of memory; by default 3."`
	Repeats  int             `json:"repeats,omitempty" minimum:"0" maximum:"10000" doc:"Invocations at each point; by default 20."`
	MaxTime  time.Duration   `json:"maxTimeNanos,omitempty" minimum:"0" doc:"Fewer repeats are made where all would take longer; by default 15 minutes."`
	Inputs   []WeightedInput `json:"inputs,omitempty" doc:"Of the workflow; by default the payloads that its functions declare."`
}

// Profiling is the state of a measurement.
type Profiling struct {
	Workflow string          `json:"workflow"`
	Phase    Phase           `json:"phase" enum:"running,stopped,done,failed"`
	Done     int             `json:"done" doc:"Invocations made."`
	Total    int             `json:"total" doc:"Invocations planned; 0 before that is known."`
	Message  string          `json:"message,omitempty"`
	Profile  json.RawMessage `json:"profile,omitempty" doc:"The profile file, when done."`
}
