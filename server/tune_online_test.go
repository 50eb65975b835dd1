package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aquatope/aquatope/server"
	"github.com/aquatope/aquatope/server/api"
)

// Live runs are tuned on within their error budget, what was recommended is watched,
// drift gives it more at once and is tuned away, and other code ends it.
func TestTuneOnline(t *testing.T) {
	w := newWorld(t, server.Config{})
	if e := w.server.Enforced(); !e.CPU || !e.Memory {
		t.Skip("limits cannot be enforced on this machine: " + e.Reason)
	}
	const ranges = `aquatope.dev/cpu-range: "100m..800m,100m", aquatope.dev/memory-range: "64Mi..128Mi,64Mi"`
	const flow = `
---
document:
  dsl: '1.0.3'
  namespace: default
  name: live
  version: '1.0.0'
  metadata:
    qos: {latency: 20s, percentile: 80}
    payloads: [{body: {}}]
do:
  - check:
      switch:
        - bad: {when: .bad, then: refuse}
        - good: {then: only}
  - only: {call: echo, then: end}
  - refuse: {raise: {error: {type: https://example.com/bad, status: 500, title: Bad}}}
`
	w.deploy(tunable("echo", "echo", ranges) + flow + strings.Replace(flow, "name: live", "name: other", 1))
	const path = "/api/v1/workflows/live/tuning"
	state := func() (st api.Tuning) {
		w.get(path, &st)
		return st
	}
	cpu := func() int64 {
		var list api.FunctionList
		w.get("/api/v1/functions", &list)
		return int64(list.Items[0].Resources.CPU)
	}
	runs := func(body string, status int, until func(api.Tuning) bool) (st api.Tuning) {
		t.Helper()
		w.until(func() bool {
			if a := w.do("POST", "/workflows/live", body); a.status != status {
				t.Fatalf("a live run: %d %s", a.status, a.body)
			}
			st = state()
			return until(st)
		})
		return st
	}
	watching := func(st api.Tuning) bool { return st.Phase == api.PhaseWatching }

	if a := w.do("POST", path, `{"online":true,"share":0.5,"budget":2,"apply":true}`, "Content-Type", "application/json"); a.status != http.StatusAccepted {
		t.Fatalf("%d %s", a.status, a.body)
	}
	st := runs(`{}`, 200, watching)
	if st.Online == nil || st.Online.Trials != 2 || st.Online.Violations != 0 || !st.Applied {
		t.Errorf("after the search: %+v of %+v", st.Online, st)
	}
	served := cpu()

	// Who only watches is in nobody's way.
	if a := w.do("POST", "/api/v1/workflows/other/tuning", `{"budget":1}`, "Content-Type", "application/json"); a.status != http.StatusAccepted {
		t.Errorf("tuning another workflow meanwhile: %d %s", a.status, a.body)
	}
	w.until(func() bool {
		var other api.Tuning
		w.get("/api/v1/workflows/other/tuning", &other)
		return other.Phase == api.PhaseDone
	})

	// On a busy machine more bad runs may come before the drift is seen here.
	runs(`{"bad":true}`, 500, func(st api.Tuning) bool { return st.Online.Drifts > 0 })
	if now := cpu(); now < min(2*served, 800) {
		t.Errorf("after drift echo has %dm CPU, before %dm", now, served)
	}
	st = runs(`{}`, 200, watching)
	drifts := st.Online.Drifts
	if drifts > 3 || st.Runs != 2 {
		t.Errorf("after the second search: %+v, %d runs", st.Online, st.Runs)
	}
	for range 10 {
		st = runs(`{}`, 200, func(api.Tuning) bool { return true })
	}
	if st.Online.Drifts != drifts || !watching(st) {
		t.Errorf("good runs are held to be drift: %+v of %+v", st.Online, st)
	}

	// With the most that the range allows there is no more to be done.
	st = runs(`{"bad":true}`, 500, func(st api.Tuning) bool { return strings.Contains(st.Message, "until it is kept again") })
	if st.Online.Drifts > drifts+5 || cpu() != 800 {
		t.Errorf("drift that more resources do not mend was noticed %d times, up to %dm", st.Online.Drifts, cpu())
	}

	w.deploy(tunable("echo", "items", ranges))
	w.until(func() bool { st = state(); return st.Phase == api.PhaseFailed })
	if !strings.Contains(st.Message, "other code") {
		t.Errorf("after other code was deployed: %s", st.Message)
	}
}

// Editing only the samples of a workflow is a change, which a restart keeps.
func TestPayloadsAreDeployed(t *testing.T) {
	w := newWorld(t, server.Config{})
	flow := calls("greet", "echo")
	w.deploy(function("echo", "echo") + flow)
	with := strings.Replace(flow, "version: '1.0.0'", "version: '1.0.0', metadata: {payloads: [{body: 1}]}", 1)
	if a := w.do("PUT", "/api/v1/manifests", with, "Content-Type", "application/yaml"); !strings.Contains(a.body, `"action":"updated"`) {
		t.Errorf("deploying payloads: %s", a.body)
	}
	w = w.reopen()
	if a := w.do("PUT", "/api/v1/manifests", with, "Content-Type", "application/yaml"); !strings.Contains(a.body, `"action":"unchanged"`) {
		t.Errorf("deploying them again after a restart: %s", a.body)
	}
}

// tunable is function with annotations of the service.
func tunable(name, behaviour, annotations string) string {
	return strings.Replace(function(name, behaviour), "  name: "+name+"\n", "  name: "+name+"\n  annotations: {"+annotations+"}\n", 1)
}
