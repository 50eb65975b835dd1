package experiment_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/sim"
	"github.com/aquatope/aquatope/trace"
)

// poolTrace has clocks, a busy function and rare ones, for four hours.
func poolTrace() *trace.Trace {
	const minutes = 240
	t := &trace.Trace{Minutes: minutes, Covered: trace.Span{To: minutes}}
	r := rand.New(rand.NewPCG(4, 2))
	for i := range 24 {
		f := trace.Function{ID: trace.ID{Owner: "o", App: "a", Function: string(rune('a' + i))}}
		for m := range minutes {
			n := 0
			switch {
			case i < 8 && m%(5*(i+1)) == i:
				n = 1
			case i >= 8 && i < 12:
				n = r.IntN(6)
			case i >= 12 && r.IntN(25) == 0:
				n = 1 + r.IntN(3)
			}
			f.Counts.Append(m, n)
		}
		t.Functions = append(t.Functions, f)
	}
	return t
}

// quick are the policies whose training does not take seconds.
var quick = []string{"keepalive", "hist", "faascache", "icebreaker", "autoscale", "oracle"}

func TestPoolIsSoundAndReproducible(t *testing.T) {
	t.Parallel()
	page := func() (*experiment.PoolReport, string) {
		r, err := experiment.Pool(context.Background(), experiment.PoolConfig{Trace: poolTrace(), Policies: quick, Seeds: 2})
		if err != nil {
			t.Fatal(err)
		}
		var buf bytes.Buffer
		if _, err := r.Report().WriteTo(&buf); err != nil {
			t.Fatal(err)
		}
		return r, buf.String()
	}
	r, one := page()
	if _, two := page(); one != two {
		t.Error("two runs give two pages")
	}
	tr := poolTrace()
	_, second := tr.Halves()
	want := tr.Invocations(second)
	for _, p := range r.Results {
		if p.Invocations != want {
			t.Errorf("%s %v: %d invocations count, the trace has %d", p.Policy, p.Parameter, p.Invocations, want)
		}
		for _, x := range []float64{p.ColdStarts, p.MemoryGBSeconds, p.IdleMemoryGBSeconds, p.QuietMemoryGBSeconds, p.P99StartMillis} {
			if math.IsNaN(x) || x < 0 {
				t.Errorf("%+v", p)
			}
		}
		if p.QuietMemoryGBSeconds > p.IdleMemoryGBSeconds || p.IdleMemoryGBSeconds > p.MemoryGBSeconds {
			t.Errorf("%s %v: idle in quiet minutes %v, of %v, of %v in all", p.Policy, p.Parameter, p.QuietMemoryGBSeconds, p.IdleMemoryGBSeconds, p.MemoryGBSeconds)
		}
		if p.Policy == "oracle" && p.Parameter > 1e6 && p.ColdStarts != 0 {
			t.Errorf("the oracle has %v cold starts", p.ColdStarts)
		}
	}
	for _, w := range []string{"drawn", "keepalive", "cold starts (log scale)"} {
		if !strings.Contains(one, w) {
			t.Errorf("the page lacks %q", w)
		}
	}
}

func TestKeepAliveCurveFalls(t *testing.T) {
	t.Parallel()
	r, err := experiment.Pool(context.Background(), experiment.PoolConfig{Trace: poolTrace(), Policies: []string{"keepalive"}, Spread: sim.Uniform})
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(r.Results); i++ {
		a, b := r.Results[i-1], r.Results[i]
		if b.ColdStarts > a.ColdStarts || b.IdleMemoryGBSeconds < a.IdleMemoryGBSeconds {
			t.Errorf("keeping longer: from %v/%v to %v/%v cold starts and GB-s", a.ColdStarts, a.IdleMemoryGBSeconds, b.ColdStarts, b.IdleMemoryGBSeconds)
		}
	}
}

// The own policy takes part, on workflows as well, and needs less than keep-alive.
func TestPoolAquatope(t *testing.T) {
	t.Parallel()
	for _, workflows := range []bool{false, true} {
		r, err := experiment.Pool(context.Background(), experiment.PoolConfig{Trace: poolTrace(), Policies: []string{"keepalive", "aquatope"}, Workflows: workflows})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Savings) == 0 {
			t.Fatal("no point of keep-alive lies within the own curve")
		}
		mean := 0.0
		for _, s := range r.Savings {
			mean += s.Saved / float64(len(r.Savings))
		}
		if mean <= 0 {
			t.Errorf("workflows %v: saves %.1f %% of keep-alive's idle memory on average", workflows, 100*mean)
		}
	}
}

func TestPoolRefuses(t *testing.T) {
	t.Parallel()
	empty := poolTrace()
	for i := range empty.Functions {
		empty.Functions[i].Counts = trace.Counts{}
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		cfg  experiment.PoolConfig
		want string
	}{
		"unknown policy": {context.Background(), experiment.PoolConfig{Trace: poolTrace(), Policies: []string{"magic"}}, "unknown policy"},
		"no functions":   {context.Background(), experiment.PoolConfig{Trace: &trace.Trace{}}, "no functions"},
		"no invocation":  {context.Background(), experiment.PoolConfig{Trace: empty}, "no invocation"},
		"outside":        {context.Background(), experiment.PoolConfig{Trace: poolTrace(), Judged: trace.Span{From: 100, To: 999}}, "covers"},
		"cancelled":      {cancelled, experiment.PoolConfig{Trace: poolTrace(), Policies: quick}, "canceled"},
	} {
		_, err := experiment.Pool(c.ctx, c.cfg)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
		if name == "cancelled" && !errors.Is(err, context.Canceled) {
			t.Errorf("%v is not context.Canceled", err)
		}
	}
}

// Where a peer wins the report says so, and why as far as the figures show it.
func TestPoolSaysWhereAPeerWins(t *testing.T) {
	t.Parallel()
	point := func(policy string, parameter, cold, idle float64) experiment.PoolResult {
		return experiment.PoolResult{Policy: policy, Parameter: parameter, ColdStarts: cold, IdleMemoryGBSeconds: idle}
	}
	own := []experiment.PoolResult{point("aquatope", 1, 10_000, 100), point("aquatope", 2, 3000, 200), point("aquatope", 3, 100, 2000)}
	lost := experiment.Saving{Peer: "keepalive", Parameter: 1, ColdStarts: 3000, PeerIdle: 100, OwnIdle: 200, Saved: -1}
	won := experiment.Saving{Peer: "keepalive", Parameter: 1, ColdStarts: 3000, PeerIdle: 80, OwnIdle: 20, Saved: 0.75}
	rare := experiment.Saving{Peer: "keepalive", Parameter: 1, ColdStarts: 110, PeerIdle: 1000, OwnIdle: 2000, Saved: -1}
	for _, c := range []struct {
		name       string
		all, quiet experiment.Saving
		want       []string
	}{
		{"between calls", lost, won, []string{"wins at 1 of them", "75.0 % less than the peer", "between the calls"}},
		{"by both accounts", lost, lost, []string{"wins at 1 of them", "middle of the range"}},
		{"at few cold starts", rare, rare, []string{"wins at 1 of them", "first calls of functions"}},
		{"nowhere", won, won, nil},
	} {
		r := experiment.PoolReport{
			Results: append(own, point("keepalive", 1, c.all.ColdStarts, c.all.PeerIdle)),
			Savings: []experiment.Saving{c.all}, QuietSavings: []experiment.Saving{c.quiet},
		}
		said := strings.Join(r.Summary(), "\n")
		for _, want := range c.want {
			if !strings.Contains(said, want) {
				t.Errorf("%s: %q is not said in\n%s", c.name, want, said)
			}
		}
		if c.want == nil && strings.Contains(said, "wins") {
			t.Errorf("%s: no peer wins, but it says\n%s", c.name, said)
		}
	}
}
