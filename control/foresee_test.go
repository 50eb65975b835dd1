package control_test

import (
	"testing"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast/prior"
	"github.com/aquatope/aquatope/function"
)

// followRuns drives a workflow of five stages, in four groups, and returns what
// its functions met after the first runs, in which nothing is known.
func followRuns(t *testing.T, mode control.Mode, flow bool, how arrivals, seed uint64) (outcome, *virtual) {
	m, err := prior.Load()
	if err != nil {
		t.Fatal(err)
	}
	const windows = 240
	v := newVirtual(t, mode, m, seed)
	for _, n := range []string{"first", "left", "right", "third", "last"} {
		v.add(n, 300*time.Millisecond, 2*time.Second)
	}
	v.add("alone", 300*time.Millisecond, time.Second) // of no workflow
	run := v.flow("flow", []string{"first"}, []string{"left", "right"}, []string{"third"}, []string{"last"})
	if !flow {
		v.flows = nil // the pool does not know of it
	}
	var warmed outcome
	for _, at := range how(windows, v.random) {
		v.at(start.Add(at), run)
	}
	v.at(start.Add(60*window), func() { warmed = outcome{v.cold, v.idle} })
	v.run(start.Add(windows * window))
	return outcome{v.cold - warmed.cold, v.idle - warmed.idle}, v
}

// The start of a run warms its later stages just in time: fewer cold starts than
// without looking ahead, and nothing idle between runs.
func TestLookAhead(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]arrivals{"bursts": bursts(25), "Poisson": poisson(1.0 / 12), "timer": timer(15)} {
		var fixed, blind, seeing outcome
		for seed := range uint64(3) {
			a, _ := followRuns(t, control.ModeOff, true, how, seed)
			b, _ := followRuns(t, control.ModeApply, false, how, seed)
			c, v := followRuns(t, control.ModeApply, true, how, seed)
			fixed.add(a)
			blind.add(b)
			seeing.add(c)
			for _, fn := range []string{"left", "right", "third", "last"} {
				if s, _ := v.pool.State(fn); !s.Followed || s.Foreseen < 0.85 {
					t.Errorf("%s, seed %d: %s is not followed: %.2f foreseen", name, seed, fn, s.Foreseen)
				}
			}
			if s, _ := v.pool.State("first"); s.Followed || s.Foreseen != 0 {
				t.Errorf("%s: nothing foretells the first stage: %+v", name, s)
			}
		}
		t.Logf("%-8s fixed keep-alive %4d cold starts, %6.0f s idle; without looking ahead %4d, %6.0f; with %4d, %6.0f",
			name, fixed.cold, fixed.idle, blind.cold, blind.idle, seeing.cold, seeing.idle)
		if 2*seeing.cold > fixed.cold || 3*seeing.cold > 2*blind.cold {
			t.Errorf("%s: looking ahead avoids too few cold starts", name)
		}
		if 3*seeing.idle > 2*fixed.idle || seeing.idle > 1.05*blind.idle {
			t.Errorf("%s: looking ahead costs too much idle time", name)
		}
	}
}

// A run that begins with several stages at once promises each later invocation
// once, and invocations that one instance can serve one after another are not
// promised an instance each.
func TestPromisesOnce(t *testing.T) {
	t.Parallel()
	for service, together := range map[time.Duration]int{2 * time.Second: 1, 20 * time.Millisecond: 2} {
		v := newVirtual(t, control.ModeApply, nil, 1) // nothing but runs foretells
		for _, n := range []string{"one", "other"} {
			v.add(n, 300*time.Millisecond, 2*time.Second)
		}
		v.add("then", 300*time.Millisecond, 2*time.Second)
		v.add("last", 300*time.Millisecond, service)
		run := v.flow("flow", []string{"one", "other"}, []string{"then"}, []string{"last"})
		for i := range 40 {
			for k := range together {
				v.at(start.Add(time.Duration(15*i)*window+time.Duration(k)*100*time.Millisecond), run)
			}
		}
		v.run(start.Add(600 * window))
		if n := v.of["last"].started; n > 50 { // some are early for the first runs, which little is known of
			t.Errorf("runs %d at a time: %d instances of the last stage were started for 40", together, n)
		}
	}
}

// The same runs give the same instances, whatever order maps have: where there is
// room for one of two stages that are due at once, it is always the same.
func TestLookAheadIsDeterministic(t *testing.T) {
	t.Parallel()
	var first string
	for range 8 {
		v := newVirtual(t, control.ModeApply, nil, 1)
		for _, n := range []string{"first", "left", "right"} {
			v.add(n, 300*time.Millisecond, 2*time.Second)
		}
		each := v.of["left"].revision.Resources
		v.capacity = function.Resources{CPU: 2 * each.CPU, Memory: 2 * each.Memory} // of which three quarters may be warm
		run := v.flow("flow", []string{"first"}, []string{"left", "right"})
		for i := range 8 {
			v.at(start.Add(time.Duration(15*i)*window), run)
		}
		v.run(start.Add(120 * window))
		var got string // which invocations waited for a start
		for _, o := range v.reported {
			if o.Cold {
				got += o.Function + " "
			}
		}
		if first == "" {
			first = got
		}
		if got != first {
			t.Errorf("cold starts of %s, then of %s", first, got)
		}
	}
}
