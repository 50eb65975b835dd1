package pool

import (
	"maps"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/aquatope/aquatope/workflow"
)

// Foreseer is a policy that looks ahead along a workflow: the start of a run
// tells which functions will be needed and when.
type Foreseer interface {
	// Foresee is called when a run starts, after Arrive, and returns what to have
	// ready because of it. An entry is a way to start a run; who calls numbers
	// them as in the successors that the policy was given: the simulator by the
	// function invoked first. The slice is valid until the next call.
	Foresee(entry int) []Ahead
}

// Follower is a Foreseer that later stages tell as well.
type Follower interface {
	// Follow is called for every invocation, after Arrive, and returns what to
	// have ready because of it. By is what was invoked, by its number in the
	// successors that the policy was given: of the function in the simulator. The
	// slice is valid until the next call.
	Follow(by int) []Ahead
}

// Ahead asks for one more free instance of a function from After on, for Hold.
// An instance that is free already serves; otherwise one is started.
type Ahead struct {
	Function    int
	After, Hold time.Duration
}

// Successor is a function that a run reaches after the invocation of its entry.
type Successor struct {
	Function int
	// Lag is when, from the start of the run, and in which share of runs.
	Lag workflow.Lag
	// Instances is how many the run needs at once; 0 means 1.
	Instances int
	// Told is the same from the start of stages that come between, which may
	// tell better than the start of the run.
	Told []Told
}

// Told is when and how often a stage follows another.
type Told struct {
	By      int     // the other, as whoever calls Follow numbers it
	Reached float64 // the share of runs that reach the other
	Lag     workflow.Lag
}

// Successors returns what follows the entry of a workflow, from the lags of its
// stages (workflow.Composition.Lags) and the functions that the stages call. A
// stage that starts with the run is an entry itself and left out.
func Successors(lags []workflow.Lag, function []int) []Successor {
	var out []Successor
	for _, l := range lags {
		if l.Reached > 0 && l.Quantile(1) > 0 {
			out = append(out, Successor{Function: function[l.Stage], Lag: l})
		}
	}
	return out
}

// Relayed is Successors with what the stages between tell: between[a][b] is when
// and how often stage b follows stage a (workflow.Composition.LagsBetween).
func Relayed(lags []workflow.Lag, between [][]workflow.Lag, function []int) []Successor {
	out := Successors(lags, function)
	stages := map[int]int{}
	for stage, f := range function {
		stages[f] = stage
	}
	for i := range out {
		b := stages[out[i].Function]
		for a := range between {
			if l := between[a][b]; lags[a].Reached > 0 && l.Reached > 0 && l.Quantile(1) > 0 {
				out[i].Told = append(out[i].Told, Told{By: function[a], Reached: lags[a].Reached, Lag: l})
			}
		}
	}
	return out
}

// wait is how an instance is had ready for a stage: it is ready at a time after
// the teller's invocation and waits until another, in seconds. Cost is what it
// costs by run, in GB-seconds, the cold starts that remain included.
type wait struct{ ready, end, cost float64 }

// shareOfStragglers are the shares of runs for which it is considered to wait no longer.
var shareOfStragglers = [...]float64{0, 0.01, 0.05, 0.1, 0.25, 0.5}

// bestWait returns the wait of least cost for a stage that the share reached of
// all runs comes to, told by one that the share told comes to. Below the earliest
// lag that was sampled the chance of an earlier one is taken to halve with every
// twentieth of it, which is slower than the tails of service times fall.
func bestWait(l workflow.Lag, told, reached float64, f Function, price float64) wait {
	n, gb, cold := len(l.Seconds), f.idleCost(), f.ColdStart.Seconds()
	sums := make([]float64, n+1)
	for i, s := range l.Seconds {
		sums[i+1] = sums[i] + s
	}
	best := wait{cost: math.Inf(1)}
	consider := func(ready float64, late float64, from int) {
		for _, share := range shareOfStragglers {
			to := n - int(share*float64(n))
			if to < from {
				break
			}
			end := l.Seconds[n-1] + stragglerSlack*(1+l.Seconds[n-1]-l.Seconds[0])
			over := 0.0
			if share > 0 {
				end, over = max(l.Seconds[to-1], ready), float64(n-to)/float64(n)
			}
			waited := (sums[to] - sums[from] - float64(to-from)*ready + float64(n-to)*(end-ready)) / float64(n)
			idle := cold + l.Reached*waited + (1-l.Reached)*(end-ready)
			missed := reached - told*l.Reached*max(0, 1-late-over)
			if cost := gb*told*idle + price*missed; cost < best.cost {
				best = wait{ready, end, cost}
			}
		}
	}
	first := l.Seconds[0]
	for k := 1; k < 20 && first*(1-float64(k)/20) >= cold; k++ {
		consider(first*(1-float64(k)/20), math.Exp2(-float64(k))/float64(n+1), 0)
	}
	from := sort.SearchFloat64s(l.Seconds, cold)
	consider(cold, float64(from+1)/float64(n+1), from)
	for i := from; i < n; i++ {
		consider(l.Seconds[i], float64(i+1)/float64(n+1), i)
	}
	return best
}

// stragglerSlack is how much longer than for its latest lag a stage is waited
// for, as a share of the range of lags and of a second.
const stragglerSlack = 0.25

func secondsOf(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// lookahead is what the project's policy does with successors.
type lookahead struct {
	of    map[int][]Ahead // by entry
	after map[int][]Ahead // by who tells
	// price is what it costs, by function in the unit of idle costs, not to have
	// an instance when the next call comes: a cold start, or, for a stage that is
	// foreseen, to have one ready in time and the chance that it is not.
	price []float64
}

func newLookahead(functions []Function, successors map[int][]Successor, enough func(function int) bool, cfg Config) lookahead {
	l := lookahead{of: map[int][]Ahead{}, after: map[int][]Ahead{}, price: make([]float64, len(functions))}
	for _, entry := range slices.Sorted(maps.Keys(successors)) { // entries may share who tells
		for _, s := range successors[entry] {
			f := functions[s.Function]
			price := f.price(cfg.Price)
			w, teller := bestWait(s.Lag, 1, s.Lag.Reached, f, price), -1
			for _, t := range s.Told {
				if x := bestWait(t.Lag, t.Reached, s.Lag.Reached, f, price); x.cost < w.cost {
					w, teller = x, t.By
				}
			}
			switch each := w.cost / s.Lag.Reached; {
			case each < price:
				if enough == nil || enough(s.Function) {
					l.price[s.Function] = max(l.price[s.Function], each)
				}
			case cfg.Hurry && f.idleCost()*f.ColdStart.Seconds() < price*s.Lag.Reached:
				w, teller = wait{ready: f.ColdStart.Seconds(), end: s.Lag.Quantile(1) + stragglerSlack}, -1
			default:
				continue
			}
			ahead := Ahead{
				Function: s.Function, After: secondsOf(w.ready) - f.ColdStart,
				Hold: max(secondsOf(w.end-w.ready), secondsOf(stragglerSlack)),
			}
			for range max(1, s.Instances) {
				if teller >= 0 {
					l.after[teller] = append(l.after[teller], ahead)
				} else {
					l.of[entry] = append(l.of[entry], ahead)
				}
			}
		}
	}
	for i, f := range functions {
		switch {
		case f.OnDemand:
			l.price[i] = max(l.price[i], f.idleCost()*f.ColdStart.Seconds())
		case l.price[i] == 0:
			l.price[i] = f.price(cfg.Price)
		}
	}
	return l
}
