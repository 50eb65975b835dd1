package platformtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
)

func testDeploy(_ *testing.T, b *bench) {
	p := b.world(Options{})
	rev := b.revision("f", small, nil)
	b.must(p.Deploy(b.Context(), rev))
	b.must(p.Deploy(b.Context(), rev))
	if s := b.state(rev.Name); s.Starting+s.Idle+s.Busy != 0 {
		b.Errorf("Deploy started something: %+v", s)
	}
	other := rev
	other.Function.Args = append(slices.Clone(rev.Function.Args), "other")
	if err := p.Deploy(b.Context(), other); err == nil {
		b.Error("another content was deployed under the same name")
	}
	huge := b.revision("f", function.Resources{CPU: 1 << 40, Memory: 1 << 60}, nil)
	if err := p.Deploy(b.Context(), huge); err == nil {
		b.Error("a revision was deployed that never fits")
	}
	if err := p.Route(b.Context(), "f", []platform.Traffic{{Revision: rev.Name, Percent: 90}}); err == nil {
		b.Error("a route of 90 % was accepted")
	}
	if err := p.Route(b.Context(), "f", []platform.Traffic{{Revision: "nothing", Percent: 100}}); err == nil {
		b.Error("a route to nothing was accepted")
	}
	if err := p.Scale(b.Context(), "nothing", platform.Scale{Warm: 1}); err == nil {
		b.Error("nothing was scaled")
	}
	b.must(p.Remove(b.Context(), rev.Name))
	b.must(p.Remove(b.Context(), rev.Name))
	b.eventually(rev.Name, "its end", func(s platform.RevisionState) bool { return s.Revision == "" })
}

func testUnknown(_ *testing.T, b *bench) {
	b.world(Options{})
	b.refuse("nothing", "", function.OutcomeRejected)
	if o := b.observed(1)[0]; o.Function != "nothing" || o.Outcome != function.OutcomeRejected {
		b.Errorf("observed %+v", o)
	}
}

func testColdWarm(_ *testing.T, b *bench) {
	b.world(Options{})
	rev := b.deploy("f", small, nil)
	first := b.invoke("f", `{"echo":true}`)
	if first.Status != http.StatusOK || string(first.Body) != `{"echo":true}` || first.Header.Get("Content-Type") != "application/json" {
		b.Errorf("got %d %q %v", first.Status, first.Body, first.Header)
	}
	second := b.invoke("f", `{}`)
	o := b.observed(2)
	if !o[0].Cold || o[0].ColdStart <= 0 || o[0].Execution <= 0 || o[0].Queue < 0 {
		b.Errorf("the first invocation was not seen as cold: %+v", o[0])
	}
	if o[1].Cold || o[1].ColdStart != 0 || o[1].Instance != o[0].Instance {
		b.Errorf("the second invocation was not seen as warm: %+v", o[1])
	}
	if o[0] != first.Observation || o[1] != second.Observation {
		b.Error("the observer saw something else than the caller")
	}
	want := function.Observation{
		Time: o[0].Time, Function: "f", Revision: rev.Name, Instance: o[0].Instance, Resources: small, Cold: true,
		ColdStart: o[0].ColdStart, Queue: o[0].Queue, Execution: o[0].Execution, CPUTime: o[0].CPUTime, PeakMem: o[0].PeakMem,
		InputBytes: 13, OutputBytes: 13, Outcome: function.OutcomeOK, Status: 200,
	}
	if o[0] != want {
		b.Errorf("observed %+v, want %+v", o[0], want)
	}
}

func testContract(_ *testing.T, b *bench) {
	p := b.world(Options{})
	rev := b.deploy("f", small, func(f *function.Function) {
		f.Env = []function.EnvVar{{Name: "MODEL", Value: "small = fast"}}
	})
	resp, err := p.Invoke(b.Context(), platform.Request{
		Revision: rev.Name, Body: []byte(`{"env":true}`),
		Header: http.Header{
			"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
			"Connection":  {"close"}, "X-Split": {"a\r\nX-Smuggled: yes"},
		},
	})
	b.must(err)
	var got struct {
		Env    []string    `json:"env"`
		Header http.Header `json:"header"`
	}
	b.must(json.Unmarshal(resp.Body, &got))
	for _, want := range []string{"K_SERVICE=f", "K_CONFIGURATION=f", "K_REVISION=" + rev.Name, "MODEL=small = fast"} {
		if !slices.Contains(got.Env, want) {
			b.Errorf("%s is not in %q", want, got.Env)
		}
	}
	if !slices.ContainsFunc(got.Env, func(s string) bool { return strings.HasPrefix(s, "PORT=") }) {
		b.Errorf("no PORT in %q", got.Env)
	}
	if got.Header.Get("Traceparent") == "" || got.Header.Get("X-Smuggled") != "" || got.Header.Get("Connection") != "" {
		b.Errorf("got header %v", got.Header)
	}
}

func testScale(_ *testing.T, b *bench) {
	p := b.world(Options{})
	rev := b.deploy("f", small, nil)
	b.must(p.Scale(b.Context(), rev.Name, platform.Scale{Warm: 2, KeepAlive: time.Hour}))
	b.eventually(rev.Name, "two idle instances", func(s platform.RevisionState) bool { return s.Idle == 2 && s.Starting == 0 })
	if o := b.invoke("f", "").Observation; o.Cold {
		b.Errorf("an invocation of a warm pool was cold: %+v", o)
	}
	b.must(p.Scale(b.Context(), rev.Name, platform.Scale{Warm: 1}))
	b.eventually(rev.Name, "one idle instance", func(s platform.RevisionState) bool { return s.Idle == 1 && s.Stopping == 0 })
	b.must(p.Scale(b.Context(), rev.Name, platform.Scale{}))
	b.eventually(rev.Name, "no instance", func(s platform.RevisionState) bool { return s.Idle+s.Stopping+s.Starting == 0 })
	if o := b.invoke("f", "").Observation; !o.Cold {
		b.Errorf("an invocation after scaling to zero was not cold: %+v", o)
	}
	b.eventually(rev.Name, "no instance", func(s platform.RevisionState) bool { return s.Idle+s.Busy+s.Stopping+s.Starting == 0 })
}

func testSplit(_ *testing.T, b *bench) {
	p := b.world(Options{})
	one := b.revision("f", small, nil)
	two := b.revision("f", function.Resources{CPU: 250, Memory: 64 * function.MiB}, nil)
	for _, r := range []function.Revision{one, two} {
		b.must(p.Deploy(b.Context(), r))
		b.must(p.Scale(b.Context(), r.Name, platform.Scale{KeepAlive: time.Hour}))
	}
	b.must(p.Route(b.Context(), "f", []platform.Traffic{{Revision: one.Name, Percent: 75}, {Revision: two.Name, Percent: 25}}))
	seen := map[string]int{}
	for range 40 {
		seen[b.invoke("f", "").Observation.Revision]++
	}
	if n := seen[two.Name]; n < 4 || n > 20 {
		b.Errorf("a revision with 25 %% got %d of 40", n)
	}
	if s := b.state(two.Name); s.Percent != 25 {
		b.Errorf("got %+v, want 25 %%", s)
	}
	b.must(p.Remove(b.Context(), one.Name))
	for range 5 {
		if got := b.invoke("f", "").Observation.Revision; got != two.Name {
			b.Errorf("%s was invoked after its removal", got)
		}
	}
}
