package tuner

import (
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/workflow"
)

// What runs with some memory, in MiB, say of the least that is worth trying.
func TestMemoryFloor(t *testing.T) {
	t.Parallel()
	p := &Problem{
		Graph: &workflow.Graph{
			Stages: []workflow.Stage{{Name: "f", Function: "f"}},
			Root:   &workflow.Node{Kind: workflow.KindStage},
		},
		Target: Target{Seconds: 1, Percentile: 95},
		Functions: []Function{{Name: "f", Space: function.Space{
			CPU:    function.Range{Min: 1000, Max: 1000, Step: 100},
			Memory: function.Range{Min: int64(64 * function.MiB), Max: int64(1024 * function.MiB), Step: int64(64 * function.MiB)},
		}}},
	}
	type ran struct {
		memory, peak function.Bytes
		outcome      function.Outcome
	}
	const ok, oom = function.OutcomeOK, function.OutcomeOOM
	for _, c := range []struct {
		name string
		runs []ran
		want function.Bytes
	}{
		{"nothing known", nil, 64},
		{"peak and headroom", []ran{{1024, 200, ok}}, 256},
		{"less has worked", []ran{{1024, 200, ok}, {128, 120, ok}}, 128},
		{"killed at its limit", []ran{{1024, 200, ok}, {256, 256, oom}}, 320},
		{"killed where it also worked", []ran{{1024, 200, ok}, {256, 200, ok}, {256, 250, oom}}, 320},
		{"killed, peak not measured", []ran{{1024, 0, ok}, {256, 0, oom}}, 320},
		{"killed once far below its limit", []ran{{1024, 200, ok}, {512, 100, oom}}, 256},
		{"killed twice far below its limit", []ran{{1024, 200, ok}, {512, 100, oom}, {512, 90, oom}}, 576},
		{"killed with the most", []ran{{1024, 1024, oom}}, 1024},
	} {
		var history []Run
		for _, x := range c.runs {
			history = append(history, Run{
				Configuration: Configuration{{CPU: 1000, Memory: x.memory * function.MiB}}, Latency: 0.1, Failed: x.outcome != ok,
				Invocations: []Invocation{{Seconds: 0.1, Outcome: x.outcome, PeakMemory: x.peak * function.MiB}},
			})
		}
		if got := gather(p, history)[0].floor; got != c.want*function.MiB {
			t.Errorf("%s: %s, want %s", c.name, got, c.want*function.MiB)
		}
	}
}
