package control_test

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/workflow"
)

// live runs a workload of live runs through an online session, as the server
// does, and returns the session.
func live(t *testing.T, w *tuningWorld, seconds float64, runs int) (*control.Online, *control.Tuning) {
	t.Helper()
	c := tuningConfig(w, seconds, 1000)
	session, err := control.NewTuning(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	serving := map[string]function.Resources{
		"first": {CPU: 1000, Memory: 512 * function.MiB}, "second": {CPU: 2000, Memory: 512 * function.MiB},
	}
	online, err := control.NewOnline(session, serving, 0.2)
	if err != nil {
		t.Fatal(err)
	}
	rng := stats.Stream(11+w.seed, "live")
	var next tuner.Configuration
	for k := range runs {
		input := 0
		if u := rng.Float64(); u > 11.0/12 {
			input = 2
		} else if u > 8.0/12 {
			input = 1
		}
		trial := control.Trial{ID: time0(k), Resources: serving, Input: input}
		take := online.Allows()
		if take {
			if next == nil {
				if next, err = online.Next(); err != nil {
					t.Fatal(err)
				}
			}
			trial.Resources = session.Resources(next)
		}
		m, err := w.Run(t.Context(), trial)
		if err != nil {
			t.Fatal(err)
		}
		online.Note(take, m.Failed || control.NetLatency(m).Seconds() > seconds)
		if take {
			next = nil
			if err := online.Keep(t.Context(), w.now, trial, m); err != nil {
				t.Fatal(err)
			}
		}
	}
	return online, session
}

func time0(k int) string {
	return "live-" + string(rune('a'+k%26)) + string(rune('a'+k/26%26)) + string(rune('a'+k/676))
}

// While it learns, live runs keep their promise, whether there is much to spare (2 s;
// what serves takes two thirds of a second at the 95th percentile) or little, and few
// of them are trials. With AQUATOPE_MEASURE set it is measured with ten seeds each.
func TestOnlineStaysWithinTheErrorBudget(t *testing.T) {
	promises, seeds, length := []float64{2, 0.75}, 1, 200
	if os.Getenv("AQUATOPE_MEASURE") != "" {
		promises, seeds, length = []float64{2, 1, 0.75}, 10, 400
	}
	for _, promise := range promises {
		var all, tried, broken, worst int
		for seed := range uint64(seeds) {
			w := newTuningWorld()
			w.seed = seed
			online, session := live(t, w, promise, length)
			runs, trials, violations := online.Counts()
			if trials < 20 || float64(trials) > 0.2*float64(runs) {
				t.Errorf("promise of %v s, seed %d: %d of %d live runs are trials, at most a fifth may be", promise, seed, trials, runs)
			}
			if float64(violations) > 0.05*float64(runs) {
				t.Errorf("promise of %v s, seed %d: %d of %d live runs violate it", promise, seed, violations, runs)
			}
			other := slices.ContainsFunc(session.History(), func(r tuner.Run) bool {
				return r.Configuration[1].CPU != 2000 || r.Configuration[0].CPU != 1000
			})
			if !other {
				t.Errorf("promise of %v s, seed %d: nothing else than what serves was ever tried", promise, seed)
			}
			all, tried, broken, worst = all+runs, tried+trials, broken+violations, max(worst, violations)
		}
		t.Logf("promise of %v s: %d trials among %d live runs, of which %.2f %% violate it, at most %d of the %d of one session",
			promise, tried, all, 100*float64(broken)/float64(all), worst, length)
	}
}

// Where the promise is broken anyway there is nothing to spend on trials.
func TestOnlineStopsWhenTheBudgetIsSpent(t *testing.T) {
	w := newTuningWorld()
	online, _ := live(t, w, 0.05, 100)
	if _, trials, _ := online.Counts(); trials != 0 {
		t.Errorf("%d trials although every run violates", trials)
	}
}

func TestOnlineRefuses(t *testing.T) {
	w := newTuningWorld()
	for name, change := range map[string]func(*control.TuningConfig) float64{
		"a strategy that does not predict": func(c *control.TuningConfig) float64 { c.Strategy = &tuner.Blackbox{}; return 0.1 },
		"no share":                         func(*control.TuningConfig) float64 { return 0 },
		"too large a share":                func(*control.TuningConfig) float64 { return 0.9 },
		"a mean":                           func(c *control.TuningConfig) float64 { c.Target.Percentile = 0; return 0.1 },
	} {
		c := tuningConfig(w, 1, 5)
		share := change(&c)
		session, err := control.NewTuning(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := control.NewOnline(session, nil, share); !errors.Is(err, control.ErrOnline) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// When functions get slower while what was found serves, drift is noticed within few
// runs, and what is found from then on keeps the promise in the world as it is.
func TestDriftIsTunedAway(t *testing.T) {
	w := newTuningWorld()
	c := tuningConfig(w, 2, 20)
	out, err := runTuning(t, w, c, 100).Incumbent()
	if err != nil || out.Verdict != control.VerdictFeasible {
		t.Fatalf("verdict %s, %v", out.Verdict, err)
	}
	w.slower = 2
	d := control.Drift{Allowed: 0.05}
	serving := map[string]function.Resources{"first": out.Configuration[0], "second": out.Configuration[1]}
	noticed := 0
	for k := 1; noticed == 0 && k <= 200; k++ {
		m, err := w.Run(t.Context(), control.Trial{ID: time0(k), Resources: serving, Input: []int{0, 0, 1, 0, 2, 0}[k%6]})
		if err != nil {
			t.Fatal(err)
		}
		if d.Note(control.NetLatency(m).Seconds() > 2) {
			noticed = k
		}
	}
	if noticed == 0 {
		t.Fatal("twice the time was not noticed in 200 runs")
	}
	c.Since = w.now
	session := runTuning(t, w, c, 100)
	if all, resumed := session.Runs(); resumed != 0 || all != 20 {
		t.Errorf("%d runs, %d of them from before the drift", all, resumed)
	}
	after, err := session.Incumbent()
	if err != nil || after.Verdict != control.VerdictFeasible {
		t.Fatalf("after drift: verdict %s, %v", after.Verdict, err)
	}
	old, _ := truth(t, out.Configuration, c.Price)
	now, _ := truth(t, after.Configuration, c.Price)
	if 2*old <= 2 || 2*now > 2*1.02 {
		t.Errorf("noticed after %d runs: p95 %.2f s with what served, %.2f s with what was found then", noticed, 2*old, 2*now)
	}
}

// Drift is noticed soon, and what keeps its promise is rarely suspected.
func TestDrift(t *testing.T) {
	rng := stats.Stream(5, "drift")
	alarmAfter := func(rate float64, limit int) int {
		d := control.Drift{Allowed: 0.05}
		for k := range limit {
			if d.Note(rng.Float64() < rate) {
				return k + 1
			}
		}
		return limit
	}
	var with, without float64
	const repeats = 200
	for range repeats {
		with += float64(alarmAfter(0.2, 10000)) / repeats
		without += float64(alarmAfter(0.03, 10000)) / repeats
	}
	if with > 60 || without < 2000 {
		t.Errorf("alarms come after %.0f runs with drift and after %.0f without", with, without)
	}
}

func TestConcurrency(t *testing.T) {
	stage := func(i int) *workflow.Node { return &workflow.Node{Kind: workflow.KindStage, Stage: i} }
	g := &workflow.Graph{
		Stages: []workflow.Stage{{Function: "a"}, {Function: "b"}},
		Root: &workflow.Node{Kind: workflow.KindSeries, Children: []*workflow.Node{
			stage(0),
			{Kind: workflow.KindLoop, Count: 9, Width: 4, Children: []*workflow.Node{
				{Kind: workflow.KindParallel, Children: []*workflow.Node{stage(1), stage(1), stage(0)}},
			}},
		}},
	}
	for fn, want := range map[string]int{"a": 4, "b": 8, "c": 0} {
		if got := control.Concurrency(g, fn); got != want {
			t.Errorf("%s: %d at once, want %d", fn, got, want)
		}
	}
}
