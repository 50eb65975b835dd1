package forecast

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"sort"

	"github.com/aquatope/aquatope/trace"
)

// Retention is how many windows a History keeps: eight days of minutes, so that
// the same time last week is known.
const Retention = 8 * trace.MinutesPerDay

// MaxDemand is the largest count of one window that a History accepts.
const MaxDemand = 1e9

// ErrPast says that an observation lies before the end of the history: the
// clock went back, or the window was already closed.
var ErrPast = errors.New("the window is already closed")

// History is what is known of the demand of one function: a count for each
// window from Start to Next, of which the last Retention are kept. Idle windows
// cost no memory. It is not safe for concurrent use.
type History struct {
	// Function identifies the function, App the group of functions that are
	// deployed and often called together; empty if there is none.
	Function, App string

	start, next int64
	// Windows with demand in order, their counts, and running sums of counts:
	// sums[i] is the sum of counts before i.
	windows []int64
	counts  []float64
	sums    []float64
}

// NewHistory returns an empty history that starts with the given window: what
// came before is unknown, not idle.
func NewHistory(function, app string, start int64) *History {
	return &History{Function: function, App: app, start: start, next: start}
}

// FromTrace returns the history of a function of a trace within a span of
// its minutes.
func FromTrace(t *trace.Trace, f *trace.Function, s trace.Span) *History {
	app := f.ID
	app.Function = ""
	h := NewHistory(f.ID.String(), app.String(), int64(t.Start+s.From))
	for m, n := range f.Counts.In(s) {
		// Counts of a trace are in order and in range.
		if err := h.Observe(int64(t.Start+m), float64(n)); err != nil {
			panic("BUG: forecast: " + err.Error())
		}
	}
	h.Advance(int64(t.Start + s.To))
	return h
}

// Observe appends the count of a window. Windows that were skipped since the
// last one count as idle. The count is in [0, MaxDemand]; a window before Next
// is refused with ErrPast. On error nothing changes.
func (h *History) Observe(window int64, count float64) error {
	switch {
	case window < h.next:
		return fmt.Errorf("observing window %d of %s after window %d: %w", window, h.Function, h.next-1, ErrPast)
	case math.IsNaN(count) || count < 0 || count > MaxDemand:
		return fmt.Errorf("observing %v invocations of %s: not a number from 0 to %g", count, h.Function, float64(MaxDemand))
	}
	if count > 0 {
		sum := 0.0
		if n := len(h.sums); n > 0 {
			sum = h.sums[n-1] + h.counts[n-1]
		}
		h.windows = append(h.windows, window)
		h.counts = append(h.counts, count)
		h.sums = append(h.sums, sum)
	}
	h.Advance(window + 1)
	return nil
}

// Advance tells that nothing came before window that was not observed. It does
// nothing when the history is already that long.
func (h *History) Advance(window int64) {
	if window <= h.next {
		return
	}
	h.next = window
	h.trim()
}

// trim forgets what is older than Retention, in batches so that the cost per
// window is constant.
func (h *History) trim() {
	oldest := h.next - Retention
	if len(h.windows) == 0 || h.windows[0] >= oldest-Retention/4 {
		h.start = max(h.start, oldest-Retention/4)
		return
	}
	i := h.search(oldest)
	base := 0.0
	if i < len(h.sums) {
		base = h.sums[i]
	}
	h.windows = append([]int64(nil), h.windows[i:]...)
	h.counts = append([]float64(nil), h.counts[i:]...)
	h.sums = append([]float64(nil), h.sums[i:]...)
	for j := range h.sums {
		h.sums[j] -= base
	}
	h.start = max(h.start, oldest)
}

// Start returns the first window that is known, Next the one after the last.
func (h *History) Start() int64 { return h.start }

// Next returns the window that follows the history: the first to predict.
func (h *History) Next() int64 { return h.next }

// Len returns the number of windows that are known.
func (h *History) Len() int { return int(h.next - h.start) }

// Active returns the number of windows with demand.
func (h *History) Active() int { return len(h.windows) }

// At returns the count of a window; 0 outside of what is known.
func (h *History) At(window int64) float64 {
	if i := h.search(window); i < len(h.windows) && h.windows[i] == window {
		return h.counts[i]
	}
	return 0
}

// Last returns the i-th last count of a window with demand, the last being 1.
func (h *History) Last(i int) (count float64, ok bool) {
	if i < 1 || i > len(h.counts) {
		return 0, false
	}
	return h.counts[len(h.counts)-i], true
}

// Sum returns the demand of the windows [from, to).
func (h *History) Sum(from, to int64) float64 {
	return h.before(h.search(to)) - h.before(h.search(from))
}

// ActiveIn returns the number of windows with demand in [from, to).
func (h *History) ActiveIn(from, to int64) int { return h.search(to) - h.search(from) }

// Dense writes the last n counts, oldest first, to dst and returns it. Windows
// before the start are left out, so that fewer than n may be returned.
func (h *History) Dense(dst []float64, n int) []float64 {
	n = min(n, h.Len())
	dst = append(dst[:0], make([]float64, n)...)
	from := h.next - int64(n)
	for i := h.search(from); i < len(h.windows); i++ {
		dst[h.windows[i]-from] = h.counts[i]
	}
	return dst
}

// before returns the sum of the counts before position i.
func (h *History) before(i int) float64 {
	if i < len(h.sums) {
		return h.sums[i]
	}
	if n := len(h.sums); n > 0 {
		return h.sums[n-1] + h.counts[n-1]
	}
	return 0
}

// search returns the position of the first window with demand that is not
// before the given one. Recent windows are asked for most, so it gallops from
// the end: every position from hi on is known to be at or after the window.
func (h *History) search(window int64) int {
	hi, step := len(h.windows), 1
	for hi-step >= 0 && h.windows[hi-step] >= window {
		hi -= step
		step *= 2
	}
	lo := max(hi-step, -1) + 1 // all before lo are before the window
	return lo + sort.Search(hi-lo, func(i int) bool { return h.windows[lo+i] >= window })
}

// In iterates over the windows with demand in [from, to), in order, with their
// counts.
func (h *History) In(from, to int64) iter.Seq2[int64, float64] {
	return func(yield func(int64, float64) bool) {
		for i := h.search(from); i < len(h.windows) && h.windows[i] < to; i++ {
			if !yield(h.windows[i], h.counts[i]) {
				return
			}
		}
	}
}
