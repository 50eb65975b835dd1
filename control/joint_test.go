package control_test

import (
	"math"
	"testing"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/tuner"
)

// jointWorld is a workflow of two functions on paper. A run takes 1/cores for
// each function; a function that is not kept adds its start-up. The promise is
// broken by runs over the limit: with a steep logistic, as noise would.
type jointWorld struct {
	limit    float64
	start    [2]float64
	asked    int
	standing [][]float64
}

func (w *jointWorld) configure(serving tuner.Serving) ([]tuner.Configuration, error) {
	w.standing = append(w.standing, serving.Standing)
	var out []tuner.Configuration
	for cpu := function.MilliCPU(500); cpu <= 4000; cpu += 500 {
		r := function.Resources{CPU: cpu, Memory: function.GiB}
		out = append(out, tuner.Configuration{r, r})
	}
	return out, nil
}

func (w *jointWorld) predict(p control.JointPlan, share float64) (control.JointPrediction, error) {
	if share == 1 {
		w.asked++
	}
	latency := 0.0
	x := control.JointPrediction{Serving: tuner.Serving{Standing: make([]float64, 2)}, Deviation: 0.005}
	for f, r := range p.Configuration {
		latency += 1 / r.CPU.Cores()
		if p.OnDemand[f] {
			latency += w.start[f]
			x.Standing[f] = w.start[f]
		} else {
			latency += w.start[f] / (1 + p.Price)
			x.Standing[f] = 10 * p.Price / (1 + p.Price)
		}
		x.Cost += r.CPU.Cores() * (1/r.CPU.Cores() + x.Standing[f])
	}
	x.Violations = 1 / (1 + math.Exp(-60*(latency/w.limit-1)))
	return x, nil
}

func (w *jointWorld) solve(t *testing.T, loss float64) control.JointDecision {
	t.Helper()
	d, err := control.Joint{
		Budget: 0.05, Loss: loss, Caution: 1, ColdStarts: w.start[:], Prices: []float64{0.1, 1, 10, 100, 1000}, Configure: w.configure, Predict: w.predict,
	}.Solve()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestJointTradesSlackForInstances(t *testing.T) {
	t.Parallel()
	// Starts are short against the limit: nothing is kept.
	w := &jointWorld{limit: 2, start: [2]float64{0.1, 0.2}}
	d := w.solve(t, 0)
	if !d.Feasible || !d.OnDemand[0] || !d.OnDemand[1] {
		t.Errorf("short starts: %+v, want both on demand within the budget", d)
	}
	if d.Tried != w.asked {
		t.Errorf("says it tried %d plans, asked for %d", d.Tried, w.asked)
	}
	for i, x := range d.Frontier {
		if i > 0 && !(x.Cost > d.Frontier[i-1].Cost && x.Violations < d.Frontier[i-1].Violations) {
			t.Errorf("the frontier goes from %v to %v", d.Frontier[i-1].JointPrediction, x.JointPrediction)
		}
	}
	if len(d.Frontier) == 0 || len(d.Frontier) > d.Tried {
		t.Errorf("a frontier of %d plans of %d", len(d.Frontier), d.Tried)
	}
	// One start is longer than the limit: that function is kept, the other not.
	w = &jointWorld{limit: 2, start: [2]float64{0.1, 3}}
	if d = w.solve(t, 0); !d.Feasible || !d.OnDemand[0] || d.OnDemand[1] {
		t.Errorf("one long start: %+v, want the second kept only", d)
	}
	if len(w.standing) < 2 || w.standing[0] != nil || w.standing[1] == nil {
		t.Errorf("configurations were asked for with standing times %v, want none and then the best plan's", w.standing)
	}
	// Nothing keeps it: few violations, where money buys that, and it says so.
	w = &jointWorld{limit: 0.52, start: [2]float64{1, 1}}
	if d = w.solve(t, 0); d.Feasible || d.OnDemand[0] || d.Price < 100 || d.Configuration[0].CPU != 4000 {
		t.Errorf("impossible promise: %+v, want the most of everything, not feasible", d)
	}
	w = &jointWorld{limit: 0.1, start: [2]float64{1, 1}}
	if d = w.solve(t, 0); d.Feasible || d.Cost > 5 {
		t.Errorf("hopeless promise: %+v, want no money spent on it", d)
	}
}

// Budget that is there is not spent where fewer violations cost little.
func TestJointBuysFewerViolations(t *testing.T) {
	t.Parallel()
	w := &jointWorld{limit: 1.2, start: [2]float64{0.1, 0.2}}
	cheapest := w.solve(t, 0)
	careful := w.solve(t, 20)
	if careful.Violations >= cheapest.Violations {
		t.Errorf("violations %v where they lose much, %v where nothing", careful.Violations, cheapest.Violations)
	}
	if saved := cheapest.Used(1) - careful.Used(1); careful.Cost > cheapest.Cost*(1+20*saved) {
		t.Errorf("costs %v instead of %v, more than %v of violations are worth", careful.Cost, cheapest.Cost, saved)
	}
}

// A plan in force that breaks the promise seldom is not given up for one that
// breaks it more often and costs little less.
func TestJointAdjustKeepsFewViolations(t *testing.T) {
	t.Parallel()
	plans := map[function.MilliCPU]control.JointPrediction{1000: {Cost: 1}, 900: {Cost: 0.96, Violations: 0.045}}
	var all []tuner.Configuration
	for _, cpu := range []function.MilliCPU{900, 1000} {
		all = append(all, tuner.Configuration{{CPU: cpu, Memory: function.GiB}})
	}
	j := control.Joint{
		Budget: 0.05, Inertia: 0.03, ColdStarts: []float64{1}, Prices: []float64{1},
		Starts: []control.JointPlan{{Configuration: all[1], Price: 1, OnDemand: make([]bool, 1)}},
		Predict: func(p control.JointPlan, _ float64) (control.JointPrediction, error) {
			return plans[p.Configuration[0].CPU], nil
		},
	}
	for loss, want := range map[float64]function.MilliCPU{0: 900, 1: 1000} {
		j.Loss = loss
		d, err := j.Adjust(all)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Configuration[0].CPU; got != want {
			t.Errorf("where a violation loses %v runs: %v m are given, want %v", loss, got, want)
		}
	}
}

// A plan in force becomes cheaper step by step, and is mended at once.
func TestJointAdjustsByStepsWhereItKeepsTheBudget(t *testing.T) {
	t.Parallel()
	w := &jointWorld{limit: 2, start: [2]float64{0.1, 3}}
	all, err := w.configure(tuner.Serving{})
	if err != nil {
		t.Fatal(err)
	}
	j := control.Joint{Budget: 0.05, ColdStarts: w.start[:], Predict: w.predict}
	for price := 1.0; price <= 5000; price *= 2 {
		j.Prices = append(j.Prices, price)
	}
	adjust := func(price float64) control.JointDecision {
		t.Helper()
		j.Starts = []control.JointPlan{{Configuration: all[4], Price: price, OnDemand: make([]bool, 2)}}
		d, err := j.Adjust(all)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	down := adjust(4096)
	if !down.Feasible || down.Price < 4096/4 {
		t.Errorf("%v follows 4096 s within the budget, want a step of four at most", down.Price)
	}
	best := adjust(down.Price)
	for range 10 {
		best = adjust(best.Price)
	}
	if !(best.Cost < down.Cost) || best.Price >= 64 {
		t.Errorf("in the end %v s at %v, want less than %v and less at %v", best.Price, best.Cost, down.Price, down.Cost)
	}
	if up := adjust(1); !up.Feasible {
		t.Errorf("from 1 s, far over the budget: %+v, want it kept at once", up)
	}
}

// With a price at which nothing is kept, keeping functions and a higher price are no
// good each by itself.
func TestJointAdjustBeginsToKeep(t *testing.T) {
	t.Parallel()
	w := &jointWorld{start: [2]float64{0.5, 0.5}}
	none := []bool{true, true}
	j := control.Joint{
		Budget: 0.05, Inertia: 0.03, ColdStarts: w.start[:], Prices: []float64{0.1, 1, 10},
		Starts: []control.JointPlan{{Configuration: tuner.Configuration{{CPU: 1000}, {CPU: 1000}}, Price: 0.1, OnDemand: none}},
		Predict: func(p control.JointPlan, _ float64) (control.JointPrediction, error) {
			x := control.JointPrediction{Cost: 1}
			for f, start := range w.start {
				if !p.OnDemand[f] && p.Price > start {
					x.Cost -= 0.1 / p.Price
				}
			}
			return x, nil
		},
	}
	d, err := j.Adjust([]tuner.Configuration{j.Starts[0].Configuration})
	if err != nil {
		t.Fatal(err)
	}
	if d.OnDemand[0] || d.OnDemand[1] || d.Price != 1 {
		t.Errorf("%+v, want both kept at 1 s", d.JointPlan)
	}
}

// What holds in one time and not in another is not counted on.
func TestJointIsWaryOfUnrest(t *testing.T) {
	t.Parallel()
	x := control.JointPrediction{Violations: 0.04, Deviation: 0.01, Unrest: 0.06}
	if got := x.Used(0.5); math.Abs(got-0.105) > 1e-12 {
		t.Errorf("%v of the budget is taken to be used, want 0.105", got)
	}
}

func TestJointRefusesNonsense(t *testing.T) {
	t.Parallel()
	w := &jointWorld{limit: 2}
	for name, j := range map[string]control.Joint{
		"no budget":         {Prices: []float64{1}, Configure: w.configure, Predict: w.predict},
		"no price":          {Budget: 0.05, Configure: w.configure, Predict: w.predict},
		"no configurations": {Budget: 0.05, Prices: []float64{1}, Configure: func(tuner.Serving) ([]tuner.Configuration, error) { return nil, nil }, Predict: w.predict},
	} {
		if _, err := j.Solve(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
