package api

// Action says what a deployment does to one object.
type Action string

// The actions of a deployment.
const (
	ActionCreated   Action = "created"
	ActionUpdated   Action = "updated"
	ActionUnchanged Action = "unchanged"
)

// Change is what a deployment did, or would do, to one workflow or function.
type Change struct {
	Kind     string `json:"kind" enum:"workflow,function"`
	Name     string `json:"name"`
	Action   Action `json:"action" enum:"created,updated,unchanged"`
	Revision string `json:"revision,omitempty" doc:"Of a function: the revision that serves it."`
	Detail   string `json:"detail,omitempty" doc:"In words: resources of a function, stages and promise of a workflow."`
}

// Deployment is the result of applying manifests.
type Deployment struct {
	DryRun  bool     `json:"dryRun"`
	Changes []Change `json:"changes"`
}
