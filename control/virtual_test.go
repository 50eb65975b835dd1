package control_test

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/workflow"
)

// virtual is a platform in virtual time that a Pool acts on, with the rules of
// the local one: the instance used last serves first, the one idle for longest
// goes after the keep-alive of its revision, and the warm ones stay.
type virtual struct {
	window   time.Duration
	capacity function.Resources
	t        testing.TB
	now      time.Time
	queue    agenda
	order    int
	pool     *control.Pool
	meter    *control.Meter
	names    []string
	of       map[string]*fleet
	runs     []control.TrialRecord
	flows    []*workflow.Workflow
	random   *rand.Rand
	reported []function.Observation
	cold     int
	idle     float64 // seconds, starts ahead from the begin of the start
	latency  []float64
}

// fleet is the instances of one function.
type fleet struct {
	revision       function.Revision
	scale          platform.Scale
	start, service time.Duration
	busy           int
	idle           []time.Time // since when, the one used last at the end
	starting       []time.Time // ready at
	started        int
	waiting        []waiter
	paid           time.Time
}

type waiter struct {
	call  control.Call
	since time.Time
	done  func(took time.Duration)
}

type entry struct {
	at    time.Time
	order int
	do    func()
}

type agenda []entry

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at.Before(a[j].at) || a[i].at.Equal(a[j].at) && a[i].order < a[j].order
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(entry)) }
func (a *agenda) Pop() any     { l := len(*a) - 1; x := (*a)[l]; *a = (*a)[:l]; return x }

func newVirtual(t testing.TB, mode control.Mode, m forecast.Model, seed uint64) *virtual {
	v := &virtual{
		window: window, capacity: function.Resources{CPU: 1_000_000, Memory: 1 << 40},
		t: t, now: start, meter: control.NewMeter(), of: map[string]*fleet{}, random: rand.New(rand.NewPCG(seed, 99)),
	}
	v.pool = control.NewPool(v.config(mode, m), v.now)
	return v
}

func (v *virtual) config(mode control.Mode, m forecast.Model) control.PoolConfig {
	return control.PoolConfig{
		Mode: mode, Window: v.window, World: v, Meter: v.meter, Model: m,
		Functions: func() []function.Revision {
			var out []function.Revision
			for _, n := range v.names {
				out = append(out, v.of[n].revision)
			}
			return out
		},
		Workflows: func() []*workflow.Workflow { return v.flows },
		Runs: func(_ context.Context, name string, n int) ([]control.TrialRecord, error) {
			var out []control.TrialRecord
			for _, r := range slices.Backward(v.runs) {
				if r.Workflow == name && len(out) < n {
					out = append(out, r)
				}
			}
			return out, nil
		},
	}
}

func (v *virtual) add(name string, start, service time.Duration) {
	v.names = append(v.names, name)
	v.of[name] = &fleet{
		revision: revision(name, function.ScaleBounds{}), start: start, service: service, paid: v.now,
		scale: platform.Scale{KeepAlive: control.ReactiveWindows * v.window},
	}
}

// at schedules something.
func (v *virtual) at(t time.Time, do func()) {
	v.order++
	heap.Push(&v.queue, entry{t, v.order, do})
}

// run lets time pass, with the pool's loop beside it.
func (v *virtual) run(until time.Time) {
	for {
		wake := v.pool.Wake()
		if len(v.queue) > 0 && !v.queue[0].at.After(wake) {
			e := heap.Pop(&v.queue).(entry)
			if e.at.After(until) {
				break
			}
			v.now = e.at
			e.do()
			react(v.t.(*testing.T), v.pool, v.meter)
			continue
		}
		if wake.After(until) {
			break
		}
		if wake.After(v.now) {
			v.now = wake
		}
		if err := v.pool.Ahead(context.Background(), v.now); err != nil {
			v.t.Fatal(err)
		}
		if !v.now.Before(v.pool.Due()) {
			if err := v.pool.Step(context.Background(), v.now); err != nil {
				v.t.Fatal(err)
			}
		}
	}
	v.now = until
	for _, f := range v.of {
		v.pay(f)
	}
}

// pay accounts for idle time until now.
func (v *virtual) pay(f *fleet) {
	if v.now.After(f.paid) {
		v.idle += float64(len(f.idle)+len(f.starting)-min(len(f.waiting), len(f.starting))) * v.now.Sub(f.paid).Seconds()
		f.paid = v.now
	}
}

// invoke begins an invocation; done is called when it has ended.
func (v *virtual) invoke(c control.Call, done func(took time.Duration)) {
	f := v.of[c.Function]
	v.pay(f)
	v.meter.Begin(c, v.now)
	if n := len(f.idle); n > 0 {
		f.idle = f.idle[:n-1]
		v.serve(f, waiter{c, v.now, done}, false)
		return
	}
	v.cold++
	f.waiting = append(f.waiting, waiter{c, v.now, done})
	v.balance(f)
}

func (v *virtual) serve(f *fleet, w waiter, cold bool) {
	f.busy++
	waited := v.now.Sub(w.since)
	service := time.Duration(float64(f.service) * (0.8 + 0.4*v.random.Float64()))
	v.at(v.now.Add(service), func() {
		v.pay(f)
		f.busy--
		v.meter.End(w.call, v.now)
		o := function.Observation{
			Time: w.since, Function: w.call.Function, Workflow: w.call.Workflow, Stage: w.call.Stage, RunID: w.call.Run,
			Cold: cold, ColdStart: waited, Execution: service, Outcome: function.OutcomeOK,
		}
		v.reported = append(v.reported, o)
		v.pool.Observed(o)
		f.idle = append(f.idle, v.now)
		v.give(f)
		v.balance(f)
		if w.done != nil {
			w.done(service)
		}
	})
}

// give hands idle instances to who waits.
func (v *virtual) give(f *fleet) {
	for len(f.waiting) > 0 && len(f.idle) > 0 {
		w := f.waiting[0]
		f.waiting, f.idle = f.waiting[1:], f.idle[:len(f.idle)-1]
		v.serve(f, w, true)
	}
}

// balance starts and ends instances as the scale wants.
func (v *virtual) balance(f *fleet) {
	v.pay(f)
	missing := max(len(f.waiting)-len(f.starting), f.scale.Warm-f.busy-len(f.idle)-len(f.starting))
	for range missing {
		began := v.now
		f.starting = append(f.starting, v.now.Add(f.start))
		f.started++
		v.at(v.now.Add(f.start), func() {
			v.pay(f)
			f.starting = f.starting[1:]
			f.idle = append([]time.Time{v.now}, f.idle...)
			v.pool.Started(platform.Start{Time: began, Function: f.revision.Function.Name, Ready: f.start})
			v.give(f)
			v.balance(f)
		})
	}
	for len(f.idle) > 0 && f.busy+len(f.idle)+len(f.starting) > f.scale.Warm {
		if end := f.idle[0].Add(f.scale.KeepAlive); end.After(v.now) {
			v.at(end, func() { v.balance(f) })
			return
		}
		f.idle = f.idle[1:]
	}
}

// Snapshot implements control.World.
func (v *virtual) Snapshot(context.Context) (platform.Snapshot, error) {
	s := platform.Snapshot{Time: v.now, Capacity: v.capacity}
	for _, n := range v.names {
		f := v.of[n]
		s.Revisions = append(s.Revisions, platform.RevisionState{
			Revision: f.revision.Name, Function: n, Scale: f.scale, Busy: f.busy, Idle: len(f.idle), Starting: len(f.starting), Queued: len(f.waiting),
		})
	}
	return s, nil
}

// Scale implements control.World.
func (v *virtual) Scale(_ context.Context, revision string, s platform.Scale) error {
	for _, n := range v.names {
		if f := v.of[n]; f.revision.Name == revision {
			f.scale = s
			v.balance(f)
			return nil
		}
	}
	return fmt.Errorf("unknown revision %s", revision)
}

// flow deploys a workflow of groups of functions, the members of one group at
// the same time, and returns what starts a run of it.
func (v *virtual) flow(name string, groups ...[]string) func() {
	w := &workflow.Workflow{Name: name}
	for g, group := range groups {
		fork := workflow.Task{Name: fmt.Sprint(g), Path: fmt.Sprintf("/%d", g), Fork: &workflow.Fork{}}
		for _, fn := range group {
			fork.Fork.Branches = append(fork.Fork.Branches, workflow.Task{Name: fn, Path: fork.Path + "/" + fn, Call: &workflow.Call{Function: fn}})
		}
		w.Do = append(w.Do, fork)
	}
	v.flows = append(v.flows, w)
	n := 0
	return func() {
		n++
		id, begin := fmt.Sprintf("%s-%d", name, n), v.now
		record := control.TrialRecord{ID: id, Workflow: name}
		var group func(g int)
		group = func(g int) {
			if g == len(groups) {
				v.meter.RunOver(id, v.now)
				v.runs = append(v.runs, record)
				v.latency = append(v.latency, v.now.Sub(begin).Seconds())
				return
			}
			open := len(groups[g])
			for _, fn := range groups[g] {
				stage := fmt.Sprintf("/%d/%s", g, fn)
				v.invoke(control.Call{Function: fn, Run: id, Workflow: name, Stage: stage}, func(took time.Duration) {
					record.Invocations = append(record.Invocations, control.TrialInvocation{
						Stage: stage, Seconds: took.Seconds(), Outcome: function.OutcomeOK,
					})
					if open--; open == 0 {
						group(g + 1)
					}
				})
			}
		}
		group(0)
	}
}
