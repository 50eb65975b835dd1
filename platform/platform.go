// Package platform is the contract between Aquatope and the worlds that run
// instances of functions: this machine, Knative, a simulator. Decisions and
// workflow runs see a world only through it.
package platform

import (
	"context"
	"net/http"
	"time"

	"github.com/aquatope/aquatope/function"
)

// Platform runs instances of revisions. Implementations are safe for
// concurrent use; every method returns as soon as ctx is done.
type Platform interface {
	// Deploy makes a revision known. It starts nothing. Deploying an equal
	// revision again is a no-op; another content under a known name is an error.
	Deploy(ctx context.Context, rev function.Revision) error
	// Route sets where invocations of a function go. Percentages sum to 100;
	// revisions not listed get none but stay deployed. Replaces what was set
	// before; no traffic at all makes the function unknown.
	Route(ctx context.Context, fn string, traffic []Traffic) error
	// Scale sets what is kept warm of one revision; see Scale.
	Scale(ctx context.Context, revision string, s Scale) error
	// Remove retires a revision: requests under way and waiting end, then its
	// instances do; its share of traffic goes to the function's others. It
	// returns before that has happened; Snapshot shows what is left. Removing
	// an unknown revision is a no-op.
	Remove(ctx context.Context, revision string) error
	// Invoke runs one invocation. A response is returned whenever the function
	// answered, whatever its status. Otherwise the error is an *InvokeError.
	// Either way exactly one Observation is given to the platform's observer.
	Invoke(ctx context.Context, req Request) (*Response, error)
	// Snapshot returns the state of all revisions, in order of name.
	Snapshot(ctx context.Context) (Snapshot, error)
}

// Traffic is a share of a function's invocations.
type Traffic struct {
	Revision string `json:"revision"`
	Percent  int    `json:"percent"`
}

// Scale is what is wanted of a revision's warm pool. Warm instances are kept
// ready whether used or not. Instances beyond them are started when requests
// find none free, and retired after being idle for KeepAlive.
type Scale struct {
	Warm      int           `json:"warm"`
	KeepAlive time.Duration `json:"keepAliveNanos"`
}

// Start is what is known of one start of an instance after it became ready
// or did not. Starts happen for invocations and to fill warm pools.
type Start struct {
	Time      time.Time          `json:"time"` // when it was decided
	Function  string             `json:"function"`
	Revision  string             `json:"revision"`
	Instance  string             `json:"instance"`
	Resources function.Resources `json:"resources"`
	Create    time.Duration      `json:"createNanos"` // until the sandbox existed
	Ready     time.Duration      `json:"readyNanos"`  // from then until it accepted connections
	Error     string             `json:"error,omitempty"`
}

// Request is one invocation. Labels go into its Observation.
type Request struct {
	Function string
	Revision string // "" follows the route
	Body     []byte
	Header   http.Header // traceparent, content type and the like; may be nil

	RunID, Workflow, Stage, Trial string
	Attempt                       int
}

// Response is what the function answered, with the invocation's Observation.
type Response struct {
	Status      int
	Header      http.Header
	Body        []byte
	Observation function.Observation
}

// InvokeError says why an invocation got no answer.
type InvokeError struct {
	Outcome     function.Outcome
	Detail      string        // what happened and what to do, for people
	RetryAfter  time.Duration // for OutcomeRejected
	Observation function.Observation
}

func (e *InvokeError) Error() string { return string(e.Outcome) + ": " + e.Detail }

// Snapshot is the state of a platform at one moment.
type Snapshot struct {
	Time      time.Time       `json:"time"`
	Revisions []RevisionState `json:"revisions"`
	// Capacity is what instances may use together, Used what they do.
	Capacity function.Resources `json:"capacity"`
	Used     function.Resources `json:"used"`
}

// RevisionState counts the instances of one revision.
type RevisionState struct {
	Revision  string             `json:"revision"`
	Function  string             `json:"function"`
	Resources function.Resources `json:"resources"`
	Percent   int                `json:"percent"`
	Scale     Scale              `json:"scale"`
	Starting  int                `json:"starting"`
	Idle      int                `json:"idle"`
	Busy      int                `json:"busy"`
	Stopping  int                `json:"stopping"`
	Queued    int                `json:"queued"`
	InFlight  int                `json:"inFlight"` // requests being served
}
