package control

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/workflow"
)

// Mode says what a controller may do.
type Mode string

// The modes. What a manifest declares, min-scale and warm-schedule, holds in all.
const (
	ModeOff       Mode = "off"       // no forecast: idle instances end after ReactiveWindows
	ModeRecommend Mode = "recommend" // forecast, decide and write the journal, but act as if off
	ModeApply     Mode = "apply"     // act
)

// ParseMode reads a mode.
func ParseMode(text string) (Mode, error) {
	switch m := Mode(text); m {
	case ModeOff, ModeRecommend, ModeApply:
		return m, nil
	}
	return "", fmt.Errorf("%q is not a mode: use %s", text, strings.Join([]string{string(ModeOff), string(ModeRecommend), string(ModeApply)}, ", "))
}

// ReactiveWindows is how many windows an idle instance is kept without a
// forecast: ten minutes at a window of one, what the large platforms did for
// years.
const ReactiveWindows = 10

// coldStartWindows is the price of a cold start: as much as keeping the
// instance idle for so many windows. docs/explanation/scheduler.md tells how
// it was measured.
const coldStartWindows = 10

// World is the platform that a Pool acts on.
type World interface {
	Snapshot(ctx context.Context) (platform.Snapshot, error)
	Scale(ctx context.Context, revision string, s platform.Scale) error
}

// PoolConfig is what a Pool needs.
type PoolConfig struct {
	Mode   Mode
	Window time.Duration // between plans; positive
	World  World
	Meter  *Meter
	// Functions returns what is deployed: of every function the revision that
	// most invocations go to.
	Functions func() []function.Revision
	// History returns what is known of a function's arrivals before the window
	// that is given by its number, see WindowAt; nil if nothing is. May be nil.
	History func(ctx context.Context, fn string, before int64) (*forecast.History, error)
	// Invocations yields those of a function that arrived in a span of time, in
	// order. With History they let a new model prove itself on what has been,
	// so that neither it nor a restart begins unproven. May be nil.
	Invocations func(ctx context.Context, fn string, since, until time.Time) iter.Seq2[function.Observation, error]
	// Workflows are what is deployed, and Runs the last runs of one, newest
	// first, with what their stages took. May be nil: then no run tells what it
	// will need.
	Workflows func() []*workflow.Workflow
	Runs      func(ctx context.Context, workflow string, n int) ([]TrialRecord, error)
	// Model forecasts; without one the pool is reactive. See SetModel.
	Model   forecast.Model
	Journal Journal
	// Count is told of every decision by its reason; may be nil.
	Count  func(reason string)
	Logger *slog.Logger
}

// Pool decides, window by window, how many instances of every function are
// warm, and between windows what runs that have begun will need. Step, React,
// Ahead and Run are for one goroutine; the other methods are safe for
// concurrent use.
type Pool struct {
	c      PoolConfig
	mind   *mind                          // replaced under mu
	model  atomic.Pointer[forecast.Model] // to be taken up at the next step
	latest atomic.Pointer[forecast.Model]
	terms  atomic.Pointer[map[string]Terms]
	speeds speeds

	functions []controlled
	index     map[string]int
	budget    function.Resources // of what is kept warm, see warmShare
	next      time.Time          // begin of the window that was planned last
	planAt    time.Time          // when the next plan is due
	broken    bool               // a decision panicked; see guard

	paths   *paths
	pathsAt int64 // window in which paths were learnt

	mu    sync.Mutex
	state map[string]PoolState
}

// controlled is a function and what is in force for it.
type controlled struct {
	revision function.Revision
	floor    int
	base     platform.Scale // wanted by the plan and by what happened since
	scale    platform.Scale // in force: base, and what runs that have begun need
	known    bool           // whether scale is
	retained time.Duration  // of the last retention
	atWork   int            // invocations, as of the last event
	part     *promise       // of an instance for a part of the window; nil for none
}

// PoolState is what the pool knows and wants of a function.
type PoolState struct {
	Mode    Mode
	Planned time.Time // begin of the window that it is about
	Target  int       // instances wanted warm; applied in ModeApply only
	// Part is for how long of the window one instance is wanted beside Target.
	Part      time.Duration
	KeepAlive time.Duration
	Floor     int // of it, declared
	Reason    string
	Price     float64 // of a cold start, in seconds of an idle instance
	// Arrivals of the window and the instances that they need, at the levels
	// of Quantiles; nil without a forecast.
	Arrivals  []float64
	Instances []int
	// Coverage is the share of recent windows in the nominal 90 % interval,
	// randomised, of Scored windows.
	Coverage float64
	Scored   int
	Trust    Trust
	Account  Account
	// Foreseen is the share of recent invocations whose run had begun early
	// enough to have an instance ready, Followed whether that is relied on.
	Foreseen float64
	Followed bool
	// ColdStart and Service are measured; 0 before the first measurement.
	ColdStart, Service time.Duration
}

// Quantiles are the levels of what PoolState predicts.
var Quantiles = [...]float64{0.05, 0.5, 0.9, 0.95}

// NewPool returns a pool that has not decided anything.
func NewPool(c PoolConfig, now time.Time) *Pool {
	if c.Window <= 0 || c.World == nil || c.Meter == nil || c.Functions == nil {
		panic("control: a pool needs a window, a world, a meter and functions")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Count == nil {
		c.Count = func(string) {}
	}
	p := &Pool{
		c: c, mind: newMind(since(now), c.Window, nil), index: map[string]int{}, state: map[string]PoolState{},
		paths: &paths{},
	}
	p.next = now
	p.planAt = now
	if c.Model != nil {
		p.SetModel(c.Model)
	}
	return p
}

// SetModel replaces the model from the next step on.
func (p *Pool) SetModel(m forecast.Model) {
	p.model.Store(&m)
	p.latest.Store(&m)
}

// Model returns the model that was set last, nil before.
func (p *Pool) Model() forecast.Model {
	if m := p.latest.Load(); m != nil {
		return *m
	}
	return nil
}

// State returns what the pool knows of a function; ok is false before the
// first plan for it.
func (p *Pool) State(fn string) (s PoolState, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok = p.state[fn]
	return s, ok
}

// Started is told of every start of an instance.
func (p *Pool) Started(s platform.Start) { p.speeds.started(s) }

// Observed is told of every invocation that ended.
func (p *Pool) Observed(o function.Observation) { p.speeds.observed(o) }

// epoch is a Monday, so that windows of a minute know the calendar.
var epoch = time.Date(1970, 1, 5, 0, 0, 0, 0, time.UTC)

func since(t time.Time) time.Duration { return max(0, t.Sub(epoch)) }

// WindowAt returns the number of the window that t is in.
func WindowAt(t time.Time, window time.Duration) int64 { return int64(since(t) / window) }

// WindowBegin is when the window of that number begins.
func WindowBegin(number int64, window time.Duration) time.Time {
	return epoch.Add(time.Duration(number) * window)
}
