package tuner_test

import (
	"math"
	"slices"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile/synthetic"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
)

// explored is a world with a history.
func explored(t *testing.T, runs int) (*world, *tuner.Structured, []tuner.Run) {
	t.Helper()
	w := newWorld(t, synthetic.Options{Shape: synthetic.Chain, Family: synthetic.Amdahl, Seed: 77})
	s, rng := &tuner.Structured{}, stats.Stream(1, "explored")
	var history []tuner.Run
	for len(history) < runs {
		batch, err := s.Next(w.problem, history, 1, runs-len(history), rng)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range batch {
			history = append(history, w.run(c, rng))
		}
	}
	return w, s, history
}

// The service times that are believed have about the median and the spread of
// the true ones.
func TestServiceTimes(t *testing.T) {
	t.Parallel()
	w, s, history := explored(t, 25)
	res, err := s.Recommend(w.problem, history, stats.Stream(1, "recommend"))
	if err != nil {
		t.Fatal(err)
	}
	const draws, n = 16, 64
	all, inputs, err := s.ServiceTimes(w.problem, history, res.Configuration, draws, n, stats.Stream(1, "times"))
	if err != nil {
		t.Fatal(err)
	}
	if len(inputs) != n || inputs[0] != -1 {
		t.Errorf("inputs %v, want none of them", inputs)
	}
	for f, x := range all {
		if len(x) != draws*n {
			t.Fatalf("%d service times, want %d", len(x), draws*n)
		}
		x = slices.Sorted(slices.Values(x))
		for _, u := range []float64{0.1, 0.5, 0.9} {
			got, want := stats.Quantile(u, x), w.model.Functions[f].Quantile(res.Configuration[f], u)
			if !(math.Abs(math.Log(got/want)) < 0.25) {
				t.Errorf("function %d, %v-quantile %.4f s, truly %.4f", f, u, got, want)
			}
		}
	}
	if _, _, err := s.ServiceTimes(w.problem, nil, res.Configuration, 1, 1, stats.Stream(1, "none")); err == nil {
		t.Error("believes something without any observation")
	}
}

// Instances of one function that stand for long make its small sizes cheaper: the
// recommendation moves there, and says what standing costs.
func TestStandingMovesTheRecommendation(t *testing.T) {
	t.Parallel()
	w, s, history := explored(t, 25)
	without, err := s.Recommend(w.problem, history, stats.Stream(1, "recommend"))
	if err != nil {
		t.Fatal(err)
	}
	p := *w.problem
	p.Standing = []float64{60, 0, 0}
	with, err := s.Recommend(&p, history, stats.Stream(1, "recommend"))
	if err != nil {
		t.Fatal(err)
	}
	cost := func(c tuner.Configuration) (sum float64) {
		for f, r := range c {
			sum += p.StandingCost(f, r)
		}
		return sum
	}
	if a, b := cost(with.Configuration), cost(without.Configuration); !(a < b) || !(with.Cost.Mean > a) {
		t.Errorf("standing costs %v, of %v in all, where it would cost %v had it not been known", a, with.Cost.Mean, b)
	}
	// Starting costs as standing does, but where it takes longer the smaller the
	// instance there is nothing to be saved.
	p.Standing, p.Starting = nil, p.Standing
	same, err := s.Recommend(&p, history, stats.Stream(1, "recommend"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(with.Configuration, same.Configuration) {
		t.Errorf("%v for who starts as long as the others stand, %v for those", same.Configuration, with.Configuration)
	}
	p.Longer = func(_ int, r function.Resources) float64 { return 1 / r.CPU.Cores() }
	computed, err := s.Recommend(&p, history, stats.Stream(1, "recommend"))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := same.Configuration[0].CPU, computed.Configuration[0].CPU; !(b > a) {
		t.Errorf("%v where starts compute, %v where they wait", b, a)
	}
	for _, bad := range [][]float64{{1}, {-1, 0, 0}, {math.NaN(), 0, 0}, {math.Inf(1), 0, 0}} {
		for _, serving := range []tuner.Serving{{Standing: bad}, {Starting: bad}} {
			p.Serving = serving
			if p.Check() == nil {
				t.Errorf("%+v is accepted", serving)
			}
		}
	}
}

// What invocations wait before they are served is not left for the functions:
// they get more, and what is predicted of the workflow includes it.
func TestWaitingTightensTheRecommendation(t *testing.T) {
	t.Parallel()
	w, s, history := explored(t, 25)
	p := *w.problem
	recommend := func() tuner.Result {
		t.Helper()
		r, err := s.Recommend(&p, history, stats.Stream(1, "recommend"))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	without := recommend()
	// One in five waits, which a 95th percentile cannot leave out.
	wait := 0.4 * p.Target.Seconds
	for range p.Functions {
		p.Waiting = append(p.Waiting, nil)
	}
	p.Waiting[0] = []float64{0, 0, 0, 0, wait}
	with := recommend()
	if !with.Feasible || !(with.Cost.Mean > 1.05*without.Cost.Mean) {
		t.Errorf("with waiting %+v, want to pay more than %v for the promise", with, without.Cost.Mean)
	}
	if got := with.Promised.Mean; !(got > 0.8*p.Target.Seconds && got <= p.Target.Seconds) {
		t.Errorf("predicts %v s with waiting, promised are %v", got, p.Target.Seconds)
	}
	// Nobody in a hundred waits: the same as without, but for chance.
	p.Waiting[0] = append(make([]float64, 199), wait)
	if got := recommend(); math.Abs(got.Cost.Mean/without.Cost.Mean-1) > 0.03 {
		t.Errorf("costs %v where hardly anybody waits, %v without waiting", got.Cost.Mean, without.Cost.Mean)
	}
	// Who waits for what computes waits less with more.
	p.Waiting[0] = []float64{0, 0, 0, 0, wait}
	most := p.Functions[0].Space.Largest()
	p.Longer = func(_ int, r function.Resources) float64 { return 0.5 * most.CPU.Cores() / r.CPU.Cores() }
	if got := recommend(); !got.Feasible || got.Configuration[0].CPU <= with.Configuration[0].CPU {
		t.Errorf("%v where waiting computes, %v where it does not", got.Configuration[0], with.Configuration[0])
	}
	p.Longer = nil
	// One in five waits for longer than was promised: those runs are lost whatever the
	// functions get.
	p.Waiting[0] = []float64{0, 0, 0, 0, 3 * p.Target.Seconds}
	if got := recommend(); !got.Feasible || math.Abs(got.Cost.Mean/without.Cost.Mean-1) > 0.03 {
		t.Errorf("costs %v where waits are longer than the promise, %v without waiting", got.Cost.Mean, without.Cost.Mean)
	}
	for _, bad := range [][][]float64{{{1}}, {{-1}, nil, nil}, {{1, math.NaN()}, nil, nil}, {nil, nil, {math.Inf(1)}}} {
		p.Waiting = bad
		if p.Check() == nil {
			t.Errorf("waiting times %v are accepted", bad)
		}
	}
}
