package forecast

import (
	"errors"
	"fmt"
	"iter"
	"math"

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
	// Windows with demand in order, relative to base, and the sum of the counts up to
	// and including each: 12 bytes a window, since a cluster has millions of them.
	base    int64
	windows []int32
	sums    []float64
}

// NewHistory returns an empty history that starts with the given window: what
// came before is unknown, not idle.
func NewHistory(function, app string, start int64) *History {
	return &History{Function: function, App: app, start: start, next: start, base: start}
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
		h.skip(window)
		h.sums = append(h.sums, h.before(len(h.sums))+count)
		h.windows = append(h.windows, int32(window-h.base))
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

// skip makes a window that is about to be appended representable: after a jump
// of the clock by thousands of years all before it is older than Retention.
func (h *History) skip(window int64) {
	if window-h.base > math.MaxInt32 {
		h.base, h.windows, h.sums = window, nil, nil
	}
}

// trim forgets what is older than Retention, in batches so that the cost per
// window is constant.
func (h *History) trim() {
	oldest := h.next - Retention
	if len(h.windows) == 0 || h.window(0) >= oldest-Retention/4 {
		h.start = max(h.start, oldest-Retention/4)
		return
	}
	i := h.search(oldest)
	forgotten := h.before(i)
	h.windows = append([]int32(nil), h.windows[i:]...)
	h.sums = append([]float64(nil), h.sums[i:]...)
	for j := range h.sums {
		h.windows[j] -= int32(oldest - h.base)
		h.sums[j] -= forgotten
	}
	h.base = oldest
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
	if i := h.search(window); i < len(h.windows) && h.window(i) == window {
		return h.count(i)
	}
	return 0
}

// Last returns the i-th last count of a window with demand, the last being 1.
func (h *History) Last(i int) (count float64, ok bool) {
	if i < 1 || i > len(h.sums) {
		return 0, false
	}
	return h.count(len(h.sums) - i), true
}

// Sum returns the demand of the windows [from, to).
func (h *History) Sum(from, to int64) float64 {
	return h.before(h.search(to)) - h.before(h.search(from))
}

// ActiveIn returns the number of windows with demand in [from, to).
func (h *History) ActiveIn(from, to int64) int { return h.search(to) - h.search(from) }

// SumOfLast returns the demand of the last i windows with demand, of which there
// are that many.
func (h *History) SumOfLast(i int) float64 {
	n := len(h.windows)
	return h.before(n) - h.before(n-i)
}

// Dense writes the last n counts, oldest first, to dst and returns it. Windows
// before the start are left out, so that fewer than n may be returned.
func (h *History) Dense(dst []float64, n int) []float64 {
	n = min(n, h.Len())
	dst = append(dst[:0], make([]float64, n)...)
	from := h.next - int64(n)
	for i := h.search(from); i < len(h.windows); i++ {
		dst[h.window(i)-from] = h.count(i)
	}
	return dst
}

// before returns the sum of the counts before position i.
func (h *History) before(i int) float64 {
	if i == 0 {
		return 0
	}
	return h.sums[i-1]
}

// count is that of position i: exact for whole numbers, which calls are.
func (h *History) count(i int) float64 { return h.sums[i] - h.before(i) }

// window is the one at position i.
func (h *History) window(i int) int64 { return h.base + int64(h.windows[i]) }

// search returns the position of the first window with demand that is not
// before the given one. Between it and the last lie no more windows than that many
// minutes, all of them in a function that is always called, so it looks from there
// on: every position before lo is known to be before the window.
func (h *History) search(window int64) int {
	hi := len(h.windows)
	if hi == 0 || h.window(hi-1) < window {
		return hi
	}
	lo := int(max(int64(hi-1)-(h.window(hi-1)-window), 0))
	for step := 1; h.window(lo) < window; step *= 2 {
		if next := lo + step; next < hi && h.window(next) < window {
			lo = next
			continue
		}
		hi = min(hi, lo+step) // at or after the window, or the end
		for lo+1 < hi {
			if mid := int(uint(lo+hi) / 2); h.window(mid) < window {
				lo = mid
			} else {
				hi = mid
			}
		}
		return hi
	}
	return lo
}

// In iterates over the windows with demand in [from, to), in order, with their
// counts.
func (h *History) In(from, to int64) iter.Seq2[int64, float64] {
	return func(yield func(int64, float64) bool) {
		for i := h.search(from); i < len(h.windows) && h.window(i) < to; i++ {
			if !yield(h.window(i), h.count(i)) {
				return
			}
		}
	}
}
