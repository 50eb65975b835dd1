package engine

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/run"
)

// Invoker invokes functions. A platform is one.
type Invoker interface {
	// Invoke returns a response whenever the function answered, and otherwise
	// an error, which is a *platform.InvokeError where the platform knows why.
	Invoke(ctx context.Context, req platform.Request) (*platform.Response, error)
}

// Log is the durable log of asynchronous runs. It is safe for concurrent use.
type Log interface {
	// Append makes events durable before it returns.
	Append(ctx context.Context, events ...run.Event) error
	// Note puts events on the log before those of any later Append, without
	// waiting. A crash may take what was only noted.
	Note(events ...run.Event)
	// SaveDefinition keeps the definition of a workflow; equal digests hold
	// equal definitions.
	SaveDefinition(ctx context.Context, digest string, definition []byte) error
	// Definition returns what was saved.
	Definition(ctx context.Context, digest string) ([]byte, error)
	// Unfinished yields the events of every run that was accepted and has not
	// ended, oldest run first, events in order of Seq.
	Unfinished(ctx context.Context) iter.Seq2[[]run.Event, error]
	// FindKey returns what the run of a workflow with an idempotency key was
	// accepted with; ok is false when there is none.
	FindKey(ctx context.Context, workflow, key string) (id string, a run.Accepted, ok bool, err error)
}

// Config is what an engine needs. Zero values have the meanings stated.
type Config struct {
	Invoker Invoker
	// Log holds asynchronous runs; without one Start refuses.
	Log Log
	// Record gets the summary of every run that ended, asynchronous ones
	// included, whose summary is on the log already. It must not block.
	Record func(run.Run)
	// HTTP does the calls of the built-in function http; nil is a default
	// transport.
	HTTP http.RoundTripper
	// Random is the source of ids and jitter, safe for concurrent use; nil is
	// the runtime's.
	Random func() uint64
	// MaxBody bounds the input of a run and the input and output of each of
	// its stages, in bytes; 0 is 32 MiB.
	MaxBody int64
	// EvalTimeout bounds one evaluation of an expression; 0 is 5 s.
	EvalTimeout time.Duration
	// AsyncStages is how many stages of asynchronous runs are invoked at
	// once; 0 is 64. Further ones wait.
	AsyncStages int
	// Patience is how long an asynchronous run repeats an invocation that the
	// platform rejected for lack of capacity; 0 is 10 minutes.
	Patience time.Duration
	Logger   *slog.Logger // nil discards
}

// Engine runs workflows. It is safe for concurrent use.
type Engine struct {
	invoker     Invoker
	log         Log
	record      func(run.Run)
	follow      *http.Client
	stay        *http.Client
	random      func() uint64
	maxBody     int64
	evalTimeout time.Duration
	patience    time.Duration
	logger      *slog.Logger
	version     string
	slots       chan struct{}

	stopping chan struct{}  // closed by Close: asynchronous runs suspend
	callers  sync.WaitGroup // synchronous runs, and Starts that are not accepted yet
	launched sync.WaitGroup // asynchronous runs

	mu       sync.Mutex
	closed   bool
	active   map[string]*active
	saved    map[string]bool // digests of definitions on the log
	starting map[string]chan struct{}
}

// Errors that callers tell apart.
var (
	ErrClosed    = errors.New("the engine is shutting down")
	ErrNoLog     = errors.New("asynchronous runs need a log")
	ErrKeyReused = errors.New("the idempotency key was used for another request")
	ErrNotActive = errors.New("no such run is under way")
)

// New returns an engine. It panics without an invoker.
func New(c Config) *Engine {
	if c.Invoker == nil {
		panic("engine: no invoker")
	}
	e := &Engine{
		invoker: c.Invoker, log: c.Log, record: c.Record, random: c.Random,
		maxBody: c.MaxBody, evalTimeout: c.EvalTimeout, patience: c.Patience, logger: c.Logger,
		version: version(), stopping: make(chan struct{}),
		active: make(map[string]*active), saved: make(map[string]bool), starting: make(map[string]chan struct{}),
	}
	if e.record == nil {
		e.record = func(run.Run) {}
	}
	if e.random == nil {
		e.random = rand.Uint64
	}
	if e.maxBody == 0 {
		e.maxBody = 32 << 20
	}
	if e.evalTimeout == 0 {
		e.evalTimeout = 5 * time.Second
	}
	if e.patience == 0 {
		e.patience = 10 * time.Minute
	}
	if e.logger == nil {
		e.logger = slog.New(slog.DiscardHandler)
	}
	if c.AsyncStages == 0 {
		c.AsyncStages = 64
	}
	e.slots = make(chan struct{}, c.AsyncStages)
	e.follow = &http.Client{Transport: c.HTTP}
	e.stay = &http.Client{Transport: c.HTTP, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	return e
}

func version() string {
	if b, ok := debug.ReadBuildInfo(); ok {
		return b.Main.Version
	}
	return ""
}

// Close ends the engine's work. It refuses new runs at once, waits for
// synchronous runs, and lets asynchronous ones end the stages that they are at
// and stop there; Resume takes them up again. When ctx ends first, asynchronous
// runs abandon their stages, synchronous ones are left to the contexts of their
// callers, and Close returns the cause.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	if !e.closed {
		e.closed = true
		close(e.stopping)
	}
	e.mu.Unlock()
	done := make(chan struct{})
	go func() {
		e.callers.Wait()
		e.launched.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	e.mu.Lock()
	for _, a := range e.active {
		a.cancel(errSuspended)
	}
	e.mu.Unlock()
	e.launched.Wait()
	return context.Cause(ctx)
}

// enter counts a caller, unless the engine is closed.
func (e *Engine) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.callers.Add(1)
	return true
}

// errSuspended unwinds an asynchronous run when the engine stops.
var errSuspended = errors.New("suspended")

// admit waits for a slot to invoke a stage of an asynchronous run.
func (e *Engine) admit(ctx context.Context) (release func(), err error) {
	select {
	case <-e.stopping:
		return nil, errSuspended
	default:
	}
	select {
	case e.slots <- struct{}{}:
		return func() { <-e.slots }, nil
	case <-e.stopping:
		return nil, errSuspended
	case <-ctx.Done():
		return nil, errInterrupted
	}
}

// sleep waits on behalf of an asynchronous run.
func (e *Engine) sleep(ctx context.Context, until time.Time) error {
	return pause(ctx, e.stopping, until)
}

func pause(ctx context.Context, stopping <-chan struct{}, until time.Time) error {
	d := time.Until(until)
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-stopping:
		return errSuspended
	case <-ctx.Done():
		return errInterrupted
	}
}
