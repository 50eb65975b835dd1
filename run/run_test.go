package run_test

import (
	"math/rand/v2"
	"sort"
	"testing"
	"time"

	"github.com/aquatope/aquatope/run"
)

func TestIDsSortByTime(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)).Uint64
	t0 := time.Date(2026, 1, 2, 3, 4, 5, 999e6, time.UTC)
	var ids []string
	for i := range 100 {
		at := t0.Add(time.Duration(i) * 7 * time.Millisecond)
		id := run.NewID(at, random)
		if len(id) != 26 || id < run.MinID(at) || id >= run.MinID(at.Add(time.Millisecond)) {
			t.Errorf("id %q of %v is not between %q and the next millisecond's", id, at, run.MinID(at))
		}
		ids = append(ids, id)
	}
	if !sort.StringsAreSorted(ids) {
		t.Errorf("ids do not sort: %v", ids)
	}
	// The timestamp is the first 48 bits in base 32 of 10 digits, as a ULID's.
	if got := run.MinID(time.UnixMilli(1469918176385)); got != "01aryz6s410000000000000000" {
		t.Errorf("the smallest id is %q", got)
	}
	if one, two := run.NewID(t0, random), run.NewID(t0, random); one == two {
		t.Error("two runs of one moment share an id")
	}
}

func TestProblemError(t *testing.T) {
	for want, p := range map[string]run.Problem{
		"timeout (408)": {Type: run.TypeTimeout, Status: 408},
		"Out of memory (507) at /do/0/a: f: died": {Type: run.TypeRuntime, Status: 507, Title: "Out of memory", Instance: "/do/0/a", Detail: "f: died"},
		"https://example.com/x (400)":             {Type: "https://example.com/x", Status: 400},
	} {
		if got := p.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestRunDerived(t *testing.T) {
	begin := time.Now()
	r := run.Run{Start: begin, Stages: []run.Stage{{Cold: true}, {}, {Cold: true}}}
	if r.Latency() != 0 || r.ColdStarts() != 2 || run.StatusRunning.Ended() || !run.StatusCancelled.Ended() {
		t.Errorf("%v, %d", r.Latency(), r.ColdStarts())
	}
	if r.End = begin.Add(time.Second); r.Latency() != time.Second {
		t.Errorf("latency %v", r.Latency())
	}
}
