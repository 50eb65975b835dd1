package replay

import (
	"strings"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/run"
)

// History is what was recorded.
type History struct {
	// Runs are in order of Start. Those that have not ended are passed over.
	Runs []run.Run
	// Functions are all that the runs invoked.
	Functions []Function
	// Revisions are the resources of every revision that was invoked.
	Revisions map[string]function.Resources
	// Loops are the parallel loops of workflows, by workflow.
	Loops map[string][]Loop
}

// Function is what must be known of a function beside its invocations.
type Function struct {
	Name        string
	Resources   function.Resources // of most invocations; memory is positive
	Concurrency int                // 0 means 1
	Min, Max    int                // instances declared; a Max of 0 means none
}

// Loop is a loop whose iterations ran at the same time.
type Loop struct {
	Path  string // of its task
	Depth int    // how many loops are around it
}

// Begin is when the replay begins: a window before that of the first run, so that
// a policy that knows what is coming can be ready for it.
func (h *History) Begin(window time.Duration) time.Time {
	if len(h.Runs) == 0 {
		return time.Time{}
	}
	return h.Runs[0].Start.UTC().Truncate(window).Add(-window)
}

// concurrent says whether two invocations of a run of a workflow were on
// different branches of a fork, or in different iterations of a parallel loop, so
// that neither waited for the other.
func (h *History) concurrent(workflow string, a, b *run.Stage) bool {
	if a.Path == b.Path && a.At == b.At {
		return false
	}
	if forked(a.Path, b.Path) {
		return true
	}
	for _, l := range h.Loops[workflow] {
		if within(a.Path, l.Path) && within(b.Path, l.Path) && iteration(a.At, l.Depth) != iteration(b.At, l.Depth) {
			return true
		}
	}
	return false
}

// forked says whether the paths of two tasks part at the branches of a fork.
func forked(a, b string) bool {
	const branches = "/fork/branches/"
	for {
		i, j := strings.Index(a, branches), strings.Index(b, branches)
		if i < 0 || i != j || a[:i] != b[:j] {
			return false
		}
		a, b = a[i+len(branches):], b[j+len(branches):]
		x, _, _ := strings.Cut(a, "/")
		y, _, _ := strings.Cut(b, "/")
		if x != y {
			return true
		}
	}
}

func within(path, task string) bool { return strings.HasPrefix(path, task+"/") }

// iteration is the one of the loop at that depth, in a position such as i3.r1.i0.
func iteration(at string, depth int) string {
	for part := range strings.SplitSeq(at, ".") {
		if !strings.HasPrefix(part, "i") {
			continue
		}
		if depth == 0 {
			return part
		}
		depth--
	}
	return ""
}
