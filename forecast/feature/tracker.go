package feature

import (
	"math"
	"slices"

	"github.com/aquatope/aquatope/forecast"
)

const (
	// maxLag is the longest distance between two active windows that is counted:
	// half a day of minutes.
	maxLag = 720
	// maxGap is the longest gap between active windows with a bin of its own.
	maxGap = 360
	// hour is the number of phases counted: minutes of the hour.
	hour = 60
	// maxRun is the longest run of active windows, less one, counted apart.
	maxRun = 31
	// recent is how many of the last gaps are kept in order.
	recent = 32
)

// Tracker keeps what features need to know of one history beyond what the
// history itself answers at once. It is brought up to date with Update, whose
// cost depends on the windows with demand only.
type Tracker struct {
	seen    int64 // windows before it are counted
	started bool

	lags     counters     // pairs of active windows by distance, up to maxLag
	phases   [hour]uint32 // active windows by minute of the hour
	gaps     counters     // gaps by length; maxGap+1 stands for all longer ones
	active   uint32       // active windows counted
	last     int64        // last active window
	ring     [recent]float32
	sorted   [recent]float32 // the same in ascending order
	ringAt   int
	ringLen  int
	runStart int64 // first window of the current or last run of active windows
	// Runs that reached a length (less one), and those that ended there.
	runs, runEnds [maxRun + 1]uint32

	gapMean, gapVar float64 // exponentially weighted, of log gaps
	// Of log(1+count) of active windows, exponentially weighted: mean with a
	// long and a short memory, and mean square of the short one's errors.
	slow, fast, spread float64

	best  [2]period
	calls calls
	settled
}

// period is a distance at which active windows repeat.
type period struct {
	lag   int
	score float64
}

// NewTracker returns a tracker of a history that it will be updated with.
func NewTracker() *Tracker {
	t := &Tracker{}
	t.settle(nil)
	return t
}

// Called tells whether any window was active.
func (t *Tracker) Called() bool { return t.active > 0 }

// Update counts the windows of h that are new. The history must be the same,
// grown, at every call.
func (t *Tracker) Update(h *forecast.History) {
	if !t.started {
		t.started = true
		t.seen = h.Start()
	}
	changed := false
	t.calls.grow(t.seen, h.Next())
	for w, c := range h.In(t.seen, h.Next()) {
		t.observe(h, w, c)
		if w >= h.Next()-callReach {
			t.calls.add(w)
		}
		changed = true
	}
	t.seen = h.Next()
	if changed {
		t.findPeriods(h)
		t.settle(h)
	}
}

func (t *Tracker) observe(h *forecast.History, w int64, c float64) {
	if t.active == 0 {
		t.runStart = w
		t.slow, t.fast = math.Log1p(c), math.Log1p(c)
	} else {
		gap := w - t.last
		t.gaps.add(int(min(gap, maxGap+1)))
		l := math.Log(float64(gap))
		a := math.Max(0.1, 1/float64(t.active))
		d := l - t.gapMean
		t.gapMean += a * d
		t.gapVar = (1 - a) * (t.gapVar + a*d*d)
		t.keepGap(float32(gap))
		run := min(t.last-t.runStart, maxRun)
		t.runs[run]++
		if gap > 1 {
			t.runEnds[run]++
			t.runStart = w
		}
		n := float64(t.active + 1)
		e := math.Log1p(c) - t.fast
		t.spread += math.Max(0.05, 1/(n+2)) * (e*e - t.spread)
		t.fast += math.Max(0.25, 1/n) * e
		t.slow += math.Max(0.03, 1/n) * (math.Log1p(c) - t.slow)
		for u := range h.In(w-maxLag, w) {
			t.lags.add(int(w - u))
		}
	}
	t.phases[((w%hour)+hour)%hour]++
	t.active++
	t.last = w
}

// findPeriods finds the two distances at which activity repeats most
// surprisingly, by the z-score of their count against chance.
func (t *Tracker) findPeriods(h *forecast.History) {
	t.best = [2]period{}
	// As of the last active window, so that it does not matter when this is
	// called.
	n := float64(t.last + 1 - h.Start())
	p := float64(t.active) / math.Max(n, 1)
	if t.active < 3 {
		return
	}
	for l := 2; l <= maxLag && float64(l) < n; l++ {
		pairs := t.lags.at(l)
		if pairs < 2 {
			continue
		}
		e := p * p * (n - float64(l))
		z := (float64(pairs) - e) / math.Sqrt(e*(1-p*p)+0.5)
		switch {
		case z > t.best[0].score:
			if l%max(t.best[0].lag, 1) != 0 || t.best[0].lag == 0 {
				t.best[1] = t.best[0]
			}
			t.best[0] = period{l, z}
		case z > t.best[1].score && l%t.best[0].lag != 0:
			t.best[1] = period{l, z}
		}
	}
}

// keepGap puts a gap in the ring, in the place of the oldest.
func (t *Tracker) keepGap(gap float32) {
	n := t.ringLen
	if n == recent { // the oldest leaves
		i := slices.Index(t.sorted[:], t.ring[t.ringAt])
		copy(t.sorted[i:], t.sorted[i+1:])
		n--
	}
	i, _ := slices.BinarySearch(t.sorted[:n], gap)
	copy(t.sorted[i+1:n+1], t.sorted[i:n])
	t.sorted[i] = gap
	t.ringLen = n + 1
	t.ring[t.ringAt] = gap
	t.ringAt = (t.ringAt + 1) % recent
}
