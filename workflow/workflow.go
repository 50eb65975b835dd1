package workflow

import (
	"time"

	"github.com/aquatope/aquatope/function"
)

// Workflow is one workflow definition. All expressions are jq, without the
// enclosing ${ }; readers check their syntax, the engine compiles them.
type Workflow struct {
	Namespace string
	Name      string
	Version   string
	Title     string
	Summary   string
	Tags      map[string]string
	QoS       QoS
	// Payloads are sample inputs for tuning and profiling, weighted. They are no
	// part of what a run executes, so that neither its log nor what identifies the
	// workflow's content holds them.
	Payloads []function.Payload `json:"-"`
	Input    Expr               // input.from; empty passes the input on
	Output   Expr               // output.as; empty passes the last task's output on
	Timeout  time.Duration      // of a whole run; 0 means none
	Do       []Task
}

// QoS is the promise of a workflow: Percentile percent of its runs end within
// Latency. The zero value means that nothing was promised.
type QoS struct {
	Latency    time.Duration `json:"latencyNanos"`
	Percentile float64       `json:"percentile"` // in (0, 100)
}

// ErrorBudget is the share of runs that may violate the promise, in (0, 1).
func (q QoS) ErrorBudget() float64 { return 1 - q.Percentile/100 }

// Kept says whether a promise holds when violations of so many runs broke it:
// exactly the budget is within the budget, however it rounds. Nothing promised
// is always kept.
func (q QoS) Kept(runs, violations int) bool {
	const rounding = 1e-9
	return q.Latency == 0 || 100*float64(violations) <= (100-q.Percentile)*float64(runs)*(1+rounding)
}

// Expr is the text of a jq expression; empty means absent.
type Expr string

// Value is a JSON value (nil, bool, float64, int, string, []any,
// map[string]any) in which a string of the form ${ expression } stands for the
// result of the expression.
type Value any

// Task is one step of a workflow. Exactly one of the pointers (and Do) is set.
type Task struct {
	Name string
	// Path is the JSON pointer of the task in its document, such as
	// /do/0/resize or /do/2/classify/fork/branches/1/faces. It is unique in a
	// workflow, names the stage in observations, and is what the event log records.
	Path    string
	If      Expr
	Input   Expr // input.from
	Output  Expr // output.as
	Export  Expr // export.as
	Timeout time.Duration
	// Then says where control goes next: "" or "continue", "exit" (leave the
	// enclosing list), "end" (end the run), or the name of a later task of the
	// same list.
	Then string

	Call   *Call
	Do     []Task
	Fork   *Fork
	For    *For
	Switch []Case
	Set    Value
	Try    *Try
	Raise  *Error
	Wait   time.Duration
}

// Call is a stage: it calls a function, or any HTTP endpoint.
type Call struct {
	Function string // name of a deployed function; empty for HTTP
	With     Value  // the function's input; nil passes the task's input
	HTTP     *HTTPCall
}

// HTTPCall is the built-in function "http".
type HTTPCall struct {
	Method   string
	Endpoint string // URI, may hold ${ } expressions
	Headers  map[string]string
	Query    map[string]string
	Body     Value
	Output   string // "content" (default), "raw" or "response"
	Redirect bool
}

// Fork runs branches at the same time. With Compete the first to end wins and
// the others are cancelled.
type Fork struct {
	Branches []Task
	Compete  bool
}

// For runs Do once for every item of In.
type For struct {
	Each  string // variable of the item, "item" by default
	At    string // variable of the index, "index" by default
	In    Expr
	While Expr
	Do    []Task
	// Parallel is how many iterations run at once; 1 is the specification's
	// meaning, more comes from the task's metadata.
	Parallel int
}

// Case is one case of a switch. An empty When is the default.
type Case struct {
	Name string
	When Expr
	Then string
}

// Try runs Do and handles errors that Match.
type Try struct {
	Do    []Task
	Catch Catch
}

// Catch says which errors are handled and how.
type Catch struct {
	Match      ErrorFilter
	As         string // variable of the error, "error" by default
	When       Expr
	ExceptWhen Expr
	Retry      *Retry
	Do         []Task
	// Then says where control goes after an error was caught and Do is through,
	// instead of the try's own Then, whose values it has.
	Then string
}

// ErrorFilter matches errors whose fields equal its non-zero ones.
type ErrorFilter struct {
	Type     string
	Status   int
	Instance string
	Title    string
	Detail   string
}

// Retry is a retry policy.
type Retry struct {
	When        Expr
	ExceptWhen  Expr
	Delay       time.Duration
	Backoff     Backoff
	Jitter      [2]time.Duration // from, to
	MaxAttempts int              // 0 means no limit on the count
	MaxDuration time.Duration    // of all attempts; 0 means none
	AttemptTime time.Duration    // of one attempt; 0 means none
}

// Backoff says how the delay grows between attempts.
type Backoff string

// The ways a delay grows.
const (
	BackoffConstant    Backoff = "constant"
	BackoffLinear      Backoff = "linear"
	BackoffExponential Backoff = "exponential"
)

// Error is a problem as RFC 9457 describes it, raised or caught.
type Error struct {
	Type     string
	Status   int
	Title    string
	Detail   string
	Instance string
}
