package platformtest

import (
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
)

func testMemoryLimit(t *testing.T, b *bench) {
	if !b.h.Limits {
		t.Skip("limits take no effect here")
	}
	p := b.world(Options{})
	rev := b.deploy("f", function.Resources{CPU: 1000, Memory: 96 * function.MiB}, nil)
	b.must(p.Scale(b.Context(), rev.Name, platform.Scale{Warm: 1, KeepAlive: time.Hour}))
	if o := b.invoke("f", `{"allocMB":40}`).Observation; o.PeakMem < 40*function.MiB || o.PeakMem > 96*function.MiB {
		b.Errorf("40 MiB in a limit of 96 were seen as a peak of %s", o.PeakMem)
	}
	e := b.refuse("f", `{"allocMB":300}`, function.OutcomeOOM)
	if !strings.Contains(e.Detail, "96Mi") {
		b.Errorf("%q does not name the limit", e.Detail)
	}
	b.eventually(rev.Name, "a new instance", func(s platform.RevisionState) bool { return s.Idle == 1 && s.Stopping == 0 })
	if o := b.invoke("f", "").Observation; o.Instance == e.Observation.Instance {
		b.Error("an instance that was killed was used again")
	}
	broken := b.deploy("g", function.Resources{CPU: 1000, Memory: 64 * function.MiB}, env("FN_START", "alloc"))
	if e := b.refuse("g", "", function.OutcomeStart); !strings.Contains(e.Detail, "memory limit") {
		b.Errorf("%q does not say why %s does not start", e.Detail, broken.Name)
	}
}

// testCPULimit checks that a quarter of a CPU is no more than that. Load on
// the machine can only make the ratio larger. How close it is to four is
// measured, not tested.
func testCPULimit(t *testing.T, b *bench) {
	if !b.h.Limits {
		t.Skip("limits take no effect here")
	}
	b.world(Options{})
	b.deploy("f", function.Resources{CPU: 250, Memory: 64 * function.MiB}, nil)
	b.invoke("f", "")
	o := b.invoke("f", `{"burnMs":100}`).Observation
	if o.CPUTime < 90*time.Millisecond {
		b.Errorf("100 ms of CPU time were measured as %s", o.CPUTime)
	}
	if ratio := float64(o.Execution) / float64(o.CPUTime); ratio < 3 {
		b.Errorf("%s of CPU time took %s at a quarter CPU: %.1f times as long, want about 4", o.CPUTime, o.Execution, ratio)
	}
}
