package server

import (
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
)

// Instances that nobody waited for are counted and charged, whether they came to
// serve or not; those that an invocation waited for are neither.
func TestStartedAhead(t *testing.T) {
	charged := map[string]bool{}
	a := newStartedAhead(func(s platform.Start, used bool) { charged[s.Instance] = used })
	for _, name := range []string{"gone", "waited for", "used", "alive"} {
		a.started(platform.Start{Function: "f", Revision: "f-1", Instance: name, Ready: time.Second})
	}
	a.started(platform.Start{Function: "f", Revision: "f-1", Instance: "broken", Error: "exit status 1"})
	a.observed(function.Observation{Function: "f", Revision: "f-1", Instance: "waited for", Cold: true})
	for range 3 {
		a.observed(function.Observation{Function: "f", Revision: "f-1", Instance: "used"})
	}
	a.observed(function.Observation{Function: "f", Revision: "f-1", Instance: "older than the server"})
	a.seen(platform.Snapshot{Revisions: []platform.RevisionState{{Revision: "f-1", Function: "f", Idle: 1}}})
	if got := a.get("f"); got != (aheadCount{used: 1, unused: 1}) || len(charged) != 2 || !charged["used"] || charged["gone"] {
		t.Errorf("counted %+v, charged %v", got, charged)
	}
	a.seen(platform.Snapshot{})
	if got := a.get("f"); got.unused != 2 || len(a.unused) != 0 {
		t.Errorf("after the last one ended: %+v, %v left", got, a.unused)
	}
	m := newIdleMeter(function.Price{IdlePerVCPUSec: 2})
	if cost := m.start(platform.Start{Function: "f", Resources: function.Resources{CPU: 500}, Create: time.Second, Ready: 2 * time.Second}); cost != 3 {
		t.Errorf("a start of 3 s cost %v", cost)
	}
}
