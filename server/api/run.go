package api

import (
	"encoding/json"

	"github.com/aquatope/aquatope/run"
)

// Run is one execution of a workflow, or one direct call of a function.
type Run struct {
	run.Run
	Input  json.RawMessage `json:"input,omitempty" doc:"Of asynchronous runs; only where one run was asked for. A JSON string where it was not JSON."`
	Output json.RawMessage `json:"output,omitempty" doc:"Likewise."`
}

// RunList is one page of runs, the newest first, without their stages.
type RunList struct {
	Items []Run  `json:"items"`
	Next  string `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one."`
}
