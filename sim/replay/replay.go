package replay

import (
	"context"
	"fmt"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/sim/fleet"
	"github.com/aquatope/aquatope/stats"
)

// Config says under what a history is lived through.
type Config struct {
	Policy pool.Policy // of the functions of the history, in their order
	// Window is the time between plans, Lead how long before the end of one the
	// next is planned.
	Window, Lead time.Duration
	// From and Until bound the runs and the usage that count; what comes before
	// warms up.
	From, Until time.Time
	Nodes       []fleet.Node // none is room for everything
	Patience    time.Duration
	Price       function.Price
	Seed        uint64 // of the start times of starts that were not recorded
	// InstantStarts are those of a world in which nobody ever waits, which is
	// how an oracle learns what is coming.
	InstantStarts bool
	// Progress, unless nil, is told how many of the runs have begun.
	Progress func(begun int)
}

// progressEvery is how many runs pass between two reports.
const progressEvery = 1024

// Run lives the history through. The same arguments give the same result.
func Run(ctx context.Context, h *History, c Config) (*Result, error) {
	begin := h.Begin(c.Window)
	x := &host{
		history: h, cfg: c, begin: begin, index: h.index(), accounts: newAccounts(c.Price),
		random: stats.Stream(c.Seed, "replay/cold-starts"), seen: map[string]bool{},
	}
	x.cold = h.coldStarts(x.index)
	starts, _ := h.Means()
	functions := make([]fleet.Function, len(h.Functions))
	for i, f := range h.Functions {
		functions[i] = fleet.Function{Name: f.Name, Resources: f.Resources, ColdStart: starts[i], Concurrency: f.Concurrency, Max: f.Max}
	}
	x.fleet = fleet.New(functions, withFloors(c.Policy, h.Functions), x, fleet.Config{
		Window: c.Window, Lead: c.Lead, From: c.From.Sub(begin), Until: c.Until.Sub(begin),
		Nodes: c.Nodes, Patience: c.Patience,
		Shared: true, // as on the platform that was recorded
	})
	unended := 0
	for i := range h.Runs {
		if i%progressEvery == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if c.Progress != nil {
				c.Progress(i)
			}
		}
		r := &h.Runs[i]
		counted := !r.Start.Before(c.From) && r.Start.Before(c.Until)
		switch {
		case r.Status.Ended():
			x.fleet.RunTo(r.Start.Sub(begin))
			x.start(r, counted)
		case counted:
			unended++
		}
	}
	x.fleet.RunTo(c.Until.Sub(begin))
	x.fleet.Settle()
	out := &Result{Unended: unended, Idle: x.idle()}
	// Usage counts until then only; the runs under way end.
	for step := c.Window; x.active > 0 && step < drainLimit; step *= 2 {
		x.fleet.RunTo(x.fleet.Now() + step)
	}
	if x.active > 0 {
		return nil, fmt.Errorf("replaying: %d runs did not end", x.active)
	}
	out.Each, out.Total = x.accounts.outcomes()
	return out, nil
}

// drainLimit bounds how far beyond the end of the record runs may go on.
const drainLimit = 60 * 24 * time.Hour

// idle adds up what the instances of all functions did not use.
func (x *host) idle() *Idle {
	out := &Idle{StartedAhead: x.fleet.Counts().StartedAhead}
	for i := range x.history.Functions {
		for _, u := range x.fleet.Usage(int32(i)) {
			out.InstanceSeconds += u.Idle.Seconds()
			out.GBSeconds += u.Idle.Seconds() * float64(u.Resources.Memory) / 1e9
			out.Cost += x.cfg.Price.Idle(u.Resources, u.Idle)
		}
	}
	return out
}

// active is a run under way.
type active struct {
	run      *run.Run
	steps    []step
	counted  bool
	rejected bool
	begun    bool  // a function was invoked
	flying   int   // steps that have begun, or will without another's end
	last     int64 // instant at which the last step that counts ended
	begin    int64
	tail     int64 // ns from then to the end of the run
}
